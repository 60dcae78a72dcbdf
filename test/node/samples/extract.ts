// The code of a document: every js and html fence, as a module that can be run and that holds its own comments to what it computes.
//
// In a document:
//   console.log(value); // → [0.66, 0.24]     is checked: each number to the digits that are printed, all else exactly
//   an HTML comment <!-- sample: ... --> right before a fence holds code that runs before it, such as the features that the text takes
//   for granted; where it begins with "continues", the fences before it in the document run first

export interface Sample {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  /** How many values it checks. */
  readonly checks: number;
}

const fence = /(?:<!-- sample: *((?:(?!-->)[\s\S])*)-->\n+)?^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;
/** What is shown and not run: commands, files, and the output of either. */
const shown = ['sh', 'json', 'text', ''];

export function samplesOf(file: string, markdown: string): Sample[] {
  const samples: Sample[] = [];
  let before = '';
  for (const match of markdown.matchAll(fence)) {
    const [whole, setup = '', language, body] = match;
    if (shown.includes(language)) continue;
    if (language !== 'js' && language !== 'html')
      throw new Error(`${file}: a fence of "${language}", which no test runs`);
    const line = markdown.slice(0, match.index + whole.indexOf('```')).split('\n').length;
    const own = language === 'html' ? scriptOf(file, body) : body;
    const continues = setup.startsWith('continues');
    const code = `${setup.replace(/^continues/, '')}\n${own}`;
    const all = continues ? `${before}\n${code}` : code;
    before = all;
    const { text, checks } = withChecks(importsFirst(all));
    samples.push({ file, line, code: text, checks });
  }
  return samples;
}

function scriptOf(file: string, html: string): string {
  const script = /<script type="module">([\s\S]*?)<\/script>/.exec(html)?.[1];
  if (!script) throw new Error(`${file}: an html fence without a module script`);
  return script;
}

/** One import of each name, also where several fences are joined. */
function importsFirst(code: string): string {
  const found = new Map<string, Set<string>>();
  const rest = code.replace(/^\s*import (?:\{([^}]*)\}|(\w+)) from '([^']+)';?$/gm, (_, names, whole, from) => {
    const all = found.get(from) ?? new Set<string>();
    for (const name of whole ? [`default as ${whole}`] : names.split(',')) if (name.trim()) all.add(name.trim());
    found.set(from, all);
    return '';
  });
  return `${[...found].map(([from, names]) => `import { ${[...names].join(', ')} } from '${from}';`).join('\n')}\n${rest}`;
}

/** console.log(...); // → expected    The expectation may go on in the comment lines below. */
function withChecks(code: string): { text: string; checks: number } {
  let checks = 0;
  const text = code.replace(
    /^(\s*)console\.log\((.*)\);? *\/\/ → (.*(?:\n\s*\/\/ {3}.*)*)$/gm,
    (_, space, values, expected: string) => {
      checks++;
      return `${space}expectPrinted([${values}], ${JSON.stringify(expected.replace(/\n\s*\/\/ {3}/g, ' '))});`;
    },
  );
  return { text, checks };
}
