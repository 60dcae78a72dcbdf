// What is set, as it stands in the address: `#train?epochs=…&batch=…&optimizer=…&rate=…&backend=…`. What is left out has its default.
import type { BackendName } from '../contexts.ts';

export const optimizers = ['adamW', 'adam', 'sgd'] as const;
export const batchSizes = [8, 16, 32, 64, 128, 256] as const;
export const mostEpochs = 1000;

export interface Settings {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: (typeof optimizers)[number];
  readonly rate: number;
  readonly backend: BackendName;
}

/** @param backend what is chosen where the address says nothing */
export const defaultsOn = (backend: BackendName): Settings => ({
  epochs: 10,
  batch: 32,
  optimizer: 'adamW',
  rate: 0.1,
  backend,
});

export function readSettings(address: URLSearchParams, defaults: Settings): Settings {
  const from = <T>(name: keyof Settings, known: readonly T[], fallback: T) =>
    known.find((value) => String(value) === address.get(name)) ?? fallback;
  const number = (name: keyof Settings, fits: (value: number) => boolean, fallback: number) => {
    const value = Number(address.get(name) ?? Number.NaN);
    return fits(value) ? value : fallback;
  };
  return {
    epochs: number('epochs', (v) => Number.isInteger(v) && v >= 1 && v <= mostEpochs, defaults.epochs),
    batch: from('batch', batchSizes, defaults.batch),
    optimizer: from('optimizer', optimizers, defaults.optimizer),
    rate: number('rate', (v) => v > 0 && v <= 10, defaults.rate),
    backend: from<BackendName>('backend', ['webgpu', 'cpu'], defaults.backend),
  };
}

/** Empty where all is as by default. */
export function writeSettings(settings: Settings, defaults: Settings): string {
  const names = Object.keys(defaults) as (keyof Settings)[];
  const set = names.filter((name) => settings[name] !== defaults[name]);
  return new URLSearchParams(set.map((name) => [name, String(settings[name])])).toString();
}
