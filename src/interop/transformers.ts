/**
 * @huggingface/transformers beside crosshead on one GPU device: the logits or features of a model stay there. Tried with 4.3. Nothing of it
 * is imported here.
 *
 * Use a model class, such as AutoModelForSequenceClassification: `pipeline()` reads the logits back and computes in JavaScript. Models with a
 * key-value cache choose for themselves where their outputs lie.
 * @module crosshead/transformers
 */
import type { Context } from '../context.js';
import type { Tensor } from '../tensor.js';
import { fromOnnx, type OnnxTensor, sessionOptions } from './onnxruntime.js';

/**
 * Options for `from_pretrained`: on the context's device, and with the named outputs left there.
 * @example
 * const model = await AutoModelForSequenceClassification.from_pretrained(id, { dtype: 'fp32', ...modelOptions(context) })
 */
export function modelOptions(
  context: Context,
  outputs: readonly string[] = ['logits'],
): {
  device: 'webgpu';
  session_options: {
    executionProviders: { name: 'webgpu'; device: GPUDevice }[];
    preferredOutputLocation: Record<string, 'gpu-buffer'>;
  };
} {
  const { executionProviders } = sessionOptions(context);
  const preferredOutputLocation = Object.fromEntries(outputs.map((name) => [name, 'gpu-buffer' as const]));
  return { device: 'webgpu', session_options: { executionProviders, preferredOutputLocation } };
}

/** An output of a model as a tensor, with no copy; call the operations that read it before `output.dispose()`. */
export const fromTransformers = (context: Context, output: { readonly ort_tensor: OnnxTensor }): Tensor =>
  fromOnnx(context, output.ort_tensor);
