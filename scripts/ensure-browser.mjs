// Before the tests: a browser is found, or installed by Puppeteer, or (root on Debian) by apt; else one line says what to do.
import { spawnSync } from 'node:child_process';
import { findBrowser } from './browser.mjs';

const ran = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;

function installBrowser() {
  console.log('No Chrome or Chromium found: asking Puppeteer to install one.');
  const env = { ...process.env, PUPPETEER_SKIP_DOWNLOAD: '' };
  const puppeteer = spawnSync('npx', ['--no-install', 'puppeteer', 'browsers', 'install', 'chrome'], {
    stdio: 'pipe',
    env,
    shell: process.platform === 'win32',
    timeout: 300_000,
  });
  if (puppeteer.status === 0) return;
  console.log('Puppeteer could not download one.');
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
  console.log('Installing Chromium by apt.');
  if (ran('apt-get', ['update', '-q'])) ran('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium']);
}

let browser = findBrowser();
if (!browser) {
  installBrowser();
  browser = findBrowser();
}
if (!browser) {
  console.error('The tests need Chrome or Chromium: install one, or set PUPPETEER_EXECUTABLE_PATH to its binary.');
  process.exit(1);
}
console.log(`Browser: ${browser.path} (${browser.from})`);
