// Watches every device of every library: what WebGPU refuses is dropped, and only an event says so.

export interface Watch {
  /** Messages of errors that nobody caught, since the last call. */
  takeErrors(): string[];
  /** Buffers that were created so far. */
  buffers(): number;
  end(): void;
}

/** Replaces a method until the returned function is called. */
function wrap<T extends object, K extends keyof T>(target: T, name: K, by: (original: T[K]) => T[K]): () => void {
  const original = target[name];
  target[name] = by(original);
  return () => {
    target[name] = original;
  };
}

export function watchDevices(): Watch {
  if (typeof GPUDevice === 'undefined') return { takeErrors: () => [], buffers: () => 0, end: () => {} };
  let errors: string[] = [];
  let buffers = 0;
  const onError = ({ error }: GPUUncapturedErrorEvent) => void errors.push(error.message);
  const restore = [
    wrap(
      GPUAdapter.prototype,
      'requestDevice',
      (original) =>
        async function requestDevice(this: GPUAdapter, descriptor?: GPUDeviceDescriptor) {
          const device = await original.call(this, descriptor);
          device.addEventListener('uncapturederror', onError);
          return device;
        },
    ),
    wrap(
      GPUDevice.prototype,
      'createBuffer',
      (original) =>
        function createBuffer(this: GPUDevice, descriptor: GPUBufferDescriptor) {
          buffers++;
          return original.call(this, descriptor);
        },
    ),
  ];
  return {
    takeErrors() {
      const taken = errors;
      errors = [];
      return taken;
    },
    buffers: () => buffers,
    end() {
      for (const undo of restore) undo();
    },
  };
}
