// How much is fuzzed, from which seed, and how a failure is run again. `npm run fuzz` sets the variables; without them it is what CI runs.
import fc from 'fast-check';

const {
  VITE_FUZZ_SEED: seedGiven,
  VITE_FUZZ_TIMES: timesGiven,
  VITE_FUZZ_INPUT: inputGiven,
} = import.meta.env as Record<string, string | undefined>;

export const seed: number = Number(seedGiven ?? 2026);

/** Calls of the library so far. */
export const counted = { calls: 0 };

/** Faults that are one: of the same words, whatever the numbers in them. */
const kindOf = (message: string) => message.replace(/-?\d[\d.e+-]*|NaN|Infinity/g, '#');
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const again = (name: string, input: unknown) =>
  `npm run fuzz -- --only '${name}' --input '${JSON.stringify(input).replaceAll("'", "'\\''")}'`;

/**
 * Holds a property for so many random inputs, which JSON must be able to say. In CI the first failure ends it, and is made small; a longer
 * run goes on, and tells one failure of each kind at its end.
 */
export async function holds<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  property: (input: T) => Promise<void> | void,
  runs: number,
): Promise<void> {
  if (inputGiven !== undefined) return property(JSON.parse(inputGiven));
  const found = new Map<string, string>();
  const checked = async (input: T) => {
    try {
      await property(input);
    } catch (error) {
      if (timesGiven === undefined) throw error;
      const message = messageOf(error);
      if (!found.has(kindOf(message))) found.set(kindOf(message), `${message}\n  again: ${again(name, input)}`);
    }
  };
  const result = await fc.check(fc.asyncProperty(inputs, checked), {
    seed,
    numRuns: Math.ceil(runs * Number(timesGiven ?? 1)),
  });
  if (result.failed) {
    const cause = result.errorInstance;
    throw new Error(`seed ${seed}: ${messageOf(cause)}\n  again: ${again(name, result.counterexample?.[0])}`, {
      cause,
    });
  }
  if (found.size > 0)
    throw new Error(`seed ${seed}: ${found.size} kinds of failure\n${[...found.values()].join('\n')}`);
}

/** Numbers in a range that tell their reason: an edge of some regime, or between two. */
export const lengths: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300) },
);
