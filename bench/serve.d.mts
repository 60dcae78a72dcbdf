import type { Browser } from 'puppeteer';

export interface Bench {
  url: string;
  browser: Browser;
  facts: { cpu: string; browser: string; versions: Record<string, string> };
}
export function withBench<T>(use: (bench: Bench) => Promise<T>, options?: { pytorch?: boolean }): Promise<T>;
