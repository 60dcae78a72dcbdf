// What every benchmark runs in: a server of bench/ with PyTorch behind it, where there is one, and a browser.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer';
import { createServer } from 'vite';
import { browserArgs, findBrowser } from '../scripts/browser.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Starts peers/pytorch.py with the first Python that has torch. */
async function startPyTorch() {
  for (const python of [process.env.PYTHON, 'python3', '/usr/bin/python3']) {
    if (!python) continue;
    const child = spawn(python, [here('peers/pytorch.py')], { stdio: ['ignore', 'pipe', 'ignore'] });
    const port = await new Promise((resolve) => {
      child.stdout.once('data', (line) => resolve(Number(line)));
      child.once('error', () => resolve(0));
      child.once('exit', () => resolve(0));
    });
    if (port) return { child, address: `http://127.0.0.1:${port}` };
  }
  return null;
}

/** Versions of the peers: what bench/package.json pins, and what PyTorch says. */
async function versionsOf(pytorch) {
  const { dependencies } = JSON.parse(readFileSync(here('package.json'), 'utf8'));
  const { version } = JSON.parse(readFileSync(here('../package.json'), 'utf8'));
  const torch = pytorch && (await (await fetch(`${pytorch.address}/pytorch`)).text());
  return { crosshead: version, ...dependencies, ...(torch && { PyTorch: torch }) };
}

function serve(pytorch) {
  return createServer({
    root: here('.'),
    configFile: here('../vite.config.ts'),
    appType: 'mpa',
    logLevel: 'error',
    optimizeDeps: { entries: ['*/index.html'], exclude: ['onnxruntime-web'] },
    // Files may change while a benchmark runs: it goes on with what it has.
    server: { port: 0, hmr: false, watch: null, ...(pytorch && { proxy: { '/pytorch': pytorch.address } }) },
  });
}

function launch() {
  const found = findBrowser();
  return puppeteer.launch({
    args: browserArgs(),
    protocolTimeout: 600_000,
    ...(found && { executablePath: found.path }),
  });
}

/**
 * Opens a server and a browser, hands them to `use`, and closes both.
 * @template T
 * @param {(bench: import('./serve.mjs').Bench) => Promise<T>} use
 * @param {{ pytorch?: boolean }} options whether PyTorch takes part
 * @returns {Promise<T>}
 */
export async function withBench(use, { pytorch: wanted = true } = {}) {
  const pytorch = wanted ? await startPyTorch() : null;
  const opened = [async () => pytorch?.child.kill()];
  try {
    const server = await serve(pytorch);
    opened.push(() => server.close());
    await server.listen();
    const browser = await launch();
    opened.push(() => browser.close());
    const cpu = `${cpus()[0].model.trim()}, ${cpus().length} cores`;
    const facts = { cpu, browser: await browser.version(), versions: await versionsOf(pytorch) };
    return await use({ url: server.resolvedUrls.local[0], browser, facts });
  } finally {
    for (const close of opened.reverse()) await close();
  }
}
