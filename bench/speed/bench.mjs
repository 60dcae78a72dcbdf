// `npm run bench`: its parts are TypeScript and import shaders, so that Vite loads them.
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { withVulkan } from '../vulkan.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const args = process.argv.slice(2);
if (args.includes('--node')) withVulkan();
const server = await createServer({
  root: here('../..'),
  configFile: here('../../vite.config.ts'),
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, watch: null },
});
try {
  const { main } = await server.ssrLoadModule(here('cli.ts'));
  process.exitCode = await main(args);
} catch (error) {
  console.error(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS') ? error.message : error);
  process.exitCode = 1;
}
await server.close();
process.exit(); // Dawn keeps a thread alive
