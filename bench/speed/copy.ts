// The limit of a memory-bound operation: as many bytes as the case reads and writes, half of them read and half written.
import type { Context } from '../../src/index.ts';
import { fence, fenceBuffer, type Prepared } from './contender.ts';
import type { Case } from './types.ts';

const vectorsAnInvocation = 4;
const invocations = 256;

const code = /* wgsl */ `
@group(0) @binding(0) var<storage, read> source: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4u>;

@compute @workgroup_size(${invocations})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let stride = groups.x * ${invocations}u;
  for (var i = id.x; i < arrayLength(&source); i += stride) {
    target_[i] = source[i];
  }
}`;

const usage = { copySource: 0x4, copyTarget: 0x8, storage: 0x80 };

function copyBuffers(device: GPUDevice, bytes: number) {
  const size = 16 * Math.ceil(bytes / 32);
  const source = device.createBuffer({ size, usage: usage.storage | usage.copyTarget });
  const target = device.createBuffer({ size, usage: usage.storage | usage.copySource });
  return { size, source, target };
}

/** Some of the copied words, that they are there. */
async function readSome(device: GPUDevice, target: GPUBuffer, size: number): Promise<Uint32Array> {
  const bytes = Math.min(size, 65_536);
  const staging = device.createBuffer({ size: bytes, usage: 0x1 | usage.copyTarget });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(target, size - bytes, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const words = new Uint32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return words;
}

export async function copyCase({ device }: Context, { bytes }: Case): Promise<Prepared> {
  const { size, source, target } = copyBuffers(device!, bytes);
  const words = Uint32Array.from({ length: Math.min(size, 65_536) / 4 }, (_, i) => i + 1);
  device!.queue.writeBuffer(source, size - words.byteLength, words);
  const pipeline = await device!.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device!.createShaderModule({ code }), entryPoint: 'main' },
  });
  const entries = [source, target].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device!.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const groups = Math.min(65_535, Math.ceil(size / 16 / invocations / vectorsAnInvocation));
  const staging = fenceBuffer(device!);
  return {
    run() {
      const encoder = device!.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(groups);
      pass.end();
      device!.queue.submit([encoder.finish()]);
    },
    wait: () => fence(device!, staging),
    result: async () => ({ copied: await readSome(device!, target, size), expected: words }),
    dispose() {
      for (const buffer of [source, target, staging]) buffer.destroy();
    },
  };
}
