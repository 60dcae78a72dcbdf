import orderFloat from '../../shaders/lib/order_float.wgsl';
import orderInt from '../../shaders/lib/order_int.wgsl';
import orderUint from '../../shaders/lib/order_uint.wgsl';
import type { DType } from '../backend.js';
import type { Part } from '../webgpu/link.js';

/** How the bits of an element compare: the seam `order`. */
export const orderOf = (dtype: DType): Part =>
  dtype === 'int32' ? orderInt : dtype === 'uint32' ? orderUint : orderFloat;
