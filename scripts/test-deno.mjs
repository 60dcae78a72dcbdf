// Runs the one table of operations in Deno, whose WebGPU is another implementation than Chrome's and Dawn's. Takes Deno from the registry.
//
//   npm run test:deno
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = mkdtempSync(join(tmpdir(), 'crosshead-deno-'));
try {
  await build({
    root,
    mode: 'page', // of vite.config.ts: shaders, and no other library entry
    logLevel: 'warn',
    build: {
      outDir,
      target: 'es2022',
      minify: false,
      copyPublicDir: false,
      lib: { entry: join(root, 'test/deno/table.ts'), formats: ['es'], fileName: 'table' },
      rollupOptions: { output: { codeSplitting: false } },
    },
  });
  const args = ['--yes', 'deno@2.9.6', 'run', '--allow-all', '--unstable-webgpu', join(outDir, 'table.js')];
  process.exitCode = spawnSync('npx', args, { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(outDir, { recursive: true, force: true });
}
