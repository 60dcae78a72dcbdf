// A weight as int8: each number over its row's scale, rounded, four to a word. Each invocation makes a word, whose numbers may be of two
// rows or more.
// Twin: src/cpu/quantize-rows.ts
// Needs: base/bits.wgsl
// Seams: io

struct Params {
  length: u32,
  classes: u32, // of a row
}

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> scales: array<u32>; // (rows)
@group(0) @binding(4) var<storage, read_write> bytes: array<u32>; // (rows, classes), four to a word

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let word = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  if (4u * word >= params.length) {
    return;
  }
  var packed = 0u;
  for (var side = 0u; side < 4u; side++) {
    let i = 4u * word + side;
    if (i < params.length) {
      packed |= (quantized(load(i), scales[offsets.scales + i / params.classes]) & 0xffu) << (8u * side);
    }
  }
  bytes[offsets.bytes / 4u + word] = packed;
}

fn quantized(bits: u32, scale: u32) -> u32 {
  if (scale == 0u || is_nan(scale)) {
    return 0u;
  }
  return bitcast<u32>(i32(clamp(floor(bitcast<f32>(bits) / bitcast<f32>(scale) + 0.5), -127.0, 127.0)));
}
