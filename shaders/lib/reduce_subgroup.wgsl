// One row a workgroup: lanes merge by shuffles inside their subgroup, then the subgroups over workgroup memory.
// Subgroups may have any size and their lanes any order, so both are asked for, never computed from the index.
// Needs: lib/merge.wgsl, lib/lanes.wgsl

struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_size) subgroup_size: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_id) subgroup: u32,
}

var<workgroup> partials: array<vec2u, WORKGROUP>;

// The merge of all lanes of the workgroup, in each of them. Every invocation must come here.
fn reduced(at: Invocation, how: u32, value: vec2u) -> vec2u {
  var result = value;
  for (var mask = 1u; mask < at.subgroup_size; mask *= 2u) {
    let other = subgroupShuffleXor(result, mask);
    result = merged(how, result, other);
  }
  if (at.subgroup_lane == 0u) {
    partials[at.subgroup] = result;
  }
  workgroupBarrier();
  let subgroups = (WORKGROUP + at.subgroup_size - 1u) / at.subgroup_size;
  result = partials[0];
  for (var i = 1u; i < subgroups; i++) {
    result = merged(how, result, partials[i]);
  }
  workgroupBarrier(); // before the next reduction overwrites them
  return result;
}
