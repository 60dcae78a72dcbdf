// The confusion matrix: a button a cell, which opens to show the digits in it.
import type { Evaluation } from '../../src/index.ts';
import type { Part } from '../digits.ts';
import { byId, make } from '../dom.ts';
import { rove, setStop } from '../roving.ts';
import { makeTile, paintTiles } from '../tile.ts';

export interface Confusion {
  show(evaluation: Evaluation): void;
}

/** @param chosen is called with the index of a digit that a person goes to */
export function makeConfusion(part: Part, chosen: (index: number) => void): Confusion {
  const [matrix, group, title] = [byId('train-matrix'), byId('train-cell-digits'), byId('train-cell-title')];
  let shown: Evaluation | undefined;

  const open = (cell: HTMLElement) => {
    const [truth, answer] = [Number(cell.dataset.truth), Number(cell.dataset.answer)];
    const rows = shown!.samples(truth, answer);
    for (const other of matrix.querySelectorAll('button')) other.setAttribute('aria-pressed', String(other === cell));
    title.textContent = cellWords(rows.length, truth, answer);
    group.replaceChildren(...rows.map((row) => makeTile(part, row, answer)));
    paintTiles(part, group);
    setStop([...group.querySelectorAll('button')], group.querySelector('button') ?? undefined);
  };
  matrix.addEventListener('click', ({ target }) => {
    const cell = (target as Element).closest('button');
    if (cell) open(cell);
  });
  rove(matrix, () => shown?.confusion.length ?? 1);
  rove(group);
  group.addEventListener('click', ({ target }) => {
    const tile = (target as Element).closest('button');
    if (tile) chosen(Number(tile.dataset.index));
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => paintTiles(part, group));

  return {
    show(evaluation) {
      shown = evaluation;
      const focused = [matrix, group].some((buttons) => buttons.contains(document.activeElement));
      matrix.replaceChildren(...rowsOf(evaluation));
      const cells = [...matrix.querySelectorAll<HTMLElement>('button')];
      const mistakes = cells.filter(({ dataset }) => dataset.truth !== dataset.answer);
      const worst = mistakes.sort((a, b) => Number(b.dataset.count) - Number(a.dataset.count))[0];
      const first = Number(worst.dataset.count) ? worst : cells[0];
      setStop(cells, first);
      open(first);
      if (focused) first.focus();
    },
  };
}

function rowsOf({ confusion, perClass }: Evaluation): HTMLElement[] {
  const labels = perClass.map(({ label }) => label);
  const head = (scope: string, text: string) => {
    const cell = make('th', '', text);
    cell.scope = scope;
    return cell;
  };
  const most = Math.max(1, ...confusion.flatMap((row, truth) => row.filter((_, answer) => answer !== truth)));
  return [
    make('tr', '', make('td', ''), ...labels.map((label) => head('col', label))),
    ...confusion.map((row, truth) =>
      make(
        'tr',
        '',
        head('row', labels[truth]),
        ...row.map((count, answer) => make('td', '', makeCell(count, truth, answer, perClass[truth].support, most))),
      ),
    ),
  ];
}

function makeCell(count: number, truth: number, answer: number, support: number, most: number): HTMLElement {
  const right = truth === answer;
  const cell = make('button', `cell ${right ? 'right' : count ? 'wrong' : 'none'}`, count ? String(count) : '·');
  cell.type = 'button';
  cell.style.setProperty('--share', String(right ? count / Math.max(1, support) : count / most));
  Object.assign(cell.dataset, { truth, answer, count });
  cell.setAttribute('aria-label', cellWords(count, truth, answer));
  return cell;
}

function cellWords(count: number, truth: number, answer: number): string {
  const what = count === 1 ? '1 digit' : `${count} digits`;
  return `${truth} read as ${answer}${truth === answer ? ', which is right' : ''}: ${what}`;
}
