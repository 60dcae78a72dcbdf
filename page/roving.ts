// The arrow keys in a grid of buttons that is one tab stop.

/** Where a key leads from one button of so many; undefined for other keys, the same place beyond the ends. */
export function destination(key: string, from: number, count: number, columns: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowLeft: from - 1,
    ArrowRight: from + 1,
    ArrowUp: from - columns,
    ArrowDown: from + columns,
    Home: 0,
    End: count - 1,
  };
  const to = steps[key];
  if (to === undefined) return undefined;
  return to >= 0 && to < count ? to : from;
}

export const columnsOf = (grid: HTMLElement) => getComputedStyle(grid).gridTemplateColumns.split(' ').length;

/** Makes one of the buttons the tab stop. */
export function setStop(buttons: readonly HTMLElement[], stop: HTMLElement | undefined): void {
  for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
}

/** Keys go from button to button; the one that has the focus is the tab stop. Buttons may come and go. */
export function rove(group: HTMLElement, columns: () => number = () => columnsOf(group)): void {
  const buttons = () => [...group.querySelectorAll<HTMLElement>('button')];
  group.addEventListener('keydown', (event) => {
    const all = buttons();
    const from = all.indexOf(event.target as HTMLElement);
    const to = from < 0 ? undefined : destination(event.key, from, all.length, columns());
    if (to === undefined) return;
    event.preventDefault();
    all[to].focus();
  });
  group.addEventListener('focusin', ({ target }) => setStop(buttons(), target as HTMLElement));
}
