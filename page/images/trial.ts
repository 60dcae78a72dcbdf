// A picture before the head: what it is, or that it is unknown, and the scores of the classes.
import type { Rejection } from '../../src/index.ts';
import { byId, say, sentence, speaker } from '../dom.ts';
import type { LastingHead } from '../lasting-head.ts';
import { latest } from '../latest.ts';
import { makeScoreBars, type ScoreBars } from '../score-bars.ts';
import { percent } from '../scores.ts';
import { type Picture, pictureOf } from './pictures.ts';

export interface Trial {
  /** Another head, which reads the picture on show. */
  head(head: LastingHead): void;
  /** @param draw fills the canvas, however large it is */
  picture(draw: (canvas: HTMLCanvasElement) => void): Promise<void>;
  /** Reads the picture on show once more. */
  again(): Promise<void>;
}

/** A head may have more classes than a page has room for. */
const mostBars = 12;

export function makeTrial(failed: (message: string) => void): Trial {
  const canvas = byId<HTMLCanvasElement>('images-picture');
  let head: LastingHead | undefined;
  let bars: ScoreBars | undefined;
  let subject: Picture | undefined;
  const speak = speaker(byId('images-spoken'));

  const read = latest(async () => {
    if (!head || !subject) return;
    const { features } = subject;
    const now = head.head;
    const [kept] = await now.predict(features, { topK: 1 });
    const count = now.labels.length;
    const [all] = await now.predict(features, { topK: count, rejectBelow: null });
    const scores = new Float32Array(Math.min(count, mostBars));
    for (const { index, score } of all) if (index < scores.length) scores[index] = score;
    show({ best: all[0], known: kept.length > 0, scores, rejection: now.rejection });
  });
  const show = ({ best, known, scores, rejection }: Answer) => {
    bars?.show(scores, known);
    byId('images-try').dataset.answer = known ? 'known' : 'unknown';
    const label = known ? best.label : 'unknown';
    const detail = known ? `score ${percent(best.score)}` : unsure(best, rejection);
    byId('images-answer').textContent = label;
    byId('images-answer-detail').textContent = detail;
    canvas.setAttribute('aria-label', `A picture, read as ${label}`);
    speak(`${label}, ${detail}`);
  };
  const again = () => read(undefined).catch((error) => failed(sentence(error)));
  return {
    head(next) {
      head = next;
      bars = makeScoreBars(byId('images-bars'), next.head.labels.slice(0, mostBars));
      void again();
    },
    picture(draw) {
      draw(canvas);
      subject = pictureOf(draw);
      say(byId('images-look-hint'), '');
      if (!head) byId('images-answer-detail').textContent = 'No head yet';
      return again();
    },
    again,
  };
}

interface Answer {
  readonly best: { readonly label: string; readonly score: number };
  readonly known: boolean;
  readonly scores: Float32Array;
  readonly rejection: Rejection | null;
}

function unsure({ label, score }: Answer['best'], rejection: Rejection | null): string {
  const asked = rejection?.score === 'probability' ? `, below the ${percent(rejection.below)} that it asks for` : '';
  return `none of its classes; the nearest is ${label}, ${percent(score)}${asked}`;
}
