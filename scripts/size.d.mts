export const pages: { page: string; names: string; limit: number }[];
export function sizesOf(names: string): Promise<Map<string, number>>;
