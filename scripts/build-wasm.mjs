// `npm run build:wasm`: compiles wasm/ and writes the modules as text, so that they are loaded like any other file. What is committed is what
// this gives (test/node/wasm.test.ts).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
export const target = join(root, 'src/cpu/simd-binary.ts');

/** @param {boolean} fused whether wasm/fused-madd.ts takes the place of wasm/madd.ts: nothing else differs */
async function compile(fused) {
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-wasm-'));
  try {
    const file = join(folder, 'kernels.wasm');
    const { error, stderr } = await asc.main(
      [
        'wasm/index.ts',
        ...['--baseDir', root, '--outFile', file],
        // Nothing is allocated inside; the first bytes of the memory are the kernels' own (src/cpu/heap.ts).
        ...['--runtime', 'stub', '--importMemory', '--initialMemory', '1', '--memoryBase', '16', '--enable', 'simd'],
        ...(fused ? ['--enable', 'relaxed-simd'] : []),
        ...['-O3s', '--noAssert'], // as fast as -O3, and smaller
      ],
      {
        readFile(name, folder) {
          const path = join(folder, fused ? name.replace(/\bmadd\.ts$/, 'fused-madd.ts') : name);
          try {
            return readFileSync(path, 'utf8');
          } catch {
            return null; // the compiler looks in several places
          }
        },
      },
    );
    if (error) throw new Error(`${error.message}\n${stderr}`);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns {Promise<{ fused: Buffer, plain: Buffer }>} the modules */
export async function compileWasm() {
  return { fused: await compile(true), plain: await compile(false) };
}

/** The text of src/cpu/simd-binary.ts. */
function textOf({ fused, plain }) {
  const base64 = deflateRawSync(Buffer.concat([fused, plain]), { level: 9, memLevel: 9 }).toString('base64');
  return `// Written by scripts/build-wasm.mjs from wasm/: two modules, one after the other and deflated; the first needs relaxed SIMD.

export const fusedBytes = ${fused.length};

export const binary =
  '${base64}';
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(target, textOf(await compileWasm()));
