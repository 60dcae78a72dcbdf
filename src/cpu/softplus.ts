// Twin of shaders/lib/softplus.wgsl: log(1 + exp(x)) and its derivative, each from the side on which nothing cancels.

/** Of a logit x: what softplus(x) is beyond max(0, x), and sigmoid(x) and sigmoid(-x), neither as 1 minus the other. */
export interface Odds {
  readonly beyond: number;
  readonly own: number;
  readonly other: number;
}

export function oddsOf(x: number): Odds {
  const e = Math.exp(-Math.abs(x));
  const near = 1 / (1 + e);
  const [own, other] = x < 0 ? [e * near, near] : [near, e * near];
  return { beyond: Math.log1p(e), own, other };
}

/** a softplus(-x) + b softplus(x); 0 times infinity is 0, the limit. */
export function weighedSoftplus(a: number, b: number, x: number, odds: Odds): number {
  const far = x < 0 ? a : b; // what weighs the one that grows with |x|
  return (far && far * Math.abs(x)) + (a + b) * odds.beyond;
}
