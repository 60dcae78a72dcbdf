// The head as a file, and as a few words.
import { ClassificationHead } from '../../src/index.ts';
import { contextOf } from '../contexts.ts';
import { LastingHead } from '../lasting-head.ts';
import { fileSize } from '../save-file.ts';
import { percent } from '../scores.ts';
import { depth } from './extractor.ts';
import type { Trained } from './training.ts';

const mostBytes = 100e6;

/** Says in its message which file it was and what is wrong with it; nothing of a file that is refused stays. */
export async function loadHead(file: File): Promise<LastingHead> {
  if (file.size > mostBytes)
    throw new Error(`“${file.name}” has ${fileSize(file.size)}, too much for a head of this page.`);
  const context = await contextOf('auto');
  const head = await ClassificationHead.load(context, file, { recover: true }).catch((error) => {
    throw new Error(`“${file.name}” was not loaded. ${error.name}: ${error.message}`, { cause: error });
  });
  const takes = head.weight.shape[1];
  const sound = (await head.weight.data()).every(Number.isFinite);
  if (takes === depth && sound) return LastingHead.of(head, context);
  head.dispose();
  const why = sound
    ? `its head takes ${takes} numbers a picture, this page makes ${depth}.`
    : 'its weights are not all numbers.';
  throw new Error(`“${file.name}” was not loaded: ${why}`);
}

export function describeHead({ head, file }: LastingHead, from: string): string {
  const { labels, temperature, rejection, context } = head;
  const short = (label: string) => (label.length > 40 ? `${label.slice(0, 40)}…` : label);
  const named = labels.slice(0, 8).map(short).join(', ') + (labels.length > 8 ? ` and ${labels.length - 8} more` : '');
  const unknown =
    rejection?.score === 'probability'
      ? `says “unknown” below ${percent(rejection.below)}`
      : rejection
        ? 'knows the unknown by its energy'
        : 'never says “unknown”';
  const where = context.backend === 'cpu' ? 'on the CPU' : 'on WebGPU';
  return `${from} Tells apart ${named}; ${unknown}; temperature ${temperature.toFixed(3)}; ${fileSize(file.size)}; runs ${where}.`;
}

export function describeTraining({ learntFrom, seconds, kept }: Trained): string {
  const worth = kept
    ? `${kept.right} of the ${kept.count} that were kept out are read right.`
    : 'None were kept out: with four pictures of each class, one of four would be, to measure it and to know the unknown.';
  return `Learnt from ${learntFrom} pictures in ${seconds.toFixed(2)} s. ${worth}`;
}
