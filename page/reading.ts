// The card on which a digit is drawn and read: the pad, what the head sees of it, the answer and ten bars.
import { classes } from './digits.ts';
import { byId, keepFocus, say, speaker } from './dom.ts';
import { makeDrawingPad } from './drawing-pad.ts';
import { latest } from './latest.ts';
import { drawPicture } from './picture.ts';
import { featuresOf } from './preprocess.ts';
import { makeScoreBars } from './score-bars.ts';
import { bestOf, percent } from './scores.ts';

/** A digit of the data set. */
export interface Known {
  readonly pixels: Float32Array;
  /** "test digit 3" */
  readonly name: string;
  readonly truth: number;
}

type Subject = { kind: 'nothing' } | { kind: 'drawing'; pixels: Float32Array } | ({ kind: 'test' } & Known);

export interface Reading {
  pick(digit: Known): void;
  /** Reads what is on show once more. */
  again(): void;
}

export interface ReadingOptions {
  /** Before each id of the card; the first card of the page has none. */
  prefix?: string;
  /** The ten scores of 64 pixels; null where there is nobody to ask. */
  scores(pixels: Float32Array): Promise<Float32Array | null>;
  /** Called when the drawing changes. */
  drawn?(): void;
  failed(error: unknown): void;
}

/** A copy of the first card, whose ids begin with the prefix. */
export function copyReading(prefix: string): HTMLElement {
  const copy = byId('reading').cloneNode(true) as HTMLElement;
  for (const element of [copy, ...copy.querySelectorAll<HTMLElement>('*')]) {
    for (const name of ['id', 'aria-describedby', 'aria-labelledby']) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, prefix + value);
    }
  }
  return copy;
}

export function makeReading({ prefix = '', scores: ask, drawn, failed }: ReadingOptions): Reading {
  const part = <E extends HTMLElement = HTMLElement>(id: string) => byId<E>(prefix + id);
  const picture = part<HTMLCanvasElement>('picture');
  const bars = makeScoreBars(
    part('bars'),
    Array.from({ length: classes }, (_, digit) => String(digit)),
  );
  let subject: Subject = { kind: 'nothing' };
  const speak = speaker(part('spoken'));
  const showAnswer = (scores: Float32Array | null, truth: number | undefined) => {
    const best = scores ? bestOf(scores) : -1;
    const verdict = truth === undefined ? '' : truth === best ? ', which is right' : `, but it is a ${truth}`;
    const detail = scores ? `score ${percent(scores[best])}${verdict}` : 'No digit yet';
    part('answer').textContent = scores ? String(best) : '–';
    part('answer-detail').textContent = detail;
    picture.setAttribute('aria-label', scores ? `8 by 8 pixels, read as ${best}` : 'Nothing yet');
    speak(scores ? `Read as ${best}, ${detail}` : '');
  };
  const pixelsNow = () => (subject.kind === 'nothing' ? null : subject.pixels);
  const read = latest(async (pixels: Float32Array | null) => {
    const scores = pixels && (await ask(pixels));
    bars.show(scores);
    showAnswer(scores, subject.kind === 'test' ? subject.truth : undefined);
  });
  const show = (next: Subject) => {
    subject = next;
    part('reading').dataset.subject = next.kind;
    drawPicture(picture, pixelsNow());
    part('picture-source').textContent = describe(next);
    read(pixelsNow()).catch(failed);
  };
  const showTools = (any: boolean) => {
    const [undo, clear] = [part<HTMLButtonElement>('undo'), part<HTMLButtonElement>('clear')];
    const change = () => {
      undo.disabled = clear.disabled = !any;
    };
    keepFocus(change, undo, clear, part('pad'));
    say(part('pad-hint'), any ? '' : 'Draw a digit here');
  };

  const drawing = makeDrawingPad(part('pad'), () => {
    const pixels = featuresOf(drawing.strokes);
    showTools(pixels !== null);
    drawn?.();
    show(pixels ? { kind: 'drawing', pixels } : { kind: 'nothing' });
  });
  part('undo').addEventListener('click', drawing.undo);
  part('clear').addEventListener('click', drawing.clear);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawPicture(picture, pixelsNow()));
  showTools(false);
  show(subject);
  return { pick: (digit) => show({ kind: 'test', ...digit }), again: () => show(subject) };
}

function describe(subject: Subject): string {
  if (subject.kind === 'nothing') return '8 × 8, empty yet';
  if (subject.kind === 'drawing') return 'your drawing in 8 × 8';
  return `${subject.name}, a ${subject.truth}`;
}
