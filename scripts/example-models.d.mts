interface Constant {
  readonly name: string;
  readonly values: Float32Array;
  readonly shape: readonly number[];
}
export const graphs: Record<'body' | 'negate' | 'bert', { readonly constants?: readonly Constant[] }>;
export function writeModels(folder: string): Promise<string[]>;
