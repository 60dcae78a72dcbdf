// A reliability diagram: for each range of scores, the share of answers that are right. Honest scores lie on the diagonal.
import type { Evaluation } from '../../src/index.ts';
import { make } from '../dom.ts';
import { percent } from '../scores.ts';
import { makeSvg } from '../svg.ts';

const size = 260;
const margin = { left: 42, bottom: 40, top: 10, right: 10 };
const side = size - margin.left - margin.right;
const height = margin.top + side + margin.bottom;
const x = (share: number) => margin.left + share * side;
const y = (share: number) => margin.top + (1 - share) * side;

export function makeReliability(title: string, detail: string, evaluation: Evaluation): HTMLElement {
  const { bins, expectedCalibrationError: error } = evaluation;
  const most = Math.max(...bins.map(({ count }) => count));
  const svg = makeSvg(
    'svg',
    { role: 'img', viewBox: `0 0 ${size} ${height}`, 'aria-label': describe(title, evaluation) },
    ...[0, 0.5, 1].flatMap((tick) => [
      makeSvg('line', { class: 'grid', x1: x(0), x2: x(1), y1: y(tick), y2: y(tick) }),
      makeSvg('text', { x: x(0) - 7, y: y(tick) + 4, 'text-anchor': 'end' }, `${100 * tick}`),
      makeSvg('text', { x: x(tick), y: y(0) + 16, 'text-anchor': 'middle' }, `${100 * tick}`),
    ]),
    makeSvg('line', { class: 'honest', x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
    makeSvg('text', { x: x(0.5), y: y(0) + 34, 'text-anchor': 'middle' }, 'score, %'),
    makeSvg('text', { transform: `translate(11 ${y(0.5)}) rotate(-90)`, 'text-anchor': 'middle' }, 'right answers, %'),
    ...bins
      .filter(({ count }) => count)
      .flatMap(({ count, accuracy, confidence }) => [
        makeSvg('line', { class: 'gap', x1: x(confidence), x2: x(confidence), y1: y(confidence), y2: y(accuracy) }),
        makeSvg('circle', {
          class: 'bin',
          cx: x(confidence),
          cy: y(accuracy),
          r: Math.max(4, 13 * Math.sqrt(count / most)),
        }),
      ]),
  );
  const caption = make('figcaption', '', make('strong', '', title), make('span', 'quiet', detail));
  const figures = make('p', 'reliability-error', make('b', '', percent(error)), ' off on average');
  return make('figure', 'reliability', caption, svg, figures);
}

function describe(title: string, { bins, expectedCalibrationError }: Evaluation): string {
  const filled = bins.filter(({ count }) => count);
  const words = filled.map(
    ({ from, to, count, accuracy }) =>
      `of ${count} answers scored ${Math.round(100 * from)} to ${Math.round(100 * to)} %, ${percent(accuracy)} are right`,
  );
  return `${title}: ${words.join('; ')}. Expected calibration error ${percent(expectedCalibrationError)}.`;
}
