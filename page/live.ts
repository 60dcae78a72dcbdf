// The live head: a person draws, or picks a digit of the test part; the head reads it, on the backend of their choice.
import { type Backends, makeBackends } from './backends.ts';
import { featuresAt, loadDigits } from './digits.ts';
import { byId, say } from './dom.ts';
import { makeDrawingPad } from './drawing-pad.ts';
import { latest } from './latest.ts';
import { drawPicture } from './picture.ts';
import { featuresOf } from './preprocess.ts';
import { makeScoreBars } from './score-bars.ts';
import { answersOf, bestOf, percent } from './scores.ts';
import { makeTestTiles } from './test-tiles.ts';
import type { View } from './views.ts';

type Subject = { kind: 'nothing' } | { kind: 'drawing'; features: Float32Array } | { kind: 'test'; index: number };

const picture = byId<HTMLCanvasElement>('picture');
const bars = makeScoreBars(byId('bars'));
let subject: Subject = { kind: 'nothing' };
let speaking: ReturnType<typeof setTimeout> | undefined;

export function open(): View {
  start().catch((error) => say(byId('problem'), `The page could not start: ${error.message}`));
  return {};
}

async function start(): Promise<void> {
  let backends: Backends | undefined;
  const { test } = await loadDigits();
  const featuresNow = () =>
    subject.kind === 'test' ? featuresAt(test, subject.index) : subject.kind === 'drawing' ? subject.features : null;

  const read = latest(async (features: Float32Array | null) => {
    const scores = features && backends?.reader ? await backends.reader.scores(features) : null;
    bars.show(scores);
    showAnswer(scores, subject.kind === 'test' ? test.labels[subject.index] : undefined);
  });
  const show = (next: Subject) => {
    subject = next;
    byId('reading').dataset.subject = next.kind;
    const features = featuresNow();
    drawPicture(picture, features);
    byId('picture-source').textContent = describe(next, test.labels);
    read(features).catch((error) => say(byId('problem'), error.message));
  };

  const tiles = makeTestTiles(test, (index) => show({ kind: 'test', index }));
  const drawing = makeDrawingPad(byId('pad'), () => {
    const features = featuresOf(drawing.strokes);
    showTools(features !== null);
    tiles.choose(null);
    show(features ? { kind: 'drawing', features } : { kind: 'nothing' });
  });
  byId('undo').addEventListener('click', drawing.undo);
  byId('clear').addEventListener('click', drawing.clear);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawPicture(picture, featuresNow()));

  backends = await makeBackends(test, (_, scores) => {
    const answers = answersOf(scores);
    tiles.answers(answers);
    showAccuracy(answers, test.labels);
    show(subject);
  });
}

function showTools(drawn: boolean): void {
  byId<HTMLButtonElement>('undo').disabled = !drawn;
  byId<HTMLButtonElement>('clear').disabled = !drawn;
  byId('pad-hint').hidden = drawn;
}

function describe(subject: Subject, labels: Uint8Array): string {
  if (subject.kind === 'nothing') return '8 × 8, empty yet';
  if (subject.kind === 'drawing') return 'your drawing in 8 × 8';
  return `test digit ${subject.index + 1}, a ${labels[subject.index]}`;
}

/** @param truth the digit that it is, where that is known */
function showAnswer(scores: Float32Array | null, truth: number | undefined): void {
  const best = scores ? bestOf(scores) : -1;
  const verdict = truth === undefined ? '' : truth === best ? ', which is right' : `, but it is a ${truth}`;
  const detail = scores ? `score ${percent(scores[best])}${verdict}` : 'No digit yet';
  byId('answer').textContent = scores ? String(best) : '–';
  byId('answer-detail').textContent = detail;
  picture.setAttribute('aria-label', scores ? `8 by 8 pixels, read as ${best}` : 'Nothing yet');
  speak(scores ? `Read as ${best}, ${detail}` : '');
}

/** Tells screen readers once the hand rests, and not at every point of a stroke. */
function speak(text: string): void {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    byId('spoken').textContent = text;
  }, 700);
}

function showAccuracy(answers: Uint8Array, labels: Uint8Array): void {
  const right = answers.filter((answer, row) => answer === labels[row]).length;
  byId('accuracy').textContent =
    `${right} of ${labels.length} read right: ${percent(right / labels.length)}, on three writers’ sheets that were kept out of its training.`;
}
