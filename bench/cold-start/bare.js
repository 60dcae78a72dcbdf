// One softmax of 1 x 1000 with the fewest calls that WebGPU allows.
const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(1) fn main() {
  var most = x[0]; for (var i = 1u; i < 1000u; i++) { most = max(most, x[i]); }
  var sum = 0.0; for (var i = 0u; i < 1000u; i++) { sum += exp(x[i] - most); }
  for (var i = 0u; i < 1000u; i++) { x[i] = exp(x[i] - most) / sum; }
}`;
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
const x = device.createBuffer({ size: 4000, usage: 0x8c });
device.queue.writeBuffer(
  x,
  0,
  new Float32Array(1000).map((_, i) => i / 500),
);
const compute = { module: device.createShaderModule({ code }) };
const pipeline = device.createComputePipeline({ layout: 'auto', compute });
const entries = [{ binding: 0, resource: { buffer: x } }];
const staging = device.createBuffer({ size: 4000, usage: 0x9 });
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
pass.dispatchWorkgroups(1);
pass.end();
encoder.copyBufferToBuffer(x, 0, staging, 0, 4000);
device.queue.submit([encoder.finish()]);
await staging.mapAsync(1);
window.answer = [...new Float32Array(staging.getMappedRange())];
window.took = performance.now();
