// Gives Node a navigator.gpu: Dawn, on the SwiftShader that vitest.config.ts points at, or on the machine's own GPU.
if (!globalThis.navigator?.gpu) {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]); // kept on navigator: collected, it once took the process with it
  if (globalThis.navigator) Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  else Object.defineProperty(globalThis, 'navigator', { value: { gpu, hardwareConcurrency: 1 }, configurable: true });
}

export {};
