// What the head sees of a digit: its 64 pixels, and beside them how its edges and lines run, from small fixed filters. Pure functions,
// the same for the data set and for a drawing. Chosen among others by leaving out one writer's sheet of the training part at a time.
import { pixels, side } from './digits.ts';

const directions = 8;
const windows = side - 1; // squares of 2 x 2 pixels, one pixel apart
const edgeCount = directions * windows ** 2;
/** The four ways a line may run: from a pixel to the next on it. */
const lines = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const;

/** Numbers a digit. */
export const depth = pixels + edgeCount + lines.length * pixels;

/** [count, 64] pixels in [0, 1] to [count, depth]. */
export function extract(images: Float32Array): Float32Array {
  const count = images.length / pixels;
  const features = new Float32Array(count * depth);
  for (let i = 0; i < count; i++) {
    const image = images.subarray(i * pixels, (i + 1) * pixels);
    const at = (row: number, column: number) =>
      row < 0 || row >= side || column < 0 || column >= side ? 0 : image[row * side + column];
    const result = features.subarray(i * depth, (i + 1) * depth);
    result.set(image);
    result.set(pooledEdges(at), pixels);
    result.set(pooledLines(at), pixels + edgeCount);
  }
  return features;
}

type Image = (row: number, column: number) => number;

/** Sobel's slopes along eight directions, where they rise, each a mean over windows. */
function pooledEdges(at: Image): Float32Array {
  const edges = Array.from({ length: directions }, () => new Float32Array(pixels));
  for (let pixel = 0; pixel < pixels; pixel++) {
    const [row, column] = [Math.floor(pixel / side), pixel % side];
    const across = (r: number) => at(r, column + 1) - at(r, column - 1);
    const down = (c: number) => at(row + 1, c) - at(row - 1, c);
    const x = (across(row - 1) + 2 * across(row) + across(row + 1)) / 4;
    const y = (down(column - 1) + 2 * down(column) + down(column + 1)) / 4;
    for (let k = 0; k < directions; k++) {
      const angle = (2 * Math.PI * k) / directions;
      edges[k][pixel] = Math.max(0, x * Math.cos(angle) + y * Math.sin(angle));
    }
  }
  return Float32Array.from(edges.flatMap((edge) => pooled(edge, windows)));
}

/** Three pixels in a row against the six around them, where they are darker, each a mean over windows. */
function pooledLines(at: Image): Float32Array {
  return Float32Array.from(
    lines.flatMap(([dy, dx]) => {
      const darker = Float32Array.from({ length: pixels }, (_, pixel) => {
        const [row, column] = [Math.floor(pixel / side), pixel % side];
        const on = at(row, column) + at(row + dy, column + dx) + at(row - dy, column - dx);
        let all = 0;
        for (let r = row - 1; r <= row + 1; r++) for (let c = column - 1; c <= column + 1; c++) all += at(r, c);
        return Math.max(0, 3 * on - all) / 3;
      });
      return pooled(darker, side);
    }),
  );
}

/** Means over squares of 2 x 2 that begin at each of the first `across` rows and columns; at the border, over what there is of them. */
function pooled(values: Float32Array, across: number): number[] {
  const means: number[] = [];
  for (let row = 0; row < across; row++) {
    for (let column = 0; column < across; column++) {
      const [rows, columns] = [row + 1 < side ? 2 : 1, column + 1 < side ? 2 : 1];
      let sum = 0;
      for (let r = row; r < row + rows; r++)
        for (let c = column; c < column + columns; c++) sum += values[r * side + c];
      means.push(sum / (rows * columns));
    }
  }
  return means;
}
