// Finds an adapter and a device, and says in a sentence what it found.

/** Which device is wanted: `ContextOptions` has the words. */
export interface DeviceRequest {
  readonly device?: GPUDevice;
  readonly label?: string;
}

export type Found =
  | {
      device: GPUDevice;
      adapterInfo: GPUAdapterInfo | null;
      owned: boolean;
      languageFeatures?: WGSLLanguageFeatures;
      reason: string;
    }
  | { device: null; reason: string };

/**
 * GPU objects in use, kept for good: in Node, Dawn's instance takes the process with it when it is collected while one of its devices
 * lives.
 */
const kept = new Set<GPU>();

const none = (reason: string): Found => ({ device: null, reason });

/** Whether an adapter computes on the CPU, by its own word or by its name. */
export function isSoftware(info: GPUAdapterInfo | null | undefined): boolean {
  if (!info) return false;
  if (info.isFallbackAdapter) return true;
  return /swiftshader|llvmpipe|lavapipe|basic render|software/i.test(
    `${info.architecture} ${info.device} ${info.description}`,
  );
}

const described = (info: GPUAdapterInfo): string =>
  [info.vendor, info.architecture || info.device, info.description && `(${info.description})`]
    .filter(Boolean)
    .join(' ') || 'unnamed';

/** Ours is asked for with the adapter's own limits and the features that kernels can use. */
const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;
const wantedFeatures: GPUFeatureName[] = ['shader-f16', 'subgroups'];

function describe(adapter: GPUAdapter, label: string | undefined): GPUDeviceDescriptor {
  return {
    label: label ?? 'crosshead',
    requiredFeatures: wantedFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]])),
  };
}

async function borrowed(device: GPUDevice, gpu: GPU | undefined): Promise<Found> {
  if (typeof device?.createBuffer !== 'function') throw new TypeError('createContext: "device" must be a GPUDevice');
  const lost = await Promise.race([device.lost, Promise.resolve(null)]);
  if (lost) return none(`The device that was given is lost (${lost.message || lost.reason}).`);
  return {
    device,
    adapterInfo: device.adapterInfo ?? null,
    owned: false,
    languageFeatures: gpu?.wgslLanguageFeatures,
    reason: 'A WebGPU device was given.',
  };
}

/**
 * @param gpu where adapters come from, unless a device is given
 * @param asked an adapter of it; null where a device is given
 * @param hardwareOnly a software adapter counts as none: the CPU path is faster there
 */
export async function findDevice(
  options: DeviceRequest,
  gpu: GPU | undefined,
  asked: Promise<GPUAdapter | null> | null,
  hardwareOnly: boolean,
): Promise<Found> {
  if (!asked || !gpu) return borrowed(options.device!, gpu);
  try {
    const adapter = await asked;
    if (!adapter) return none('There is no WebGPU here: the browser offers no adapter.');
    const name = described(adapter.info);
    const software = isSoftware(adapter.info);
    if (software && hardwareOnly) return none(`The WebGPU adapter is a software one, ${name}: the CPU is faster.`);
    kept.add(gpu);
    const device = await adapter.requestDevice(describe(adapter, options.label));
    return {
      device,
      adapterInfo: adapter.info,
      owned: true,
      languageFeatures: gpu.wgslLanguageFeatures,
      reason: `WebGPU is at work on ${software ? 'a software adapter' : 'this GPU'}: ${name}.`,
    };
  } catch (error) {
    return none(`WebGPU failed to give a device: ${error instanceof Error ? error.message : error}`);
  }
}
