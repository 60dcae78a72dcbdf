/** The file that is checked in. */
export const reportFile: string;

/** The public surface of dist as it is. */
export function apiReport(): string;
