// What small fixed filters answer to: 24 random ones of a seed, of 5 x 5 pixels in three colours, their answers pooled over 3 x 3 parts.
import { generator } from '../random.ts';
import { type Planes, side, unit } from './planes.ts';

const filters = 24;
const width = 5;
const step = 2; // pixels from one place of a filter to the next
const places = Math.floor((side - width) / step) + 1;
const grid = 3;
const seed = 20;

export const textureNumbers = filters * grid ** 2;

/** [filters][3][width x width], each of sum 0 and length 1 in each colour. */
const weights = makeFilters();

export function textures({ red, green, blue }: Planes): Float32Array {
  const result = new Float32Array(textureNumbers);
  const area = (places / grid) ** 2;
  for (let y = 0; y < places; y++) {
    for (let x = 0; x < places; x++) {
      const part = Math.floor((y * grid) / places) * grid + Math.floor((x * grid) / places);
      const corner = step * (y * side + x);
      for (let f = 0; f < filters; f++) {
        const weight = weights[f];
        let sum = 0;
        for (let i = 0; i < width * width; i++) {
          const at = corner + Math.floor(i / width) * side + (i % width);
          sum += weight[0][i] * red[at] + weight[1][i] * green[at] + weight[2][i] * blue[at];
        }
        result[f * grid ** 2 + part] += Math.abs(sum) / area;
      }
    }
  }
  const root = result.map(Math.sqrt);
  return unit(root, 0.5).map((value) => 3 * value);
}

function makeFilters(): Float32Array[][] {
  const random = generator(seed);
  return Array.from({ length: filters }, () =>
    Array.from({ length: 3 }, () => {
      const values = Float32Array.from({ length: width * width }, () => random() - 0.5);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return unit(values.map((value) => value - mean));
    }),
  );
}
