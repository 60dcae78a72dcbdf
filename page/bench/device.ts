// What the figures were measured on.
import type { Environment } from '../../bench/speed/types.ts';
import { byId, make } from '../dom.ts';
import { versions } from './peers.ts';

/** What is known before a run. */
export async function thisDevice(): Promise<Environment> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const { vendor, architecture, device, isFallbackAdapter } = adapter?.info ?? {};
  const name = [vendor, architecture || device].filter(Boolean).join(' ') || 'unnamed';
  return {
    date: new Date().toISOString().slice(0, 10),
    runtime: navigator.userAgent.match(/(?:Edg|Firefox|Chrome|Version)\/[\d.]+/)?.[0] ?? 'unknown',
    adapter: adapter ? name : null,
    software: isFallbackAdapter || /swiftshader|llvmpipe/i.test(name),
    cores: navigator.hardwareConcurrency,
    versions,
  };
}

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
