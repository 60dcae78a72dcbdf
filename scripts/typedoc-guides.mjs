// Of the reference: a guide is named by its heading, and `softmax` in a guide links to its page. On GitHub a guide stays plain Markdown.
import { Converter, MarkdownEvent, ReflectionKind } from 'typedoc';

const named = ReflectionKind.ClassOrInterface | ReflectionKind.Function | ReflectionKind.TypeAlias;
/** What goes before a sample for its test. */
const samples = /<!-- sample:[\s\S]*?-->\n/g;
/** The priority; typedoc's own listener makes HTML of the text. */
const beforeHtml = 100;

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [first] = document.content;
    const heading = /^# (.+)\n/.exec(first?.text ?? '');
    if (!heading) throw new Error(`${document.name} does not begin with a heading`);
    document.name = heading[1];
  });

  app.renderer.on(
    MarkdownEvent.PARSE,
    (event) => {
      const { model, project } = event.page;
      if (!model.isDocument() && !model.isProject()) return;
      const { router } = app.renderer;
      const linked = (text) =>
        text.replace(/(?<!\[)`([A-Za-z]+)`/g, (code, name) => {
          const target = project.getReflectionsByKind(named).find((one) => one.name === name);
          return target ? `[${code}](${router.baseRelativeUrl(model, router.getFullUrl(target))})` : code;
        });
      // Every other part is a fence, whose text is code.
      const parts = event.parsedText.replace(samples, '').split(/(^```[\s\S]*?^```$)/m);
      event.parsedText = parts.map((part, i) => (i % 2 ? part : linked(part))).join('');
    },
    beforeHtml,
  );
}
