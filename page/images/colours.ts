// Which colours a picture has, and about where: histograms of hue and of grey over the whole and over its quarters, and 4 x 4 mean colours.
import { type Planes, side, unit } from './planes.ts';

const hues = 12;
const greys = 6;
const bins = hues + greys;
const grid = 4;

export const colourNumbers = 5 * bins + 3 * grid ** 2;

export function colours(planes: Planes): Float32Array {
  const histograms = Array.from({ length: 5 }, () => new Float32Array(bins));
  const means = new Float32Array(3 * grid ** 2);
  const cell = side / grid;
  for (let pixel = 0; pixel < side * side; pixel++) {
    const [row, column] = [Math.floor(pixel / side), pixel % side];
    const [r, g, b] = [planes.red[pixel], planes.green[pixel], planes.blue[pixel]];
    const quarter = 1 + 2 * Number(row >= side / 2) + Number(column >= side / 2);
    for (const region of [0, quarter]) count(histograms[region], r, g, b);
    const at = 3 * (Math.floor(row / cell) * grid + Math.floor(column / cell));
    means[at] += (r - 0.5) / cell ** 2;
    means[at + 1] += (g - 0.5) / cell ** 2;
    means[at + 2] += (b - 0.5) / cell ** 2;
  }
  const result = new Float32Array(colourNumbers);
  // The root of a histogram has the length 1 where its bins sum to 1, and keeps rare colours in sight.
  histograms.forEach((histogram, i) => {
    result.set(unit(histogram.map(Math.sqrt)), i * bins);
  });
  result.set(
    means.map((value) => value / 2),
    5 * bins,
  );
  return result;
}

/** One pixel: its colourful part between the two nearest hues, its grey part between the two nearest greys. */
function count(histogram: Float32Array, r: number, g: number, b: number): void {
  const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
  const chroma = most - least;
  share(histogram, 0, hues, hues * hueOf(r, g, b, most, chroma), chroma, true);
  share(histogram, hues, greys, (greys - 1) * ((most + least) / 2), 1 - chroma, false);
}

function share(histogram: Float32Array, first: number, size: number, at: number, weight: number, round: boolean): void {
  const low = Math.floor(at);
  const high = round ? (low + 1) % size : Math.min(low + 1, size - 1);
  histogram[first + (low % size)] += weight * (1 - (at - low));
  histogram[first + high] += weight * (at - low);
}

/** Round the wheel, from 0 to 1. */
function hueOf(r: number, g: number, b: number, most: number, chroma: number): number {
  if (chroma === 0) return 0;
  const sixth = most === r ? (g - b) / chroma : most === g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
  return ((sixth + 6) % 6) / 6;
}
