// Checkboxes in groups, each with a checkbox for the whole of it. An item may be in several groups: a row, and one across rows.
import { make } from '../dom.ts';

export interface Item {
  readonly id: string;
  readonly label: string;
  /** Why it cannot be chosen. */
  readonly missing?: string;
}

export interface Group {
  readonly label: string;
  readonly items: readonly Item[];
}

export interface Picker {
  /** Ids, in the order of the rows. */
  chosen(): string[];
  /** Chooses these and no others, as far as they can be. */
  choose(ids: readonly string[]): void;
}

interface Whole {
  readonly box: HTMLInputElement;
  readonly members: readonly HTMLInputElement[];
}

/** @param root a <details>, whose summary holds a [data-count] */
export function makePicker(root: HTMLElement, rows: readonly Group[], across: readonly Group[] = []): Picker {
  const boxes = new Map(
    rows.flatMap(({ items }) => items.map(({ id, missing }) => [id, makeBox(id, missing)] as const)),
  );
  const wholes: Whole[] = [];
  const wholeOf = ({ label, items }: Group) => {
    const whole = { box: makeBox(''), members: items.map(({ id }) => boxes.get(id)!) };
    wholes.push(whole);
    return makeLabel('check whole', whole.box, label);
  };
  const all = { label: 'All', items: rows.flatMap(({ items }) => items) };
  const lines = [makeLine(wholeOf(all), across.map(wholeOf))];
  for (const row of rows) {
    const items = row.items.map(({ id, label, missing }) =>
      makeLabel('check', boxes.get(id)!, missing ? `${label} (${missing})` : label),
    );
    lines.push(makeLine(wholeOf(row), items));
  }
  root.append(make('div', 'lines', ...lines));

  const free = [...boxes.values()].filter(({ disabled }) => !disabled);
  const chosen = () => free.filter(({ checked }) => checked).map(({ value }) => value);
  const show = () => {
    for (const whole of wholes) showWhole(whole);
    root.querySelector('[data-count]')!.textContent = `${chosen().length} of ${boxes.size}`;
  };
  root.addEventListener('change', ({ target }) => {
    const whole = wholes.find(({ box }) => box === target);
    for (const member of whole?.members ?? []) member.checked = whole!.box.checked && !member.disabled;
    show();
  });
  return {
    chosen,
    choose(ids) {
      for (const box of free) box.checked = ids.includes(box.value);
      show();
    },
  };
}

function showWhole({ box, members }: Whole): void {
  const free = members.filter(({ disabled }) => !disabled);
  const checked = free.filter((member) => member.checked).length;
  box.disabled = free.length === 0;
  box.checked = checked > 0 && checked === free.length;
  box.indeterminate = checked > 0 && checked < free.length;
}

function makeBox(value: string, missing?: string): HTMLInputElement {
  const box = make('input', '');
  box.type = 'checkbox';
  box.value = value;
  box.disabled = missing !== undefined;
  return box;
}

const makeLabel = (className: string, box: HTMLInputElement, label: string) =>
  make('label', className, box, make('span', '', label));

const makeLine = (head: HTMLElement, items: HTMLElement[]) => {
  const line = make('div', 'line', head, make('div', 'checks', ...items));
  line.setAttribute('role', 'group');
  line.setAttribute('aria-label', head.textContent ?? '');
  return line;
};
