// The chunk that a context on a GPU loads: all of this folder but tuning.

import { GpuBackend } from './backend.js';
import { type DeviceRequest, findDevice } from './device.js';
import type { Planner } from './plan.js';

/**
 * A backend, or null where there is none to be had; and why, in a sentence.
 * @param adapter of `gpu`; null where a device is given
 */
export async function openGpu(
  options: DeviceRequest & { readonly plan?: Planner },
  gpu: GPU | undefined,
  adapter: Promise<GPUAdapter | null> | null,
  hardwareOnly: boolean,
): Promise<{ backend: GpuBackend | null; reason: string }> {
  const found = await findDevice(options, gpu, adapter, hardwareOnly);
  if (!found.device) return { backend: null, reason: found.reason };
  const { device, adapterInfo, owned, languageFeatures, reason } = found;
  return { backend: new GpuBackend(device, adapterInfo, owned, languageFeatures, options.plan), reason };
}
