export function writeMeasured(script: string, markdown: string): void;
