// Gives Node a navigator.gpu: Dawn, on the SwiftShader that Chromium carries, or on the machine's GPU with WEBGPU_ADAPTER=hardware.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findBrowser } from '../../scripts/browser.mjs';

const softwareDriver = () => {
  const browser = findBrowser();
  const folders = ['/usr/lib/chromium', ...(browser ? [dirname(browser.path)] : [])];
  return folders.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find((file) => existsSync(file));
};

if (!globalThis.navigator?.gpu) {
  const driver = process.platform === 'linux' && process.env.WEBGPU_ADAPTER !== 'hardware' && softwareDriver();
  if (driver) process.env.VK_ICD_FILENAMES ??= driver; // read when Dawn is loaded, so it is set before the import
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]); // kept on navigator: collected, it once took the process with it
  if (globalThis.navigator) Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  else Object.defineProperty(globalThis, 'navigator', { value: { gpu, hardwareConcurrency: 1 }, configurable: true });
}
