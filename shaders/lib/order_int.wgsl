// int32 as unsigned integers in the order of their values.

fn order_keys(bits: vec4u) -> vec4u {
  return bits ^ vec4u(0x80000000u);
}

fn reverse_order_keys(bits: vec4u) -> vec4u {
  return ~order_keys(bits);
}
