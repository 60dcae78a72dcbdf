// From the opening of a page to its first softmax: crosshead, as one file and as a bundler makes it, beside a page of bare WebGPU, in turns, each
// in a browser context of its own. `npm run bench:cold-start` writes the figures into docs/measured.md.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer';
import { build } from 'vite';
import { browserArgs, findBrowser } from '../scripts/browser.mjs';
import { writeMeasured } from './measured.mjs';

const rounds = 15;

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** What a bundler makes of the page: its script, and those that it loads, by path. */
async function bundled() {
  const { output } = await build({
    configFile: false,
    logLevel: 'warn',
    resolve: { alias: { './index.js': fileURLToPath(new URL('../dist/modules/index.js', import.meta.url)) } },
    build: {
      write: false,
      target: 'es2022',
      rollupOptions: { input: fileURLToPath(new URL('cold-start/crosshead.js', import.meta.url)) },
    },
  });
  return new Map(output.map(({ fileName, code }) => [`/${fileName}`, code]));
}

const scripts = new Map([
  ['/bare.js', read('cold-start/bare.js')],
  ['/crosshead.js', read('cold-start/crosshead.js')],
  ['/index.js', read('../dist/index.js')],
  ...(await bundled()),
]);
const entry = [...scripts.keys()].find((path) => /^\/assets\/crosshead-/.test(path));
const pages = { 'bare WebGPU': '/bare.js', 'crosshead, bundled': entry, 'crosshead, one file': '/crosshead.js' };
const server = createServer(({ url }, response) => {
  const script = scripts.get(url);
  response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
  response.end(
    script ?? `<!doctype html><script type="module" src="${pages[decodeURIComponent(url.slice(1))]}"></script>`,
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
