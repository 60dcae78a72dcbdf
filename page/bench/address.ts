// What is chosen, as it stands in the address: `#benchmark?cases=…&contenders=…&budget=…`. What is left out has its default.
import type { ScaleName, TimeName } from './words.ts';

export interface Choice {
  readonly cases: readonly string[];
  readonly contenders: readonly string[];
  /** Milliseconds of timing a case and contender. */
  readonly budget: number;
  readonly time: TimeName;
  readonly scale: ScaleName;
}

/** What there is to choose from, and what is chosen where the address says nothing. */
export interface Known {
  readonly cases: readonly string[];
  readonly contenders: readonly string[];
  readonly defaults: Choice;
}

export const leastBudget = 20;
export const mostBudget = 60_000;

export function readChoice(settings: URLSearchParams, { cases, contenders, defaults }: Known): Choice {
  const list = (name: 'cases' | 'contenders', all: readonly string[]) => {
    const value = settings.get(name);
    return value === null ? defaults[name] : value === 'all' ? all : value.split(',').filter((id) => all.includes(id));
  };
  const budget = Number(settings.get('budget'));
  return {
    cases: list('cases', cases),
    contenders: list('contenders', contenders),
    budget: budget >= leastBudget && budget <= mostBudget ? budget : defaults.budget,
    time: settings.get('time') === 'endToEnd' ? 'endToEnd' : 'resident',
    scale: settings.get('scale') === 'linear' ? 'linear' : 'log',
  };
}

/** Empty where all is as by default. */
export function writeChoice(choice: Choice, { cases, contenders, defaults }: Known): string {
  const settings = new URLSearchParams();
  const write = (name: keyof Choice, value: string, all?: string) => {
    if (value !== String(defaults[name])) settings.set(name, value === all ? 'all' : value);
  };
  write('cases', String(choice.cases), String(cases));
  write('contenders', String(choice.contenders), String(contenders));
  write('budget', String(choice.budget));
  write('time', choice.time);
  write('scale', choice.scale);
  return settings.toString().replaceAll('%2C', ',');
}
