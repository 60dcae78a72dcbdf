// Runs the benchmark in Node on Dawn. With no import of what builds or serves, so that it fits in one file.
import os from 'node:os';
import '../../test/support/dawn.ts';
import { own } from './own.ts';
import { runBenchmark } from './run.ts';
import type { BenchEvent, Settings } from './types.ts';

export async function runInNode(settings: Settings, tell: (event: BenchEvent) => void): Promise<void> {
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
