export const pages: { page: string; names: string; limit: number }[];
export function sizeOf(names: string): Promise<number>;
