// Trains the page's head, 64 pixels to 10 digits, and writes page/data/digits.safetensors: `node scripts/train-digits.mjs [file]`.
// Plain Node, no dependency, seeded: running it again writes the same bytes. It keeps off Math's sines and powers, which do not
// round alike in every version of Node.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const data = new URL('../page/data/', import.meta.url);
const { images, side, most, classes, testPart } = JSON.parse(readFileSync(new URL('digits.json', data), 'utf8'));
const pixels = side * side;

// The varied copies change nothing on the test part, but strokes drawn with a mouse read far better for them, a 6 above all.
const seed = 1;
const copies = 8;
const vary = { turn: 0.2, shear: 0.3, scale: 0.1, shift: 0.3, bendY: 0.8, bendX: 0.8 };
const steps = 300;
const learningRate = 0.05;
const weightDecay = 2e-4;

/** A seeded generator of numbers in [-1, 1) (mulberry32). */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

function read() {
  const bytes = readFileSync(new URL('digits-images.u8.bin', data));
  const labels = readFileSync(new URL('digits-labels.u8.bin', data));
  const digits = Array.from({ length: images }, (_, i) => ({
    label: labels[i],
    features: Float64Array.from(bytes.subarray(i * pixels, (i + 1) * pixels), (value) => value / most),
  }));
  const isTest = (_, i) => i >= testPart.from && i < testPart.to;
  return { test: digits.filter(isTest), training: digits.filter((digit, i) => !isTest(digit, i)) };
}

/** The digit slightly turned, slanted, scaled, shifted and bent, as another hand might have written it. */
function varied({ features, label }, random) {
  const middle = (side - 1) / 2;
  const turn = vary.turn * random();
  const [shear, scaleX, scaleY] = [vary.shear * random(), 1 + vary.scale * random(), 1 + vary.scale * random()];
  const [shiftX, shiftY] = [vary.shift * random(), vary.shift * random()];
  const [bendX, bendY] = [vary.bendX * random(), vary.bendY * random()];
  const bent = (at, by) => at + by * (1 - (at / 4) * (at / 4));
  const result = new Float64Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const x = bent((pixel % side) - middle, bendX);
    const y = bent(Math.floor(pixel / side) - middle, bendY);
    const fromX = (x - turn * y) * scaleX + shear * y + shiftX + middle;
    const fromY = (turn * x + y) * scaleY + shiftY + middle;
    result[pixel] = between(features, fromX, fromY);
  }
  return { features: result, label };
}

/** The picture's value between its pixels; 0 outside. */
function between(features, x, y) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  let value = 0;
  for (const row of [top, top + 1]) {
    for (const column of [left, left + 1]) {
      if (row < 0 || row >= side || column < 0 || column >= side) continue;
      value += features[row * side + column] * (1 - Math.abs(x - column)) * (1 - Math.abs(y - row));
    }
  }
  return value;
}

/** Writes the softmax of one digit's logits into `probabilities`; the bias is the last of a class's numbers. */
function predict(weights, features, probabilities) {
  for (let c = 0; c < classes; c++) {
    let logit = weights[c * (pixels + 1) + pixels];
    for (let j = 0; j < pixels; j++) logit += weights[c * (pixels + 1) + j] * features[j];
    probabilities[c] = logit;
  }
  const largest = Math.max(...probabilities);
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += probabilities[c] = Math.exp(probabilities[c] - largest);
  for (let c = 0; c < classes; c++) probabilities[c] /= sum;
}

/** The mean cross-entropy's derivative by the weights, plus the decay's; the bias does not decay. */
function gradientOf(weights, digits) {
  const gradient = new Float64Array(weights.length);
  const probabilities = new Float64Array(classes);
  for (const { features, label } of digits) {
    predict(weights, features, probabilities);
    for (let c = 0; c < classes; c++) {
      const at = c * (pixels + 1);
      const difference = (probabilities[c] - (c === label ? 1 : 0)) / digits.length;
      for (let j = 0; j < pixels; j++) gradient[at + j] += difference * features[j];
      gradient[at + pixels] += difference;
    }
  }
  return gradient.map((value, i) => (i % (pixels + 1) === pixels ? value : value + weightDecay * weights[i]));
}

/** Adam on the whole training part at each step, its rate falling to 0 along a line. */
function train(digits) {
  const size = classes * (pixels + 1);
  const [weights, first, second] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  const [beta1, beta2] = [0.9, 0.99];
  let [left1, left2] = [1, 1]; // beta1 and beta2 to the power of the step
  for (let step = 1; step <= steps; step++) {
    const gradient = gradientOf(weights, digits);
    const rate = learningRate * (1 - step / steps);
    left1 *= beta1;
    left2 *= beta2;
    for (let i = 0; i < size; i++) {
      first[i] = beta1 * first[i] + (1 - beta1) * gradient[i];
      second[i] = beta2 * second[i] + (1 - beta2) * gradient[i] * gradient[i];
      const mean = first[i] / (1 - left1);
      weights[i] -= (rate * mean) / (Math.sqrt(second[i] / (1 - left2)) + 1e-8);
    }
  }
  return Float64Array.from(weights, Math.fround);
}

function countRight(weights, digits) {
  const probabilities = new Float64Array(classes);
  return digits.filter(({ features, label }) => {
    predict(weights, features, probabilities);
    return probabilities.indexOf(Math.max(...probabilities)) === label;
  }).length;
}

/** safetensors: the header's length in 8 bytes, the header in JSON, the numbers; little-endian throughout. */
function safetensors(weights, metadata) {
  const weightBytes = classes * pixels * 4;
  const header = JSON.stringify({
    __metadata__: metadata,
    'classifier.weight': { dtype: 'F32', shape: [classes, pixels], data_offsets: [0, weightBytes] },
    'classifier.bias': { dtype: 'F32', shape: [classes], data_offsets: [weightBytes, weightBytes + classes * 4] },
  });
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const bytes = Buffer.alloc(8 + padded.length + weightBytes + classes * 4);
  bytes.writeBigUInt64LE(BigInt(padded.length), 0);
  padded.copy(bytes, 8);
  for (let i = 0; i < weights.length; i++) {
    const [c, j] = [Math.floor(i / (pixels + 1)), i % (pixels + 1)];
    bytes.writeFloatLE(weights[i], 8 + padded.length + 4 * (j === pixels ? classes * pixels + c : c * pixels + j));
  }
  return bytes;
}

const { training, test } = read();
const random = generator(seed);
const varieties = training.flatMap((digit) => Array.from({ length: copies }, () => varied(digit, random)));
const weights = train([...training, ...varieties]);
const right = { training: countRight(weights, training), test: countRight(weights, test) };
const file = process.argv[2] ? pathToFileURL(process.argv[2]) : new URL('digits.safetensors', data);
writeFileSync(
  file,
  safetensors(weights, {
    trainingRight: `${right.training} of ${training.length}`,
    testRight: `${right.test} of ${test.length}`,
  }),
);
const percent = (part, whole) => `${part} of ${whole}, ${((100 * part) / whole).toFixed(2)} %`;
console.log(`training part: ${percent(right.training, training.length)}`);
console.log(`test part:     ${percent(right.test, test.length)}`);
