/** a b + c. In the second of the two modules (scripts/build-wasm.mjs) fused-madd.ts stands for this file. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}
