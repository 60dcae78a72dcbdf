// What a training came to: figures, confusion, classes, calibration, and a pad to draw on.
import type { Evaluation } from '../../src/index.ts';
import { figure } from '../bench/words.ts';
import { classes, featuresAt, type Part } from '../digits.ts';
import { byId, make, sentence } from '../dom.ts';
import { extract } from '../features.ts';
import { copyReading, makeReading } from '../reading.ts';
import { fileSize, saveFile } from '../save-file.ts';
import { percent, scoresOf } from '../scores.ts';
import { makeConfusion } from './confusion.ts';
import { headSize } from './parts.ts';
import { showPerClass } from './per-class.ts';
import { makeReliability } from './reliability.ts';
import type { Outcome } from './training.ts';

export interface Results {
  show(outcome: Outcome, epochs: number): void;
}

const prefix = 'train-';

export function makeResults(test: Part, failed: (message: string) => void): Results {
  let shown: Outcome | undefined;
  byId('train-reading-place').replaceWith(copyReading(prefix));
  const reading = makeReading({
    prefix,
    scores: async (pixels) => (shown ? scoresBy(shown, pixels) : null),
    failed: (error) => failed(sentence(error)),
  });
  const confusion = makeConfusion(test, (index) => {
    reading.pick({ pixels: featuresAt(test, index), name: `test digit ${index + 1}`, truth: test.labels[index] });
    byId(`${prefix}reading`).scrollIntoView({ block: 'nearest' });
  });
  byId('train-download').addEventListener('click', () => saveFile(shown!.head.file, 'digits-head.safetensors'));
  return {
    show(outcome, epochs) {
      const before = shown;
      shown = outcome;
      byId('train-results').hidden = false;
      showStats(outcome, epochs, test.count);
      confusion.show(outcome.after);
      showPerClass(byId('train-classes'), outcome.after.perClass);
      showCalibration(outcome);
      byId('train-download').textContent = `Download the head (${fileSize(outcome.head.file.size)})`;
      reading.again();
      before?.head.dispose();
    },
  };
}

async function scoresBy({ head: { head } }: Outcome, pixels: Float32Array): Promise<Float32Array> {
  return scoresOf(await head.predict(extract(pixels), { topK: classes }), classes);
}

const rightOf = ({ confusion }: Evaluation) => confusion.reduce((sum, row, c) => sum + row[c], 0);

function showStats({ seconds, after, head }: Outcome, epochs: number, rows: number): void {
  const stats: [string, string][] = [
    [percent(after.accuracy), `${rightOf(after)} of ${rows} strangers’ digits read right`],
    [`${figure(seconds)}\u00a0s`, `for ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`],
    [figure(epochs / seconds), `epochs a second on ${head.head.context.backend === 'cpu' ? 'the CPU' : 'WebGPU'}`],
    [headSize.toLocaleString('en'), 'numbers learnt'],
  ];
  byId('train-stats').replaceChildren(
    ...stats.map(([value, what]) => make('div', 'card stat', make('dt', '', what), make('dd', '', value))),
  );
}

function showCalibration({ before, after, calibration: { temperature } }: Outcome): void {
  byId('train-reliability').replaceChildren(
    makeReliability('Before', 'temperature 1', before),
    makeReliability('After calibration', `temperature ${figure(temperature)}`, after),
  );
  const [from, to] = [before.loss, after.loss].map(figure);
  const effect =
    after.loss < before.loss
      ? `makes the loss on these strangers smaller: ${from} → ${to}`
      : `does not help on these strangers: the loss goes from ${from} to ${to}`;
  byId('train-calibration').textContent =
    `The sheet that was kept out asks for logits divided by ${figure(temperature)}. That ${effect}. Answers stay the same.`;
}
