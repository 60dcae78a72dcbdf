// What the figures were measured on.
import type { Environment } from '../../bench/speed/types.ts';
import { byId, make } from '../dom.ts';

export function showDevice({ runtime, adapter, software, cores, versions }: Environment): void {
  const facts: [string, string][] = [
    ['Browser', runtime],
    ['WebGPU adapter', adapter ? `${adapter}${software ? ', in software' : ''}` : 'none'],
    ['CPU', `${cores} cores for this page`],
    ['Threads of wasm', crossOriginIsolated ? 'many' : 'one: the page is not cross-origin isolated'],
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
  ];
  const pairs = facts
    .filter(([, value]) => value)
    .flatMap(([name, value]) => [make('dt', '', name), make('dd', '', value)]);
  byId('bench-device').replaceChildren(...pairs);
  byId('bench-software').hidden = !software;
}
