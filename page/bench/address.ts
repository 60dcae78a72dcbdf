// What is chosen, as it stands in the address: `#benchmark?cases=…&contenders=…&budget=…`. What is left out has its default.
import type { ScaleName, TimeName } from './words.ts';

export interface Choice {
  /** Ids; undefined for the default. */
  readonly cases?: readonly string[];
  readonly contenders?: readonly string[];
  /** Milliseconds of timing a case and contender. */
  readonly budget: number;
  readonly time: TimeName;
  readonly scale: ScaleName;
}

export const defaults: Choice = { budget: 300, time: 'resident', scale: 'log' };

export function readChoice(settings: URLSearchParams): Choice {
  const list = (name: string) => settings.get(name)?.split(',').filter(Boolean);
  const budget = Number(settings.get('budget'));
  return {
    cases: list('cases'),
    contenders: list('contenders'),
    budget: budget >= 20 && budget <= 60_000 ? budget : defaults.budget,
    time: settings.get('time') === 'endToEnd' ? 'endToEnd' : defaults.time,
    scale: settings.get('scale') === 'linear' ? 'linear' : defaults.scale,
  };
}

export function writeChoice({ cases, contenders, budget, time, scale }: Choice): string {
  const settings = new URLSearchParams();
  if (cases) settings.set('cases', cases.join(','));
  if (contenders) settings.set('contenders', contenders.join(','));
  if (budget !== defaults.budget) settings.set('budget', String(budget));
  if (time !== defaults.time) settings.set('time', time);
  if (scale !== defaults.scale) settings.set('scale', scale);
  return settings.toString().replaceAll('%2C', ',');
}
