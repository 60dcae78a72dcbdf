// Which rows have derivatives at all: of the others, whatever they hold, nothing may reach a gradient. The last word of each state of
// lib/linear_state.wgsl.

@group(0) @binding(9) var<storage, read> states: array<u32>; // (rows, 16)

fn has_slopes(row: u32) -> bool {
  return states[offsets.states + row * 16u + 15u] == 1u;
}
