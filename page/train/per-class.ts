// Precision, recall and F1 of each class, as a table.
import type { ClassReport } from '../../src/index.ts';
import { make } from '../dom.ts';
import { percent } from '../scores.ts';

export function showPerClass(body: HTMLElement, reports: readonly ClassReport[]): void {
  body.replaceChildren(
    ...reports.map(({ label, precision, recall, f1, support }) => {
      const name = make('th', '', label);
      name.scope = 'row';
      return make('tr', '', name, ...[precision, recall, f1].map(makeShare), make('td', '', String(support)));
    }),
  );
}

function makeShare(share: number): HTMLElement {
  const fill = make('span', 'share-fill');
  fill.style.width = `${100 * share}%`;
  return make('td', '', make('span', 'share', make('span', 'share-track', fill), percent(share)));
}
