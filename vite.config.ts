import { defineConfig } from 'vite';
import { wgsl } from './scripts/wgsl.ts';

// `vite` serves the page; `vite build` writes the library; `vite build --mode page` writes the page.
export default defineConfig(({ mode }) => ({
  base: './',
  optimizeDeps: { entries: ['index.html'] }, // examples/ have their own
  plugins: [wgsl()],
  build:
    mode === 'page'
      ? { target: 'es2022', outDir: 'dist-page' }
      : {
          target: 'es2022',
          sourcemap: true,
          minify: false,
          copyPublicDir: false,
          lib: { entry: 'src/index.ts', formats: ['es'] as const, fileName: 'index' },
          rollupOptions: { output: { chunkFileNames: '[name].js' } },
        },
}));
