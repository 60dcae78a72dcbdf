// The first two cards: three logits, and all that follows from them.
import {
  binaryCrossEntropy,
  type Context,
  createContext,
  crossEntropy,
  entropy,
  sigmoid,
  softmax,
} from '../../src/index.ts';
import { byId, make, speaker } from '../dom.ts';
import { latest } from '../latest.ts';
import { makePlot, shape } from './figure.ts';

export interface Question {
  logits: number[];
  truth: number;
  temperature: number;
  activation: 'softmax' | 'sigmoid';
}

interface Answer {
  readonly probabilities: readonly number[];
  readonly loss: number;
  readonly gradient: readonly number[];
  /** In nats; of softmax only. */
  readonly entropy: number | null;
}

const names = ['cat', 'dog', 'owl'];
export const first = (): Question => ({ logits: [2, 1, 0.1], truth: 0, temperature: 1, activation: 'softmax' });
const bound = 8;
const mostLoss = 5;
/** A true minus, and none before a zero. */
const digits = (value: number, most = 3) =>
  value
    .toFixed(most)
    .replace(/^-(?=.*[1-9])/, '−')
    .replace('-', '');

/** All from one row, with the library's own calls. */
async function answerOf(context: Context, { logits, truth, temperature, activation }: Question): Promise<Answer> {
  const x = context.tensor([logits]);
  if (activation === 'softmax') {
    const { loss, gradient } = crossEntropy(x, [truth], { temperature, gradient: true });
    const p = softmax(x, { temperature });
    const uncertain = entropy(context.tensor([logits.map((logit) => logit / temperature)]));
    const all = await Promise.all([p, loss, gradient!, uncertain].map((tensor) => tensor.data()));
    return { probabilities: [...all[0]], loss: all[1][0], gradient: [...all[2]], entropy: all[3][0] };
  }
  const divided = context.tensor([logits.map((logit) => logit / temperature)]);
  const targets = [names.map((_, c) => Number(c === truth))];
  const { loss, gradient } = binaryCrossEntropy(divided, targets, { reduction: 'sum', gradient: true });
  const all = await Promise.all([sigmoid(divided), loss, gradient!].map((tensor) => tensor.data()));
  // By the logits as they are, before the temperature.
  return {
    probabilities: [...all[0]],
    loss: all[1][0],
    gradient: [...all[2]].map((g) => g / temperature),
    entropy: null,
  };
}

/** @returns shows another question */
export function makeLoss(changed: (question: Question) => void): (question: Question) => void {
  const rows = names.map((name, c) => makeRow(name, c));
  byId('explain-classes').append(...rows.map(({ row }) => row));
  const temperature = byId<HTMLInputElement>('explain-temperature');
  const speak = speaker(byId('explain-said'));
  let question = first();
  let gradient: readonly number[] = [0, 0, 0];

  const compute = latest(async (asked: Question) => {
    // Three numbers: a GPU would take longer. Of its own, so that all that it made goes with it.
    const context = await createContext({ backend: 'cpu' });
    try {
      const answer = await answerOf(context, asked);
      gradient = answer.gradient;
      draw(asked, answer);
    } finally {
      context.dispose();
    }
  });
  const show = (next: Question) => {
    question = next;
    rows.forEach(({ slider, truth, value }, c) => {
      slider.value = String(next.logits[c]);
      value.textContent = digits(next.logits[c], 1);
      truth.checked = c === next.truth;
    });
    temperature.value = String(next.temperature);
    byId('explain-temperature-value').textContent = next.temperature.toFixed(2);
    for (const radio of byId('explain-activation').querySelectorAll('input'))
      radio.checked = radio.value === next.activation;
    compute(next).catch((error) => {
      byId('explain-problem').hidden = false;
      byId('explain-problem').textContent = String(error.message);
    });
  };
  const change = (part: Partial<Question>) => {
    show({ ...question, ...part });
    changed(question);
  };

  rows.forEach(({ slider, truth }, c) => {
    slider.addEventListener('input', () =>
      change({ logits: question.logits.map((x, d) => (d === c ? slider.valueAsNumber : x)) }),
    );
    truth.addEventListener('change', () => change({ truth: c }));
  });
  temperature.addEventListener('input', () => change({ temperature: temperature.valueAsNumber }));
  byId('explain-activation').addEventListener('change', ({ target }) =>
    change({ activation: (target as HTMLInputElement).value as Question['activation'] }),
  );
  byId('explain-step').addEventListener('click', () => {
    const inside = (x: number) => Math.max(-bound, Math.min(bound, x));
    change({ logits: question.logits.map((x, c) => inside(x - 2 * gradient[c])) });
  });
  byId('explain-reset').addEventListener('click', () => change(first()));

  function draw({ truth, activation }: Question, { probabilities, loss, gradient, entropy }: Answer) {
    const one = activation === 'softmax';
    byId('explain-p-title').textContent = one ? 'Probability p, softmax' : 'Probability p, sigmoid';
    byId('explain-g-title').textContent = 'Gradient p − t';
    rows.forEach(({ fill, share, arrow }, c) => {
      fill.style.transform = `scaleX(${probabilities[c]})`;
      share.textContent = digits(probabilities[c]);
      arrow.replaceChildren(makeArrow(gradient[c], `${names[c]}: ${digits(gradient[c])}`));
      rows[c].row.classList.toggle('true', c === truth);
    });
    byId('explain-loss').textContent = digits(loss, 4);
    speak(`The loss is ${digits(loss, 4)}`);
    const given = probabilities.map((p, c) => (c === truth ? p : 1 - p));
    byId('explain-loss-words').textContent = one
      ? `−log ${digits(probabilities[truth], 4)}, the probability of ${names[truth]}, in nats.`
      : `−log ${given.map((p) => digits(p)).join(' − log ')}: what each question gave to its truth, in nats.`;
    const facts = [
      ['Sum of p', digits(probabilities.reduce((a, b) => a + b))],
      ['Sum of the gradient', digits(gradient.reduce((a, b) => a + b))],
      ...(entropy === null ? [] : [['Entropy', `${digits(entropy)} of at most ${digits(Math.log(3))}`]]),
      ['Guessing would lose', one ? digits(Math.log(3)) : digits(3 * Math.log(2))],
    ];
    byId('explain-facts').replaceChildren(
      ...facts.flatMap(([term, value]) => [make('dt', '', term), make('dd', '', value)]),
    );
    byId('explain-curve').replaceChildren(makeCurve(one ? [probabilities[truth]] : given));
  }
  return show;
}

