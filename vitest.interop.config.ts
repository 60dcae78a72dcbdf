import { defineConfig } from 'vitest/config';

// `npm run test:interop`: what needs the libraries of bench/ and examples/transformers/ installed.
export default defineConfig({
  test: { include: ['test/interop/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
