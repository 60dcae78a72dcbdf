// The library, where a sample that asks for nothing gets WebGPU, from the package `webgpu`, which is Dawn: one context for all, so that
// each kernel is compiled once. A sample that disposes of it leaves it to the next.
import { create as dawn } from 'webgpu';
import { createContext as create } from '../../../dist/index.js';

export * from '../../../dist/index.js';

const shared = await create({ backend: 'webgpu', gpu: dawn([]) });
shared.dispose = () => {};

export const createContext = async (options = {}) =>
  options.backend || options.gpu || options.device ? create(options) : shared;
