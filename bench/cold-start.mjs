// From the opening of a page to its first softmax: crosshead beside a page of bare WebGPU, in turns, each in a browser context of its own.
// `npm run bench:cold-start` writes the figures into docs/measured.md.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus } from 'node:os';
import puppeteer from 'puppeteer';
import { browserArgs, findBrowser } from '../scripts/browser.mjs';
import { writeMeasured } from './measured.mjs';

const rounds = 15;

const pages = { 'bare WebGPU': 'bare.js', crosshead: 'crosshead.js' };
const folders = [new URL('../dist/', import.meta.url), new URL('cold-start/', import.meta.url)];
const scriptOf = (name) => folders.map((folder) => new URL(name, folder)).find(existsSync);
const server = createServer(({ url }, response) => {
  const name = decodeURIComponent(url.slice(1));
  const script = name.endsWith('.js');
  response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
  response.end(
    script ? readFileSync(scriptOf(name)) : `<!doctype html><script type="module" src="${pages[name]}"></script>`,
  );
});
await new Promise((resolve) => server.listen(0, resolve));
const { port } = server.address();
const found = findBrowser();
const browser = await puppeteer.launch({ args: browserArgs(), ...(found && { executablePath: found.path }) });

async function open(name) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(`http://localhost:${port}/${encodeURIComponent(name)}`);
  await page.waitForFunction('window.took');
  const { took, sum } = await page.evaluate('({ took: window.took, sum: window.answer.reduce((a, b) => a + b, 0) })');
  if (Math.abs(sum - 1) > 1e-3) throw new Error(`${name}: the probabilities sum to ${sum}`);
  await context.close();
  return took;
}

const times = Object.fromEntries(Object.keys(pages).map((name) => [name, []]));
for (let round = 0; round <= rounds; round++) {
  for (const name of Object.keys(pages)) {
    const took = await open(name);
    if (round > 0) times[name].push(took); // the first starts the GPU's process
  }
}
const version = await browser.version();
await browser.close();
server.close();
const at = (values, part) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)];
const base = at(times['bare WebGPU'], 0.5);
const row = ([name, values]) =>
  `| ${name} | ${at(values, 0.1).toFixed(0)} | ${at(values, 0.5).toFixed(0)} | ${at(values, 0.9).toFixed(0)} | ${(at(values, 0.5) / base).toFixed(2)} |`;
const lines = [
  `${new Date().toISOString().slice(0, 10)}, \`npm run bench:cold-start\`. ${cpus()[0].model.trim()}, ${cpus().length} cores; ${version}; ${rounds} rounds.`,
  '',
  '| page | p10, ms | median, ms | p90, ms | ratio |',
  '| --- | ---: | ---: | ---: | ---: |',
  ...Object.entries(times).map(row),
];
console.log(lines.join('\n'));
writeMeasured('bench/cold-start.mjs', lines.join('\n'));
