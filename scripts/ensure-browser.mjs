// Before the tests: a browser is found; or installed by apt (root on Debian) or by Puppeteer; else one line says what to do.
import { spawnSync } from 'node:child_process';
import { findBrowser } from './browser.mjs';

/** Runs without asking anything, and tells only what goes wrong. A network that never answers is given up after five minutes. */
const ran = (command, args, env) =>
  spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
    timeout: 300_000,
  }).status === 0;

/** First where it can be: the system's package brings the libraries that a downloaded browser would miss. */
function installByApt() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
  const apt = (...args) => ran('apt-get', ['-qq', ...args], { DEBIAN_FRONTEND: 'noninteractive' });
  if (apt('update')) apt('install', '-y', '--no-install-recommends', 'chromium');
}

function installByPuppeteer() {
  ran('npx', ['--no-install', 'puppeteer', 'browsers', 'install', 'chrome'], { PUPPETEER_SKIP_DOWNLOAD: '' });
}

let browser = findBrowser();
for (const [installer, install] of Object.entries({ apt: installByApt, Puppeteer: installByPuppeteer })) {
  if (browser) break;
  console.log(`No Chrome or Chromium found: asking ${installer} for one.`);
  install();
  browser = findBrowser();
}
if (!browser) {
  console.error('The tests need Chrome or Chromium: install one, or set PUPPETEER_EXECUTABLE_PATH to its binary.');
  process.exit(1);
}
console.log(`Browser: ${browser.path} (${browser.from})`);
