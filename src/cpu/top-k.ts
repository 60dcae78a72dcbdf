// Twin of shaders/top_k.wgsl.

import type { Values } from '../backend.js';
import { type Rows, rowStart } from '../rows.js';
import { kernels } from './kernels.js';

/** Whether value a at class i comes before value b at class j: larger first, NaN largest, ties by the lower index. */
function isBefore(a: number, i: number, b: number, j: number): boolean {
  if (a > b) return true;
  if (a < b) return false;
  const nanA = Number.isNaN(a);
  const nanB = Number.isNaN(b);
  return nanA === nanB ? i < j : nanA;
}

export function topKRows(x: Values, values: Values, indices: Values, rows: Rows, k: number): void {
  if (kernels.get(x.buffer)?.topKRows(x, values, indices, rows, k)) return;
  for (let r = 0; r < rows.count; r++) {
    const start = rowStart(rows, r);
    const best = bestOf(x, start, rows, k);
    const first = rowStart({ ...rows, classes: k }, r);
    best.forEach((c, j) => {
      values[first + j * rows.inner] = x[start + c * rows.inner];
      indices[first + j * rows.inner] = c;
    });
  }
}

/** The k best classes of a row, sorted: the best so far in a heap whose root is the worst of them. */
function bestOf(x: Values, start: number, { classes, inner }: Rows, k: number): number[] {
  const before = (i: number, j: number) => isBefore(x[start + i * inner], i, x[start + j * inner], j);
  const heap: number[] = [];
  for (let c = 0; c < classes; c++) {
    if (heap.length < k) {
      heap.push(c);
      if (heap.length === k) for (let i = k >> 1; i >= 0; i--) sink(heap, i, before);
    } else if (before(c, heap[0])) {
      heap[0] = c;
      sink(heap, 0, before);
    }
  }
  return heap.sort((i, j) => (before(i, j) ? -1 : 1));
}

function sink(heap: number[], from: number, before: (i: number, j: number) => boolean): void {
  let i = from;
  for (;;) {
    const left = 2 * i + 1;
    let worst = i;
    if (left < heap.length && before(heap[worst], heap[left])) worst = left;
    if (left + 1 < heap.length && before(heap[worst], heap[left + 1])) worst = left + 1;
    if (worst === i) return;
    [heap[i], heap[worst]] = [heap[worst], heap[i]];
    i = worst;
  }
}
