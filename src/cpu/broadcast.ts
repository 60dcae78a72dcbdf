// Twin of shaders/lib/broadcast.wgsl.

/** The index that element `element` of the input has in an operand, by `axes`, whose groups for the operand begin at `first`. */
export function broadcastIndex(axes: ArrayLike<number>, first: number, element: number): number {
  const end = first + 1 + 2 * axes[first];
  let index = 0;
  for (let at = first + 1; at < end; at += 2) {
    const length = axes[at + 1];
    index = index * length + (Math.floor(element / axes[at]) % length);
  }
  return index;
}
