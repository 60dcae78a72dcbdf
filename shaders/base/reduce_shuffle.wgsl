// Several rows a subgroup: the lanes of each merge by shuffles, with no barrier and no workgroup memory. LANES is at most the smallest
// subgroup, and workgroups are whole numbers of the largest. Which invocations share a subgroup is the device's choice, so rows are given
// out by the place in it. All lanes take the same way through a kernel up to its last merge.
// Needs: base/merge.wgsl, base/lanes.wgsl

struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(subgroup_size) subgroup_size: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_id) subgroup: u32,
}

fn index_of(at: Invocation) -> u32 {
  return at.subgroup * at.subgroup_size + at.subgroup_lane;
}

// Waits for all lanes to have read what they read of storage.
fn lanes_meet() {
  storageBarrier();
}

fn reduced(at: Invocation, how: u32, value: vec2u) -> vec2u {
  var result = value;
  for (var mask = 1u; mask < LANES; mask *= 2u) {
    result = merged(how, result, subgroupShuffleXor(result, mask));
  }
  return result;
}
