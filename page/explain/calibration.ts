// The third card: a head that is too sure of itself, at a temperature.
import { ClassificationHead, createContext, type Evaluation } from '../../src/index.ts';
import { byId, make, speaker } from '../dom.ts';
import { latest } from '../latest.ts';
import { makePlot, shape } from './figure.ts';

const [classes, count, tooSure] = [3, 600, 3];

/** Rows whose classes are drawn from the softmax of their logits, which are then told three times too large. Always the same. */
export function makeExamples(): { features: number[][]; targets: number[] } {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  const [features, targets]: [number[][], number[]] = [[], []];
  for (let row = 0; row < count; row++) {
    const logits = Array.from({ length: classes }, () => 1.5 * normal());
    const weights = logits.map(Math.exp);
    const sums = weights.map((_, c) => weights.slice(0, c + 1).reduce((a, b) => a + b));
    const drawn = next() * sums[classes - 1];
    targets.push(sums.findIndex((sum) => drawn <= sum));
    features.push(logits.map((x) => tooSure * x));
  }
  return { features, targets };
}

export async function makeCalibration(): Promise<void> {
  const context = await createContext({ backend: 'cpu' });
  const weight = Array.from({ length: classes }, (_, c) => Array.from({ length: classes }, (_, d) => Number(c === d)));
  const head = ClassificationHead.fromWeights(context, { weight });
  const { features, targets } = makeExamples();
  const slider = byId<HTMLInputElement>('explain-head-temperature');
  const speak = speaker(byId('explain-calibration-said'));

  const show = latest(async (temperature: number) => {
    head.temperature = temperature;
    const evaluation = await head.evaluate(features, targets, { topK: 1 });
    draw(temperature, evaluation);
    speak(`Temperature ${temperature.toFixed(2)}: calibration error ${percent(evaluation.expectedCalibrationError)}`);
  });
  slider.addEventListener('input', () => show(slider.valueAsNumber));
  byId('explain-calibrate').addEventListener('click', async () => {
    const { temperature } = await head.calibrate(features, targets);
    slider.value = String(temperature);
    await show(temperature);
  });
  await show(slider.valueAsNumber);
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function draw(temperature: number, { accuracy, loss, expectedCalibrationError, bins }: Evaluation): void {
  byId('explain-head-temperature-value').textContent = temperature.toFixed(2);
  const scored = bins.reduce((sum, bin) => sum + bin.count * bin.confidence, 0) / count;
  const facts = [
    ['Right answers', percent(accuracy)],
    ['Mean score', percent(scored)],
    ['Calibration error (ECE)', percent(expectedCalibrationError)],
    ['Loss', loss.toFixed(4)],
  ];
  byId('explain-calibration-facts').replaceChildren(
    ...facts.flatMap(([term, value]) => [make('dt', '', term), make('dd', '', value)]),
  );
  const label = `Share of right answers by score; calibration error ${percent(expectedCalibrationError)}`;
  const quarters = [0, 0.25, 0.5, 0.75, 1];
  const { svg, at, line } = makePlot(label, [1, 1], [quarters, quarters], ['score', 'share right']);
  for (const { from, to, count: rows, accuracy: right } of bins) {
    if (rows === 0) continue;
    const [x, y] = at(from, right);
    const [end, floor] = at(to, 0);
    const title = shape(
      'title',
      {},
      `${rows} answers with a score of ${from.toFixed(2)} to ${to.toFixed(2)}: ${percent(right)} right`,
    );
    svg.append(shape('rect', { x: x + 1, y, width: end - x - 2, height: floor - y, class: 'share' }, title));
  }
  svg.append(line([0, 0], [1, 1], 'honest'));
  byId('explain-bins').replaceChildren(svg);
}
