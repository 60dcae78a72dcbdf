// uint32 is its own order.

fn order_keys(bits: vec4u) -> vec4u {
  return bits;
}

fn reverse_order_keys(bits: vec4u) -> vec4u {
  return ~bits;
}
