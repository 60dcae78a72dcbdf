// Where an operand that is broadcast over the input has the number for an element: its axes are aligned with the input's last ones,
// and those of length 1 are repeated.
//
// `axes` says it for each operand in turn: how many groups of neighbouring axes are not repeated, and of each group, outermost
// first, its period (elements of the input from one index to the next) and its length.
// Twin: src/cpu/broadcast.ts

@group(0) @binding(28) var<storage, read> axes: array<u32>;

fn broadcast_index(operand: u32, element: u32) -> u32 {
  var at = offsets.axes;
  for (var before = 0u; before < operand; before++) {
    at += 1u + 2u * axes[at];
  }
  let end = at + 1u + 2u * axes[at];
  var index = 0u;
  for (at++; at < end; at += 2u) {
    let length = axes[at + 1u];
    index = index * length + (element / axes[at]) % length;
  }
  return index;
}
