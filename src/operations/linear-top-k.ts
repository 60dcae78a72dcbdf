import linearScores from '../../shaders/linear_scores.wgsl';
import linearStats from '../../shaders/linear_stats.wgsl';
import linearTopKKernel from '../../shaders/linear_top_k.wgsl';
import type { GpuWork, Storage } from '../backend.js';
import type { Tensor } from '../tensor.js';
import { choice, count, knownOptions, positive } from '../validate.js';
import {
  expectClassesOf,
  headArrays,
  type LinearHead,
  type LinearHeadOptions,
  linearHead,
  type Weight,
} from './linear-product.js';
import { asRows, makeLogits, some, stateWords, tilePass, tilesOf } from './linear-tiles.js';
import { temperatureUniforms } from './temperature.js';

export interface LinearTopKOptions extends LinearHeadOptions {
  /** What the logits are divided by; 1 by default. */
  temperature?: number;
  /** What makes scores of logits: 'softmax' by default, 'sigmoid', or 'none' for the logits themselves. */
  activation?: 'softmax' | 'sigmoid' | 'none';
}

/** What `linearTopK` gives: k scores and classes a row, best first. */
export interface LinearTopKResult {
  /** The scores of the k best classes, the best first; the dtype of the features. */
  values: Tensor;
  /** The class that each is of; int32. */
  indices: Tensor;
}

/**
 * The k best classes of each row of a linear head, and their scores: topK(softmax(linear(features, weight, { bias })), k), where the
 * logits are made a tile at a time and never stored. Classes are in the order of their logits, ties by the lower index, a NaN above all;
 * a row without a softmax has scores of NaN.
 * @param features [..., D]; float32 or float16
 * @param weight [C, D], or a list of blocks of its rows; float32, float16, or int8 with `scales`
 * @param k an integer from 1 to C
 * @returns values and indices, both [..., k]
 * @throws RangeError for a k that does not fit or a temperature out of range; ShapeError where shapes do not fit; TypeError for a string
 *   that is no activation
 */
export function linearTopK(
  features: Tensor,
  weight: Weight,
  k: number,
  options: LinearTopKOptions = {},
): LinearTopKResult {
  const fn = 'linearTopK';
  knownOptions(fn, options, ['bias', 'scales', 'temperature', 'activation']);
  const head = expectClassesOf(fn, linearHead(fn, 'features', features, weight, options));
  const { context, rows, rowShape, classes } = head;
  count(fn, 'k', k, null, classes);
  const temperature = positive(fn, 'temperature', options.temperature, 1);
  const activation = choice(fn, 'activation', options.activation, ['softmax', 'sigmoid', 'none'], 'softmax');
  const shape = [...rowShape, k];
  return context.run({
    name: fn,
    reads: head.reads,
    writes: { values: { dtype: features.dtype, shape }, indices: { dtype: 'int32', shape } },
    cpu: (arrays, loops) =>
      loops.linearTopKRows(
        headArrays(head, arrays),
        rows.count,
        k,
        temperature,
        activation,
        arrays.values,
        arrays.indices,
      ),
    gpu: (gpu, storages) => record(gpu, storages, head, k, temperature, activation),
  });
}

function record(
  gpu: GpuWork,
  storages: Record<string, Storage>,
  head: LinearHead,
  k: number,
  temperature: number,
  activation: string,
): void {
  const tiles = tilesOf(gpu, storages, head, 8 * k);
  const softmax = activation === 'softmax';
  const height = tiles.rowBlocks[0]?.count ?? 0;
  let [before, after] = [0, 1].map(() => gpu.scratch('uint32', 2 * height * k)); // take turns
  const uniforms = { ...temperatureUniforms(temperature), smoothing: 0, z_loss: 0, all_classes: head.classes };
  for (const rows of tiles.rowBlocks) {
    const states = some(tiles.states, rows, stateWords);
    for (const chunk of tiles.chunks) {
      makeLogits(tiles, rows, chunk);
      if (softmax) tilePass(tiles, linearStats, rows, chunk, { bindings: { states }, uniforms });
      const bindings = { before: [before, 0], after: [after, 0] } as const;
      tilePass(tiles, linearTopKKernel, rows, chunk, { bindings, uniforms: { k } });
      [before, after] = [after, before];
    }
    gpu.rows({
      kernel: linearScores,
      rows: asRows(rows.count, k),
      bindings: {
        best: [before, 0],
        states: softmax ? states : undefined,
        values: some(storages.values, rows, k),
        indices: some(storages.indices, rows, k),
      },
      uniforms,
      constants: { SOFTMAX: softmax, SIGMOID: activation === 'sigmoid' },
    });
  }
}
