// Who is measured: crosshead on both of its backends, and what a page could use in its place. A library is imported when it
// is first run, so that one that is not installed fails alone.

/** Logits [rows, classes] and a target a row in; the loss of each row, d loss / d logits and the probabilities out, as float32. */
export type Run = (
  logits: Float32Array,
  shape: [rows: number, classes: number],
  targets: Int32Array,
) => Promise<Answers>;

export interface Answers {
  loss: Float32Array;
  gradient: Float32Array;
  softmax: Float32Array;
}

export interface Contender {
  name: string;
  run: Run;
}

/** A library that is not installed, or does not start here. */
export class NotRun extends Error {}

function contender(name: string, open: () => Promise<Run>): Contender {
  let opened: Promise<Run> | undefined;
  return {
    name,
    run: async (...inputs) => {
      opened ??= open().catch((error) => {
        throw new NotRun(error instanceof Error ? error.message : String(error));
      });
      return (await opened)(...inputs);
    },
  };
}

export const contenders: Contender[] = [
  contender('crosshead, CPU', async () => (await import('./crosshead.ts')).open('cpu')),
  contender('crosshead, WebGPU', async () => (await import('./crosshead.ts')).open('webgpu')),
  contender('tfjs, WebGPU', async () => (await import('./tfjs.ts')).open('webgpu')),
  contender('tfjs, wasm', async () => (await import('./tfjs.ts')).open('wasm')),
  contender('onnxruntime-web, WebGPU', async () => (await import('./onnxruntime.ts')).open('webgpu')),
  contender('onnxruntime-web, wasm', async () => (await import('./onnxruntime.ts')).open('wasm')),
  contender('PyTorch, CPU', async () => (await import('./pytorch.ts')).open()),
];
