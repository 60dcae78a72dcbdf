// `npm run bench:accuracy`: measures all contenders in a browser, and writes the tables of docs/measured.md.
import { writeMeasured } from '../measured.mjs';
import { withBench } from '../serve.mjs';
import { closestToPromise, toMarkdown } from './table.mjs';

/** Warnings and errors of a page, each once, without colours and times. */
function collectWarnings(page) {
  const warnings = new Set();
  page.on('console', (message) => {
    if (!['warn', 'error'].includes(message.type())) return;
    const text = message.text().replace(/\p{Cc}\[[\d;]*m/gu, '');
    warnings.add(text.replace(/\d{4}-\d\d-\d\d [\d:.]+ /, '').replace(/\s+/g, ' '));
  });
  page.on('pageerror', (error) => warnings.add(String(error)));
  return warnings;
}

/** Hands `use` a page of its own, so that no contender sees what another left behind. */
async function inPage({ url, browser }, use) {
  const page = await browser.newPage();
  const warnings = collectWarnings(page);
  await page.goto(`${url}accuracy/index.html`);
  await page.waitForFunction(() => globalThis.accuracy);
  const result = await use(page).catch((error) => void warnings.add(String(error)));
  await page.close();
  return { result, warnings: [...warnings] };
}

async function measureAll(bench) {
  const { result: start } = await inPage(bench, (page) =>
    page.evaluate(async () => ({ names: accuracy.names, adapter: await accuracy.adapter() })),
  );
  const results = [];
  for (const name of start.names) {
    console.log(name);
    const { result, warnings } = await inPage(bench, (page) => page.evaluate((one) => accuracy.measure(one), name));
    results.push({ name, cases: result ?? [], warnings });
  }
  return { results, adapter: start.adapter };
}

await withBench(async (bench) => {
  const { results, adapter } = await measureAll(bench);
  const date = new Date().toISOString().slice(0, 10);
  const facts = { ...bench.facts, adapter, date, command: 'npm ci --prefix bench && npm run bench:accuracy' };
  const markdown = toMarkdown(results, facts);
  console.log(`\n${markdown}`);
  writeMeasured('bench/accuracy/run.mjs', markdown);
  if (closestToPromise(results) > 1) throw new Error('crosshead does not hold what it promises');
});
