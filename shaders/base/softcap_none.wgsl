// Logits as they are. A file of its own, since code that is never reached costs a software adapter a tenth of the compilation all the same.

fn softcapped(bits: u32) -> u32 {
  return bits;
}

// Of four, as the softmax is to see them.
fn logits(bits: vec4u) -> vec4u {
  return bits;
}

fn softcap_slopes(bits: vec4u) -> vec4f {
  return vec4f(1.0);
}
