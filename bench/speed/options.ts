// The command line, as words.
import { parseArgs } from 'node:util';
import { allCases, casesLike } from './cases.ts';
import { allContenders, contendersLike } from './contenders.ts';
import type { Settings } from './types.ts';

const help = `npm run bench -- [options]

  --cases WORDS        "softmax", "1024x1000", "softmax 64x1000", "predict", any part of an id; several with commas
  --contenders WORDS   "crosshead", "tfjs-wasm", ...; several with commas
  --budget MS          of timing, a case and contender
  --limit MS           that one call may take before its contender is cut off
  --json FILE          the report as JSON
  --markdown           prints the tables
  --write              writes the tables into docs/measured.md
  --node               in Node on Dawn, without the peers
  --bundle FILE        writes one ES module that does the same with "webgpu" alone beside it; it takes the options above
  --list               cases and contenders`;

const flag = { type: 'boolean' } as const;
const text = { type: 'string' } as const;

const split = (words: string | undefined) => (words ?? '').split(',').flatMap((word) => word.trim() || []);

function milliseconds(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (value > 0) return value;
  throw new RangeError(`--${name} must be a number of milliseconds above 0, got "${given}"`);
}

/** Ids that words mean; words that mean nothing are an error, since a run without a case would look like a good one. */
function idsOf(name: string, words: readonly string[], like: (words: readonly string[]) => readonly { id: string }[]) {
  const lost = words.filter((word) => like([word]).length === 0);
  if (lost.length) throw new RangeError(`--${name}: nothing is called "${lost.join('", "')}"; --list shows all`);
  return like(words).map(({ id }) => id);
}

export interface Options {
  readonly settings: Settings;
  readonly json?: string;
  readonly bundle?: string;
  readonly markdown: boolean;
  readonly write: boolean;
  readonly node: boolean;
  /** What to print in place of a run. */
  readonly print?: string;
}

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      cases: text,
      contenders: text,
      budget: text,
      limit: text,
      json: text,
      bundle: text,
      markdown: flag,
      write: flag,
      node: flag,
      list: flag,
      help: flag,
    },
  });
  const { json, bundle, markdown = false, write = false, node = false } = values;
  const list = () => [...allCases, ...allContenders].map(({ id }) => id).join('\n');
  return {
    settings: {
      cases: idsOf('cases', split(values.cases), casesLike),
      contenders: idsOf('contenders', split(values.contenders), contendersLike),
      budget: milliseconds('budget', values.budget),
      limit: milliseconds('limit', values.limit),
    },
    json,
    bundle,
    markdown,
    write,
    node,
    print: values.help ? help : values.list ? list() : undefined,
  };
}
