// `npm run bench`: its parts are TypeScript and import shaders, so that Vite loads them.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';
import { withVulkan } from '../vulkan.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const args = process.argv.slice(2);
if (args.includes('--node')) withVulkan();
try {
  const { module } = await runnerImport(here('cli.ts'), { configFile: here('../../vite.config.ts') });
  process.exit(await module.main(args));
} catch (error) {
  console.error(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS') ? error.message : error);
  process.exit(1);
}
