import { defineConfig } from 'vite';
import { peers } from './scripts/peers.ts';
import { sideBySide } from './scripts/side-by-side.ts';
import { wgsl } from './scripts/wgsl.ts';

/**
 * The library, twice: one module that needs nothing beside it, and for bundlers each module as it lies in src, so that they load at once
 * what a page needs at once. Chunks made here would bind together what a page has no need to load together: 0.6 kB of it.
 */
const library = [
  { dir: 'dist', entryFileNames: 'index.js', codeSplitting: false },
  { dir: 'dist/modules', entryFileNames: '[name].js', preserveModules: true, preserveModulesRoot: 'src' },
];

/** What other libraries need beside this one: `crosshead/onnxruntime` and so on. Nothing of the library is in them but types. */
const adapters = Object.fromEntries(
  ['onnxruntime', 'transformers', 'tfjs', 'jax'].map((name) => [name, `src/interop/${name}.ts`]),
);

// `vite` serves the page; `vite build` writes the library, `vite build --mode adapters` more files beside it; `vite build --mode page` writes
// the page.
export default defineConfig(({ mode }) => ({
  base: './',
  // Of the page and what it measures, so that nothing is found later, for which the page would be loaded anew in the midst of a run.
  // onnxruntime-web finds its wasm files beside its own.
  optimizeDeps: { entries: ['index.html', 'bench/speed/peers/*.ts'], exclude: ['onnxruntime-web'] },
  plugins: [wgsl(), peers(), sideBySide('index.js', ['shaders', 'cpu', 'operations'])],
  build:
    mode === 'page'
      ? { target: 'es2022', outDir: 'dist-page' }
      : {
          target: 'es2022',
          sourcemap: true,
          minify: false,
          copyPublicDir: false,
          emptyOutDir: mode !== 'adapters',
          lib: { entry: mode === 'adapters' ? adapters : 'src/index.ts', formats: ['es'] as const },
          rollupOptions: { output: mode === 'adapters' ? { entryFileNames: '[name].js' } : library },
        },
}));
