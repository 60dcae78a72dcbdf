// Where a Chrome or Chromium is, and the flags with which it offers WebGPU.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import puppeteer from 'puppeteer';

const systemPaths = {
  linux: [
    '/usr/bin/google-chrome-stable',
    '/usr/bin/google-chrome',
    '/opt/google/chrome/chrome',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/snap/bin/chromium',
    '/usr/bin/microsoft-edge-stable',
  ],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

/**
 * The browser to use: an environment variable, then Puppeteer's cache, then the system's.
 * @returns {{ path: string, from: string } | null}
 */
export function findBrowser() {
  for (const name of ['PUPPETEER_EXECUTABLE_PATH', 'CHROME_PATH', 'CHROME_BIN']) {
    const path = process.env[name];
    if (!path) continue;
    if (!existsSync(path)) throw new Error(`${name} names no file: ${path}`);
    return { path, from: name };
  }
  try {
    const path = puppeteer.executablePath();
    if (existsSync(path)) return { path, from: "Puppeteer's cache" };
  } catch {
    // Puppeteer throws where it has never installed a browser; the system's is next.
  }
  const path = (systemPaths[process.platform] ?? []).find((candidate) => existsSync(candidate));
  return path ? { path, from: 'the system' } : null;
}

/** Flags for a headless browser with WebGPU: on SwiftShader, or on the machine's GPU with WEBGPU_ADAPTER=hardware. */
export function browserArgs(adapter = process.env.WEBGPU_ADAPTER ?? 'swiftshader') {
  const linux = process.platform === 'linux';
  return [
    '--enable-unsafe-webgpu',
    '--enable-features=Vulkan',
    ...(adapter === 'hardware'
      ? ['--ignore-gpu-blocklist', ...(linux ? ['--use-angle=vulkan', '--disable-vulkan-surface'] : [])]
      : [`--use-webgpu-adapter=${adapter}`]),
    ...(linux && (process.getuid?.() === 0 || process.env.CI) ? ['--no-sandbox'] : []),
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
  ];
}

/**
 * What Dawn in Node needs to run on the SwiftShader that comes with a browser: its driver file, and the Vulkan loader beside it.
 * @returns {{ driver: string, libraries: string } | null} null where there is none, or hardware was asked for
 */
export function softwareVulkan() {
  if (process.platform !== 'linux' || process.env.WEBGPU_ADAPTER === 'hardware') return null;
  const browser = findBrowser();
  const folders = ['/usr/lib/chromium', ...(browser ? [dirname(realpathSync(browser.path))] : [])];
  const libraries = folders.find((folder) => existsSync(join(folder, 'vk_swiftshader_icd.json')));
  return libraries ? { driver: join(libraries, 'vk_swiftshader_icd.json'), libraries } : null;
}
