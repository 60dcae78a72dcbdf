// Runs the benchmark in Node on Dawn. With no import of what builds or serves, so that it fits in one file.
import os from 'node:os';
import { create, globals } from 'webgpu';
import { own } from './own.ts';
import { runBenchmark } from './run.ts';
import type { BenchEvent, Settings } from './types.ts';

/** Gives Node a navigator.gpu. It holds Dawn's instance, which once took the process with it when it was collected. */
function startDawn(): void {
  if (globalThis.navigator?.gpu) return;
  Object.assign(globalThis, globals);
  const gpu = create([]);
  if (globalThis.navigator) Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu });
  else Object.defineProperty(globalThis, 'navigator', { value: { gpu } });
}

export async function runInNode(settings: Settings, tell: (event: BenchEvent) => void): Promise<void> {
  startDawn();
  const contenders = Object.keys(own).filter((id) => settings.contenders?.includes(id) ?? true);
  for await (const event of runBenchmark({ ...settings, contenders })) {
    if (event.type !== 'start') tell(event);
    else {
      const cores = os.cpus();
      const runtime = `Node ${process.version} on ${cores[0].model.trim()}`;
      tell({ ...event, environment: { ...event.environment, runtime, cores: cores.length } });
    }
  }
}
