// Scores as bars, one a class. The best is marked by weight, by a sign and by colour.
import { make } from './dom.ts';
import { bestOf, percent } from './scores.ts';

export interface ScoreBars {
  /** @param sure false where the best is no answer: no bar is marked then */
  show(scores: Float32Array | null, sure?: boolean): void;
}

export function makeScoreBars(list: HTMLElement, labels: readonly string[]): ScoreBars {
  const rows = labels.map(makeRow);
  list.replaceChildren(...rows.map(({ row }) => row));
  return {
    show(scores, sure = true) {
      const best = scores && sure ? bestOf(scores) : -1;
      rows.forEach(({ row, fill, value }, i) => {
        const score = scores?.[i] ?? 0;
        row.classList.toggle('best', i === best);
        fill.style.transform = `scaleX(${score})`;
        value.textContent = scores ? percent(score) : '–';
      });
    },
  };
}

function makeRow(label: string) {
  const fill = make('span', 'bar-fill');
  const value = make('span', 'bar-value', '–');
  const name = make('span', 'bar-digit', label);
  name.title = label.length > 2 ? label : '';
  return { row: make('li', 'bar', name, make('span', 'bar-track', fill), value), fill, value };
}
