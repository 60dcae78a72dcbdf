// How a picture's edges run: histograms of their directions over 4 x 4 cells, and what of them does not change when the picture is turned.
import { side, unit } from './planes.ts';

const directions = 9; // of half a turn: an edge from dark to light counts as one from light to dark
const grid = 4;
const cell = side / grid;
const harmonics = 10;

export const edgeNumbers = directions * grid ** 2 + harmonics;

export function edges(light: Float32Array): Float32Array {
  const cells = Array.from({ length: grid ** 2 }, () => new Float32Array(directions));
  const waves = new Float64Array(2 * harmonics);
  let total = 0;
  for (let row = 1; row < side - 1; row++) {
    for (let column = 1; column < side - 1; column++) {
      const at = row * side + column;
      const [dx, dy] = [light[at + 1] - light[at - 1], light[at + side] - light[at - side]];
      const strength = Math.hypot(dx, dy);
      if (strength < 0.02) continue; // noise of a camera
      const angle = Math.atan2(dy, dx);
      const half = (((angle / Math.PI + 1) % 1) * directions + directions) % directions;
      const own = cells[Math.floor(row / cell) * grid + Math.floor(column / cell)];
      const low = Math.floor(half);
      own[low % directions] += strength * (1 - (half - low));
      own[(low + 1) % directions] += strength * (half - low);
      total += strength;
      for (let k = 1; k <= harmonics; k++) {
        waves[2 * k - 2] += strength * Math.cos(k * angle);
        waves[2 * k - 1] += strength * Math.sin(k * angle);
      }
    }
  }
  const result = new Float32Array(edgeNumbers);
  cells.forEach((histogram, i) => {
    // A cell with few edges stays small.
    result.set(unit(histogram, Math.max(1, total / grid ** 2)), i * directions);
  });
  // A turn of the picture turns the phase of each wave and leaves its length: a square has the fourth, a triangle the third.
  for (let k = 0; k < harmonics; k++) {
    result[directions * grid ** 2 + k] = total > 1 ? (2 * Math.hypot(waves[2 * k], waves[2 * k + 1])) / total : 0;
  }
  return result;
}
