// Ten scores as ten bars. The best is marked by weight, by a sign and by colour.
import { classes } from './digits.ts';
import { make } from './dom.ts';
import { bestOf, percent } from './scores.ts';

export interface ScoreBars {
  show(scores: Float32Array | null): void;
}

export function makeScoreBars(list: HTMLElement): ScoreBars {
  const rows = Array.from({ length: classes }, (_, digit) => makeRow(digit));
  list.replaceChildren(...rows.map(({ row }) => row));
  return {
    show(scores) {
      const best = scores ? bestOf(scores) : -1;
      rows.forEach(({ row, fill, value }, digit) => {
        const score = scores?.[digit] ?? 0;
        row.classList.toggle('best', digit === best);
        fill.style.transform = `scaleX(${score})`;
        value.textContent = scores ? percent(score) : '–';
      });
    },
  };
}

function makeRow(digit: number) {
  const fill = make('span', 'bar-fill');
  const value = make('span', 'bar-value', '–');
  const row = make('li', 'bar', make('span', 'bar-digit', String(digit)), make('span', 'bar-track', fill), value);
  return { row, fill, value };
}
