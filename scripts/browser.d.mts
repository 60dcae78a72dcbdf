export function findBrowser(): { path: string; from: string } | null;
export function browserArgs(adapter?: string): string[];
export function softwareVulkan(): { driver: string; libraries: string } | null;
