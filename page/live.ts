// The live head: a person draws, or picks a digit of the test part; the head reads it, on the backend of their choice.
import { DeviceLostError } from '../src/index.ts';
import { makeBackends } from './backends.ts';
import { featuresAt, loadDigits } from './digits.ts';
import { byId, say, sentence } from './dom.ts';
import type { Reader } from './reader.ts';
import { makeReading } from './reading.ts';
import { answersOf, percent } from './scores.ts';
import { makeTestTiles } from './test-tiles.ts';
import type { View } from './views.ts';

const complain = (message: string) => say(byId('problem'), message);

export function open(): View {
  start().catch((error) => complain(`The page could not start: ${error.message}`));
  return {};
}

async function start(): Promise<void> {
  let reader: Reader | undefined;
  const { test } = await loadDigits();
  const reading = makeReading({
    scores: async (pixels) => reader?.scores(pixels) ?? null,
    drawn: () => tiles.choose(null),
    // Of a lost device the backends tell, and the digit is read again by the next reader.
    failed(error) {
      if (!(error instanceof DeviceLostError)) complain(sentence(error));
    },
  });
  const tiles = makeTestTiles(test, (index) =>
    reading.pick({ pixels: featuresAt(test, index), name: `test digit ${index + 1}`, truth: test.labels[index] }),
  );
  await makeBackends(test, (next, scores) => {
    reader = next;
    const answers = answersOf(scores);
    tiles.answers(answers);
    showAccuracy(answers, test.labels);
    reading.again();
  });
}

function showAccuracy(answers: Uint8Array, labels: Uint8Array): void {
  const right = answers.filter((answer, row) => answer === labels[row]).length;
  byId('accuracy').textContent =
    `${right} of ${labels.length} read right: ${percent(right / labels.length)}, on three writers’ sheets that were kept out of its training.`;
}
