// What `npm run bench` does, in a process that bench.mjs made ready.
import { writeFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { writeMeasured } from '../measured.mjs';
import { runInBrowser } from './browser.ts';
import { type Options, readOptions } from './options.ts';
import { lineOf } from './print.ts';
import { reportOf, toJson, toMarkdown } from './report.ts';
import type { BenchEvent, Report } from './types.ts';

/** One file with all but `webgpu` inside. */
async function bundle(file: string): Promise<void> {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const path = resolve(file);
  await build({
    configFile: here('../../vite.config.ts'),
    logLevel: 'warn',
    ssr: { noExternal: true, external: ['webgpu'] },
    build: {
      ssr: here('bundled.ts'),
      target: 'node20',
      lib: false,
      sourcemap: false,
      emptyOutDir: false,
      outDir: dirname(path),
      rolldownOptions: { output: { entryFileNames: basename(path), codeSplitting: false } },
    },
  });
  console.log(`Wrote ${path}.`);
}

/** The command that gives the same cases again. */
function commandOf(args: readonly string[]): string {
  const quoted = args.map((word) => (word.includes(' ') ? `"${word}"` : word));
  return `\`npm run bench -- ${quoted.join(' ')}\``;
}

/** 1 where crosshead itself was wrong, refused or failed. */
const statusOf = ({ measurements }: Report): number =>
  Number(measurements.some((one) => one.contender.startsWith('crosshead') && /wrong|void|failed/.test(one.status)));

export async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options.print) console.log(options.print);
  else if (options.bundle) await bundle(options.bundle);
  else return measure(args, options);
  return 0;
}

async function measure(args: string[], options: Options): Promise<number> {
  const events: BenchEvent[] = [];
  const warnings: string[] = [];
  const tell = (event: BenchEvent) => {
    events.push(event);
    const line = lineOf(event);
    if (line) console.log(line);
  };
  if (options.node) await (await import('./node.ts')).runInNode(options.settings, tell);
  else await runInBrowser(options.settings, tell, (text) => void warnings.push(text));
  const report = reportOf(events)!;
  console.log(`Warnings of WebGPU on the console: ${warnings.length}.`);
  for (const warning of new Set(warnings)) console.log(`* ${warning}`);
  if (options.markdown) console.log(`\n${toMarkdown(report)}`);
  if (options.json) writeFileSync(options.json, `${toJson(report)}\n`);
  if (options.write) writeMeasured('bench/speed', `${commandOf(args)}, ${toMarkdown(report)}`);
  return statusOf(report);
}
