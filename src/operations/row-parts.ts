import rowParts from '../../shaders/row_parts.wgsl';
import type { Splits } from '../backend.js';

/** The sums of a row's strips, for kernels that stand on base/row_sum.wgsl. */
export const rowSums: Splits = { kernel: rowParts, words: 4 };
