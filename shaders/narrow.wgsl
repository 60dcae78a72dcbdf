// Floats to float16, two to a word. Each invocation owns one word of the target; where the tensor begins or ends inside a word,
// the other half stays as it was.
// Needs: base/half.wgsl

struct Params {
  length: u32,
}

@group(0) @binding(0) var<storage, read> floats: array<u32>;
@group(0) @binding(1) var<storage, read_write> halves: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let first = offsets.halves >> 1u;
  let word = first + (workgroup.x + workgroup.y * 65535u) * 64u + index;
  if (word > (offsets.halves + params.length - 1u) >> 1u) {
    return;
  }
  var value = halves[word];
  for (var side = 0u; side < 2u; side++) {
    let i = word * 2u + side - offsets.halves; // wraps past length before the first
    if (i < params.length) {
      let shift = side * 16u;
      value = (value & ~(0xffffu << shift)) | (narrowed(floats[offsets.floats + i]) << shift);
    }
  }
  halves[word] = value;
}
