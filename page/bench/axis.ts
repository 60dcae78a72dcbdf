// The axis of a chart: a pure function of the times that it must hold.
import type { ScaleName } from './words.ts';

export interface Axis {
  /** Where a time lies, from 0 to 1. */
  at(ms: number): number;
  readonly ticks: readonly number[];
}

/** 1, 2 and 5 times the powers of ten, from `low` to `high`. */
function roundNumbers(low: number, high: number, leads: readonly number[]): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++)
    for (const lead of leads) {
      const value = Number(`${lead}e${power}`);
      if (value >= low && value <= high) found.push(value);
    }
  return found;
}

/** A log axis begins below half of the least time, so that the shortest bar still has a length. */
function logAxis(least: number, most: number): Axis {
  const low = roundNumbers(least / 20, least / 2, [1, 2, 5]).at(-1)!;
  const range = Math.log(most / low);
  const decades = roundNumbers(low, most, [1]);
  const step = Math.ceil(decades.length / 5);
  const ticks = decades.length > 1 ? decades.filter((_, i) => i % step === 0) : roundNumbers(low, most, [1, 2, 5]);
  return { at: (ms) => Math.max(0, Math.log(ms / low) / range), ticks };
}

function linearAxis(most: number): Axis {
  const step = roundNumbers(most / 40, most / 3, [1, 2, 5]).at(-1)!;
  return { at: (ms) => ms / most, ticks: Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step) };
}

/** @param times all above 0, and at least one */
export function axisOf(times: readonly number[], scale: ScaleName): Axis {
  const [least, most] = [Math.min(...times), Math.max(...times)];
  return scale === 'log' ? logAxis(least, most) : linearAxis(most);
}
