export const target: string;
export function compileWasm(): Promise<string>;
