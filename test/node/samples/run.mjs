// Runs samples in this process, one after the other: node run.mjs FOLDER. FOLDER/samples.json lists their files; what each came to is
// written to stdout, a line each, before the next begins, so that one that hangs is known.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expectPrinted } from './printed.mjs';
import { standIns } from './stand-ins.mjs';

const folder = process.argv[2];
Object.assign(globalThis, { expectPrinted });
console.log = () => {}; // samples print; stdout is for what they came to
await standIns();
for (const file of JSON.parse(await readFile(join(folder, 'samples.json'), 'utf8'))) {
  let error = null;
  try {
    await import(pathToFileURL(join(folder, file)).href);
  } catch (thrown) {
    error = String(thrown?.stack ?? thrown);
  }
  process.stdout.write(`${JSON.stringify({ file, error })}\n`);
}
process.exit(); // what a sample left open, such as a context on a device, holds no one up
