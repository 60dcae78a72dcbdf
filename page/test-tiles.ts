// The test part as pages of small pictures, one tab stop: the arrows go from picture to picture.
import type { Part } from './digits.ts';
import { byId, keepFocus, pressOnce } from './dom.ts';
import { columnsOf, destination, setStop } from './roving.ts';
import { makeTile, paintTiles } from './tile.ts';

export interface TestTiles {
  /** Shows what the head reads, a digit a picture. */
  answers(answers: Uint8Array): void;
  /** Marks this digit as the one on show; null for none. */
  choose(index: number | null): void;
}

/** A page is so many full rows, however many columns the grid has room for. */
const rowsOf = (columns: number) => (columns < 8 ? 5 : 4);

/** @param chosen is called with the index of the digit that a person goes to */
export function makeTestTiles(part: Part, chosen: (index: number) => void): TestTiles {
  const group = byId('tiles');
  const [earlier, later] = [byId<HTMLButtonElement>('earlier'), byId<HTMLButtonElement>('later')];
  const filter = byId<HTMLFieldSetElement>('filter');
  let answers: Uint8Array | undefined;
  let onlyWrong = false;
  /** Where the page begins in the list. */
  let start = 0;
  let columns = 0;
  let current: number | null = null;

  const isWrong = (index: number) => answers !== undefined && answers[index] !== part.labels[index];
  const listed = () =>
    Array.from({ length: part.count }, (_, index) => index).filter((index) => !onlyWrong || isWrong(index));
  const tileOf = (index: number | null) => group.querySelector<HTMLButtonElement>(`[data-index="${index}"]`);

  const mark = () => {
    const tiles = [...group.querySelectorAll<HTMLButtonElement>('button')];
    setStop(tiles, tileOf(current) ?? tiles[0]);
    for (const tile of tiles) {
      tile.toggleAttribute('aria-current', false);
      if (tile.dataset.index === String(current)) tile.setAttribute('aria-current', 'true');
    }
  };
  const pageSize = () => columns * rowsOf(columns);
  const render = () => {
    columns = columnsOf(group);
    const all = listed();
    const pages = Math.max(1, Math.ceil(all.length / pageSize()));
    const page = Math.min(Math.floor(start / pageSize()), pages - 1);
    start = page * pageSize();
    const shown = all.slice(start, start + pageSize());
    const focused = group.contains(document.activeElement);
    group.replaceChildren(...shown.map((index) => makeTile(part, index, answers?.[index])));
    paintTiles(part, group);
    mark();
    if (focused) group.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    const change = () => {
      earlier.disabled = page === 0;
      later.disabled = page >= pages - 1;
    };
    keepFocus(change, earlier, later);
    byId('page-of').textContent = `Page ${page + 1} of ${pages}`;
  };
  const goTo = (tile: HTMLElement | undefined) => {
    if (!tile) return;
    current = Number(tile.dataset.index);
    mark();
    tile.focus();
    chosen(current);
  };

  group.addEventListener('click', (event) => goTo((event.target as Element).closest('button') ?? undefined));
  group.addEventListener('keydown', (event) => {
    const tiles = [...group.querySelectorAll<HTMLElement>('button')];
    const to = destination(event.key, tiles.indexOf(event.target as HTMLElement), tiles.length, columns);
    if (to === undefined) return;
    event.preventDefault();
    goTo(tiles[to]);
  });
  const turn = (by: number) => () => {
    start += by * pageSize();
    render();
  };
  pressOnce(earlier, later);
  earlier.addEventListener('click', turn(-1));
  later.addEventListener('click', turn(1));
  filter.addEventListener('change', (event) => {
    onlyWrong = (event.target as HTMLInputElement).value === 'wrong';
    start = 0;
    render();
  });
  new ResizeObserver(() => {
    // While another view is open the grid has no columns, and the page turned to must stay.
    if (group.checkVisibility() && columnsOf(group) !== columns) render();
  }).observe(group);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => paintTiles(part, group));

  render();
  return {
    answers(read) {
      answers = read;
      filter.disabled = false;
      render();
    },
    choose(index) {
      current = index;
      mark();
    },
  };
}
