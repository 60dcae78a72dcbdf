// What is known of a row of logits of which only some classes are at hand: the sums so far, the labels' masses beside them, and what
// the loss and its derivatives are then made of.
// Needs: base/row_sum.wgsl, base/mass_sum.wgsl

struct RowState {
  part: Part,
  mass: Mass,         // sums of a_c and of a_c distance_c (cross_entropy.wgsl)
  target_bits: u32,   // the target's logit
  best: vec2u,        // the largest logit and its class
  wanted: vec2u,      // the largest label and its class
  target_class: u32,  // 0xffffffff: none
  flags: u32,         // of the masses (base/mass_sum.wgsl)
  scale: u32,         // what derivatives are multiplied by, as bits
  slopes: u32,        // 0: all derivatives of the row are 0
}

const WORDS = 16u;      // of a state

@group(0) @binding(9) var<storage, read_write> states: array<RowState>; // (rows)

fn state_at(row: u32) -> u32 {
  return offsets.states / WORDS + row;
}

fn undefined_state(state: RowState) -> bool {
  return state.flags == NO_ANSWER || is_undefined(row_of(state.part));
}
