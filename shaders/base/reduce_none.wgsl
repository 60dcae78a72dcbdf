// One invocation a row: nothing to merge, and no barrier. For software adapters, few classes and inner axes.
// Needs: base/merge.wgsl

struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) index: u32,
}

// The invocation's number in its workgroup, by which rows are given out.
fn index_of(at: Invocation) -> u32 {
  return at.index;
}

// Waits for the other lanes of the row, of which there are none.
fn lanes_meet() {}

fn reduced(at: Invocation, how: u32, value: vec2u) -> vec2u {
  return value;
}
