export const target: string;
export function compileWasm(): Promise<{ fused: Buffer; plain: Buffer }>;
