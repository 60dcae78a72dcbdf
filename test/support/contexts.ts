// The contexts that a test runs over: the CPU, and WebGPU under its own plan and under each way to reduce.
import type { ContextOptions, DType } from '../../src/index.ts';

/** Chrome compiles WGSL by the code that Node has from Dawn, and half as fast: its own plan will do there. */
const inBrowser: Readonly<Record<string, ContextOptions>> = {
  cpu: { backend: 'cpu' },
  webgpu: { backend: 'webgpu' },
};

const inNode: Readonly<Record<string, ContextOptions>> = {
  cpu: { backend: 'cpu' },
  'cpu, plain': { backend: 'cpu', simd: false },
  // What large work takes on a software adapter; the plan of small work stands in the other tests.
  webgpu: { backend: 'webgpu', plan: () => ({ reduce: 'none', lanes: 1, rows: 4, pace: 2, keeps: true }) },
  'webgpu, barriers, 4 strips of 8 lanes, 2 a row, held': {
    backend: 'webgpu',
    plan: () => ({ reduce: 'barrier', lanes: 8, rows: 4, strips: 2, held: 1 }),
  },
  'webgpu, subgroups': {
    backend: 'webgpu',
    plan: (_, { maxSubgroup = 32 }) => ({ reduce: 'subgroup', lanes: Math.max(32, maxSubgroup), rows: 1, held: 1 }),
  },
  'webgpu, shuffles, held in registers': {
    backend: 'webgpu',
    plan: (_, { minSubgroup = 4, maxSubgroup = 32 }) => ({
      reduce: 'shuffle',
      lanes: minSubgroup,
      rows: Math.max(4, maxSubgroup / minSubgroup),
      held: 2,
    }),
  },
};

/** A backend, and on WebGPU a plan that is forced. A null adapter throws here, and so fails the tests. */
export const variants = typeof window === 'undefined' || import.meta.env.VITE_ALL ? inNode : inBrowser;

/**
 * The dtypes that a variant is tested with. How elements are read does not depend on how lanes merge, so that the variants
 * of many lanes go over float32 alone; and so do all of them in Chrome.
 */
export const dtypesFor = (variant: string, dtypes: readonly DType[]): readonly DType[] =>
  variants === inBrowser || variant.startsWith('webgpu,') ? dtypes.filter((dtype) => dtype === 'float32') : dtypes;

export const gpuVariants: Readonly<Record<string, ContextOptions>> = Object.fromEntries(
  Object.entries(variants).filter(([, { backend }]) => backend === 'webgpu'),
);
