// The digits as a head takes them: features and targets of each part.
import { classes, type Digits, loadDigits, type Part, pixels } from '../digits.ts';
import { depth, extract } from '../features.ts';
import { pause } from '../pause.ts';

export interface Examples {
  readonly features: Float32Array; // [count, depth]
  readonly targets: number[];
}

export interface Parts {
  readonly digits: Digits;
  readonly training: Examples;
  readonly validation: Examples;
  readonly test: Examples;
}

export const headSize = classes * (depth + 1);

/** Digits whose features are made in one go: a few milliseconds' work. */
const some = 32;

export async function loadParts(): Promise<Parts> {
  const digits = await loadDigits();
  return {
    digits,
    training: await examplesOf(digits.training),
    validation: await examplesOf(digits.validation),
    test: await examplesOf(digits.test),
  };
}

async function examplesOf(part: Part): Promise<Examples> {
  const features = new Float32Array(part.count * depth);
  for (let first = 0; first < part.count; first += some) {
    features.set(extract(part.features.subarray(first * pixels, (first + some) * pixels)), first * depth);
    await pause();
  }
  return { features, targets: [...part.labels] };
}
