// uint32 is its own order.

fn order_key(bits: u32) -> u32 {
  return bits;
}

fn reverse_order_key(bits: u32) -> u32 {
  return ~bits;
}
