// `npm run build:wasm`: compiles wasm/ and writes the module as text, so that it is loaded like any other file. What is committed is what
// this gives (test/node/wasm.test.ts).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
export const target = join(root, 'src/cpu/simd-binary.ts');

/** @returns {Promise<string>} the text of src/cpu/simd-binary.ts */
export async function compileWasm() {
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-wasm-'));
  try {
    const file = join(folder, 'kernels.wasm');
    const { error, stderr } = await asc.main([
      'wasm/index.ts',
      ...['--baseDir', root, '--outFile', file],
      // Nothing is allocated inside; the first bytes of the memory are the kernels' own (src/cpu/heap.ts).
      ...['--runtime', 'stub', '--importMemory', '--initialMemory', '1', '--memoryBase', '16', '--enable', 'simd'],
      ...['-O3', '--noAssert'],
    ]);
    if (error) throw new Error(`${error.message}\n${stderr}`);
    const base64 = readFileSync(file).toString('base64');
    return `// Written by scripts/build-wasm.mjs from wasm/.\n\nexport const binary =\n  '${base64}';\n`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(target, await compileWasm());
