// One context a backend, shared by the views, and a new one where that was lost.
import { type Context, createContext } from '../src/index.ts';

export type BackendName = 'webgpu' | 'cpu';

export const backendNames: Record<BackendName, string> = { webgpu: 'WebGPU', cpu: 'the CPU' };

const contexts = new Map<'auto' | BackendName, Promise<Context>>();

/** @throws (rejects with) WebGPUUnavailableError, and tries again when asked again */
export function contextOf(backend: 'auto' | BackendName): Promise<Context> {
  const known = contexts.get(backend);
  if (known) return known;
  const made = createContext({ backend, label: 'page' });
  const forget = () => {
    for (const [name, one] of contexts) if (one === made) contexts.delete(name);
  };
  contexts.set(backend, made);
  made.then((context) => {
    if (!contexts.has(context.backend)) contexts.set(context.backend, made);
    void context.lost.then(forget);
  }, forget);
  return made;
}

/** The adapter in words; empty on the CPU. */
export function describeAdapter(info: GPUAdapterInfo | null): string {
  if (!info) return '';
  const words = [info.description || info.device, info.vendor, info.architecture].filter(Boolean);
  const known = (word: string, before: string[]) =>
    before.some((other) => other.toLowerCase().includes(word.toLowerCase()));
  return words.filter((word, i) => !known(word, words.slice(0, i))).join(', ');
}

/** A sentence for those whose browser has no WebGPU; empty where there is some adapter, be it a software one. */
export async function whyNoWebGPU(): Promise<string> {
  const anyway = 'All of this page runs on the CPU all the same, with the same answers.';
  if (!isSecureContext) return `No WebGPU here: browsers offer it on https and localhost only. ${anyway}`;
  if (!navigator.gpu) return `No WebGPU here: this browser does not offer it. ${anyway}`;
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? '' : `No WebGPU here: the browser knows it, but finds no graphics adapter for it. ${anyway}`;
}
