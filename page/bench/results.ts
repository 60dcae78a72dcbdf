// The charts and the table of a report, and the ways to take it along.
import { toJson, toMarkdown } from '../../bench/speed/report.ts';
import type { Case, Report } from '../../bench/speed/types.ts';
import { byId } from '../dom.ts';
import { makeChart } from './chart.ts';
import { makeRows } from './table.ts';
import type { ScaleName, TimeName } from './words.ts';

export interface Results {
  /** Shows a report anew; only one case of it, where one is given. */
  show(report: Report, time: TimeName, scale: ScaleName, only?: string): void;
}

export function makeResults(): Results {
  let shown: Report | undefined;
  const charts = byId('bench-charts');
  const table = byId('bench-results').querySelector('table')!;
  makeDelivery(() => shown!);
  return {
    show(report, time, scale, only) {
      if (only === undefined) for (const old of [...charts.children, ...table.tBodies]) old.remove();
      shown = report;
      byId('bench-results').hidden = report.measurements.length === 0;
      const begun = (one: Case) => report.measurements.some((measurement) => measurement.case === one.id);
      for (const one of report.cases.filter((one) => begun(one) && (only ?? one.id) === one.id)) {
        put(charts, makeChart(report, one, time, scale));
        put(table, makeRows(report, one, time));
      }
    },
  };
}

/** In the place of the element of the same case, or behind all others. */
function put(parent: HTMLElement, element: HTMLElement): void {
  const old = [...parent.children].find((child) => (child as HTMLElement).dataset.case === element.dataset.case);
  if (old) old.replaceWith(element);
  else parent.append(element);
}

const forms = {
  markdown: { write: toMarkdown, type: 'text/markdown', ending: 'md' },
  json: { write: toJson, type: 'application/json', ending: 'json' },
};
type Form = keyof typeof forms;

function makeDelivery(report: () => Report): void {
  byId('bench-copy').addEventListener('click', async (event) => {
    const { copy, save } = (event.target as HTMLElement).dataset;
    if (save) saveAs(report(), save as Form);
    if (copy) await copyText(forms[copy as Form].write(report()));
  });
}

/** Where the browser refuses the clipboard, the text is shown and selected. */
async function copyText(text: string): Promise<void> {
  const area = byId<HTMLTextAreaElement>('bench-text');
  const copied = await Promise.resolve()
    .then(() => navigator.clipboard.writeText(text))
    .then(() => true)
    .catch(() => false);
  area.value = text;
  area.hidden = copied;
  if (!copied) area.select();
  byId('bench-copied').textContent = copied
    ? 'Copied.'
    : 'The browser does not let this page copy. The text is selected below: copy it from there.';
}

function saveAs(report: Report, form: Form): void {
  const { write, type, ending } = forms[form];
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([write(report)], { type }));
  link.download = `crosshead-benchmark-${report.environment.date.slice(0, 10)}.${ending}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
