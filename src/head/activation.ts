/** How logits become scores: 'softmax' shares 1 among the classes, 'sigmoid' scores each on its own (multi-label). */
export type Activation = 'softmax' | 'sigmoid';

export const activations: readonly Activation[] = ['softmax', 'sigmoid'];
