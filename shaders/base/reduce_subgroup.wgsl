// One row a workgroup: lanes merge by shuffles inside their subgroup, then the subgroups over workgroup memory.
// Subgroups may have any size and their lanes any order, so both are asked for, never computed from the index. The analysis of
// uniformity takes all of `Invocation` for non-uniform, so the linker switches it off for shuffles: the loop's bound is the
// subgroup's size, and the barrier above it brings all lanes together.
// Needs: base/merge.wgsl, base/lanes.wgsl

struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_size) subgroup_size: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_id) subgroup: u32,
}

// The invocation's number in its workgroup, by which rows are given out.
fn index_of(at: Invocation) -> u32 {
  return at.index;
}

var<workgroup> partials: array<vec2u, WORKGROUP>;

// Waits for all lanes to have read what they read of storage.
fn lanes_meet() {
  storageBarrier();
}

// The merge of all lanes of the workgroup, in each of them. Every invocation must come here.
fn reduced(at: Invocation, how: u32, value: vec2u) -> vec2u {
  workgroupBarrier(); // lanes left their loops at different times, and the last reduction may still be read
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
  return result;
}
