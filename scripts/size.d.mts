export const pages: { page: string; names: string; aim: number; limit: number }[];
export function sizeOf(names: string): Promise<number>;
