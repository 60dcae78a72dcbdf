import { spawnSync } from 'node:child_process';
import { softwareVulkan } from '../scripts/browser.mjs';

/** Starts this process again on the browser's software adapter, where there is one: Dawn's loader looks at the environment once. */
export function withVulkan() {
  const vulkan = softwareVulkan();
  if (!vulkan || process.env.VK_ICD_FILENAMES) return;
  const env = { ...process.env, VK_ICD_FILENAMES: vulkan.driver, LD_LIBRARY_PATH: vulkan.libraries };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit', env }).status ?? 1);
}
