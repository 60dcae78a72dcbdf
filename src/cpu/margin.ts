// Twin of shaders/lib/margin.wgsl: losses that end at a margin, max(0, margin - t d), t being -1 or 1.

export const isSign = (t: number): boolean => t === 1 || t === -1;

/** Whether the loss depends on d: from 0 up, as the clamp of PyTorch has it. */
export const isShort = (short: number): boolean => short >= 0;
