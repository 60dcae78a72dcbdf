// What the entries for other libraries refuse, with no library: test/interop has them beside the real ones.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Context, createContext, DisposedError } from '../src/index.ts';
import { fromJax, toJax } from '../src/interop/jax.ts';
import { fromOnnx, sessionOptions, toOnnx } from '../src/interop/onnxruntime.ts';
import { fromTfjs, toTfjs } from '../src/interop/tfjs.ts';

const none = {} as never;
const array = { dtype: 'float32', shape: [1], ref: { gpuBuffer: async () => none } } as never;

describe.each(['cpu', 'webgpu'] as const)('%s', (backend) => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend });
  });
  afterAll(() => context.dispose());

  it('what is no tensor, and what is none any more', async () => {
    const gone = context.tensor([1]);
    gone.dispose();
    expect(() => toOnnx(none, gone)).toThrow(DisposedError);
    expect(() => toTfjs(none, gone)).toThrow(DisposedError);
    await expect(toJax(none, gone)).rejects.toThrow(DisposedError);
    expect(() => gone.buffer).toThrow('buffer: the tensor was disposed');
    expect(() => toOnnx(none, 3 as never)).toThrow('toOnnx: "tensor" must be a Tensor');
    await expect(toJax(none, {} as never)).rejects.toThrow('toJax: "tensor" must be a Tensor');
  });

  it('other dtypes, and outputs that lie elsewhere', async () => {
    const words = context.tensor(new Uint32Array(2));
    const why = backend === 'cpu' ? 'has no GPU buffer' : 'must be float32 or int32, got uint32';
    expect(() => toTfjs(none, words)).toThrow(`toTfjs: "tensor" ${why}`);
    expect(words.revision).toBe(0); // nobody has its buffer
    words.dispose();
    expect(() => fromOnnx(context, { type: 'float32', dims: [1], location: 'cpu' } as never)).toThrow(
      'fromOnnx: "output" must lie in a GPU buffer, got cpu',
    );
    await expect(fromJax(context, { dtype: 'bool' } as never)).rejects.toThrow(
      'fromJax: "array" must be float32 or int32',
    );
  });

  it('a context on the CPU, and gives back what it had been lent', async () => {
    if (backend === 'webgpu') return expect(sessionOptions(context).preferredOutputLocation).toBe('gpu-buffer');
    expect(() => sessionOptions(context)).toThrow('sessionOptions: "context" computes on the CPU');
    const dispose = vi.fn();
    const lent = { dtype: 'float32', shape: [1], dataToGPU: () => ({ buffer: {}, tensorRef: { dispose } }) } as never;
    expect(() => fromTfjs(context, lent)).toThrow('this context computes on the CPU');
    expect(dispose).toHaveBeenCalledOnce();
    await expect(fromJax(context, array)).rejects.toThrow('this context computes on the CPU');
  });
});
