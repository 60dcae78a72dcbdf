// The library, whose contexts are on WebGPU where a sample asks for nothing: the package `webgpu`, which is Dawn.

import { create as dawn } from 'webgpu';
import { createContext as create } from '../../../dist/index.js';

export * from '../../../dist/index.js';
export const createContext = (options = {}) =>
  create({ backend: 'webgpu', ...(options.device ? {} : { gpu: dawn([]) }), ...options });
