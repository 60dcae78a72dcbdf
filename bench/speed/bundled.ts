// The entry of what `npm run bench -- --bundle` writes: the Node benchmark, for a machine with neither network nor npm. Prints the tables
// and then the JSON.
import { runInNode } from './node.ts';
import { readOptions } from './options.ts';
import { lineOf } from './print.ts';
import { reportOf, toJson, toMarkdown } from './report.ts';
import type { BenchEvent } from './types.ts';

const { settings, print } = readOptions(process.argv.slice(2));
if (print) console.log(print);
else {
  const events: BenchEvent[] = [];
  await runInNode(settings, (event) => {
    events.push(event);
    const line = lineOf(event);
    if (line) console.error(line);
  });
  const report = reportOf(events)!;
  console.log(`${toMarkdown(report)}\n\n${toJson(report)}`);
}
process.exit(0); // Dawn keeps a thread alive
