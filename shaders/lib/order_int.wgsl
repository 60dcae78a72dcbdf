// int32 as unsigned integers in the order of their values.

fn order_key(bits: u32) -> u32 {
  return bits ^ 0x80000000u;
}

fn reverse_order_key(bits: u32) -> u32 {
  return ~order_key(bits);
}
