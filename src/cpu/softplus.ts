// Twin of shaders/lib/softplus.wgsl: log(1 + exp(x)) and its derivative, each from the side on which nothing cancels.

/** Of a logit x: sigmoid(x) and sigmoid(-x), neither as 1 minus the other. */
export interface Odds {
  readonly own: number;
  readonly other: number;
}

export function oddsOf(x: number): Odds {
  const e = Math.exp(-Math.abs(x));
  const near = 1 / (1 + e);
  const far = e * near;
  return { own: x < 0 ? far : near, other: x < 0 ? near : far };
}

/** a softplus(-x) + b softplus(x); 0 times infinity is 0, the limit. */
export function weighedSoftplus(a: number, b: number, x: number): number {
  const far = x < 0 ? a : b; // what weighs the one that grows with |x|
  const size = Math.abs(x);
  return (far && far * size) + (a + b) * Math.log1p(Math.exp(-size));
}
