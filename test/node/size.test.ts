// The size budget, of what a bundler leaves of the library for a page.
import { expect, it } from 'vitest';
import { pages, sizesOf } from '../../scripts/size.mjs';

it.each(pages.map((page) => [page.page, page] as const))('a page with %s keeps to its budget', async (_, page) => {
  const [[, bytes]] = await sizesOf(page.names);
  expect(bytes).toBeLessThanOrEqual(page.limit);
});