function makeRow(name: string, c: number) {
  const truth = make('input', '');
  Object.assign(truth, { type: 'radio', name: 'explain-truth', id: `explain-truth-${c}` });
  truth.setAttribute('aria-label', `${name} is true`);
  const slider = make('input', '');
  Object.assign(slider, { type: 'range', min: -bound, max: bound, step: 0.1, id: `explain-logit-${c}` });
  slider.setAttribute('aria-label', `Logit of ${name}`);
  const value = make('span', 'explain-value');
  const [fill, share] = [make('span', 'bar-fill'), make('span', 'explain-value')];
  const arrow = make('span', 'explain-arrow');
  const row = make(
    'div',
    'explain-row',
    make('label', 'explain-truth', truth, name),
    make('span', 'explain-logit', slider, value),
    make('span', 'explain-share', make('span', 'bar-track', fill), share),
    arrow,
  );
  return { row, truth, slider, value, fill, share, arrow };
}

/** From 0 in the middle, to -1 or 1 at the ends. */
function makeArrow(gradient: number, label: string) {
  const [half, y] = [90, 14];
  const end = half + Math.max(-1, Math.min(1, gradient)) * (half - 8);
  const way = Math.sign(end - half);
  const svg = shape('svg', { viewBox: '0 0 240 28', role: 'img', 'aria-label': `Gradient of ${label}` });
  svg.append(shape('line', { x1: half, y1: 3, x2: half, y2: 25, class: 'zero' }));
  if (Math.abs(end - half) > 1) {
    const head = `M${end} ${y} l${-7 * way} -5 v10 z`;
    const kind = gradient < 0 ? 'down' : 'up';
    svg.append(
      shape('line', { x1: half, y1: y, x2: end - 4 * way, y2: y, class: `shaft ${kind}` }),
      shape('path', { d: head, class: `tip ${kind}` }),
    );
  }
  svg.append(shape('text', { x: 236, y: 19, class: 'end' }, digits(gradient)));
  return svg;
}

/** -log p from 0 to 1, and where the truths are on it. */
function makeCurve(given: readonly number[]) {
  const words = given.map((p) => `${digits(-Math.log(p))} at p = ${digits(p)}`).join(', ');
  const { svg, at } = makePlot(
    `The curve of minus log p: ${words}`,
    [1, mostLoss],
    [
      [0, 0.25, 0.5, 0.75, 1],
      [0, 1, 2, 3, 4, 5],
    ],
    ['probability given to the truth', 'loss, nats'],
  );
  const points = Array.from({ length: 200 }, (_, i) => Math.exp((-mostLoss * (199 - i)) / 199));
  svg.append(shape('polyline', { points: points.map((p) => at(p, -Math.log(p)).join()).join(' '), class: 'curve' }));
  for (const p of given) {
    const [cx, cy] = at(p, Math.min(mostLoss, -Math.log(p)));
    const [, floor] = at(0, 0);
    svg.append(
      shape('line', { x1: cx, y1: floor, x2: cx, y2: cy, class: 'drop' }),
      shape('circle', { cx, cy, r: 6, class: 'here' }),
    );
  }
  return svg;
}
