// The lanes of each row merge over a tree in workgroup memory; several rows may share the workgroup.
// Needs: base/merge.wgsl, base/lanes.wgsl

struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) index: u32,
}

// The invocation's number in its workgroup, by which rows are given out.
fn index_of(at: Invocation) -> u32 {
  return at.index;
}

var<workgroup> tree: array<vec2u, WORKGROUP>;

// Waits for all lanes to have read what they read of storage.
fn lanes_meet() {
  storageBarrier();
}

// The merge of all lanes of a row, in each of them. Every invocation of the workgroup must come here.
fn reduced(at: Invocation, how: u32, value: vec2u) -> vec2u {
  let lane = at.index % LANES;
  workgroupBarrier(); // the last reduction may still be read
  tree[at.index] = value;
  for (var step = LANES / 2u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) {
      tree[at.index] = merged(how, tree[at.index], tree[at.index + step]);
    }
  }
  workgroupBarrier();
  return tree[at.index - lane];
}
