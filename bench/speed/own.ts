// The contenders that need nothing installed: crosshead on both backends, a copy on its device, and a loop as a page writes it.
import { type Context, createContext } from '../../src/index.ts';
import type { Opened, Openers } from './contender.ts';
import { copyCase } from './copy.ts';
import { crossheadCase } from './crosshead.ts';
import { plainCase } from './plain.ts';

/** One device for the whole run; null once it is closed. */
let shared: Promise<Context> | null = null;

export function sharedContext(): Promise<Context> {
  shared ??= createContext({ backend: 'webgpu', powerPreference: 'high-performance' });
  return shared;
}

/** A device of its own for the next run. */
export async function closeShared(): Promise<void> {
  const context = await shared?.catch(() => null);
  shared = null;
  context?.dispose();
}

async function openCrosshead(backend: 'webgpu' | 'cpu'): Promise<Opened> {
  const device = backend === 'webgpu' ? (await sharedContext()).device! : undefined;
  // A context for each case, so that its memory is the case's alone.
  return { prepare: async (one, inputs) => crossheadCase(await createContext({ backend, device }), one, inputs) };
}

export const own: Openers = {
  'crosshead-webgpu': () => openCrosshead('webgpu'),
  'crosshead-cpu': () => openCrosshead('cpu'),
  copy: async () => {
    const context = await sharedContext();
    return { prepare: (one) => copyCase(context, one) };
  },
  plain: async () => ({ prepare: async (one, inputs) => plainCase(one, inputs) }),
};
