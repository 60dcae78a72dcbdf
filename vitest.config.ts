import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { browserArgs, findBrowser, softwareVulkan } from './scripts/browser.mjs';
import { wgsl } from './scripts/wgsl.ts';
import { puppeteerProvider } from './test/support/puppeteer-provider.ts';

const browser = findBrowser();
// Read by the loader when a test's process starts, so they are set here and not in a setup file.
const vulkan = softwareVulkan();
if (vulkan) {
  process.env.VK_ICD_FILENAMES ??= vulkan.driver;
  process.env.LD_LIBRARY_PATH = [process.env.LD_LIBRARY_PATH, vulkan.libraries].filter(Boolean).join(':');
}
// Compiling for a software adapter is most of what the tests cost, and giving memory back in between was up to half of that.
process.env.MALLOC_TOP_PAD_ ??= String(64 * 2 ** 20);
process.env.MALLOC_TRIM_THRESHOLD_ ??= String(2 ** 32);
// One set of files runs in Node on Dawn and in Chrome; what needs the file system or a server lies in test/node/.
const both = ['test/*.test.ts'];
/**
 * What Node tests for both: options and numbers beyond those of the one table, of kernels that Chrome compiles by the same code, and random
 * calls. `npm run test:chrome` runs them in Chrome too.
 */
const nodeAlone = [
  'accuracy',
  'class-losses*',
  'cross-entropy*',
  'element-*',
  'embedding-losses',
  'fuzz-*',
  'golden-operations',
  'gradients',
  '*large',
  'linear',
  'optimizers',
  'out',
  'properties',
  'sample',
  'softmax-gradients',
  'tune',
].map((name) => `test/${name}.test.ts`);
const launch = { ...(browser ? { executablePath: browser.path } : {}), args: browserArgs() };

export default defineConfig({
  plugins: [wgsl()],
  test: {
    // .ci/run counts from the file.
    reporters: process.env.CI ? ['default', ['json', { outputFile: 'coverage/results.json' }]] : ['default'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two processes beside Chrome, also where there are two cores: no test keeps a core busy all the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Files share processes and pages, where code that is compiled stays so: a fifth less time. No file leaves anything behind.
    isolate: false,
    projects: [
      { extends: true, test: { name: 'dawn', include: both, setupFiles: ['test/support/dawn.ts'] } },
      {
        extends: true,
        test: {
          name: 'chrome',
          include: both,
          exclude: [
            ...configDefaults.exclude,
            ...(process.env.VITE_ALL || process.env.VITE_FUZZ_SEED ? [] : nodeAlone),
          ],
          browser: {
            enabled: true,
            headless: true,
            fileParallelism: false, // one GPU process does the work of all pages
            screenshotFailures: false,
            provider: puppeteerProvider(launch),
            instances: [{ browser: 'chrome' }],
          },
        },
      },
      { extends: true, test: { name: 'node', include: ['test/node/*.test.ts'], setupFiles: ['test/support/dawn.ts'] } },
    ],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: [...configDefaults.exclude, '**/*.d.ts'] },
  },
});
