/** The element of this id; the page is broken without it. */
export function byId<E extends HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as E;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

/** Shows the text, or hides the element where there is none. */
export function say(element: HTMLElement, text: string): void {
  element.textContent = text;
  element.hidden = text === '';
}

/** Says how something ended, where it is seen and where it is spoken; progress is seen alone. */
export function tell(seen: HTMLElement, spoken: HTMLElement, words: string): void {
  seen.textContent = spoken.textContent = words;
}

/** Speaks in a live region once the hand rests, and not at every step of a slider or point of a stroke. */
export function speaker(region: HTMLElement): (words: string) => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  return (words) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      region.textContent = words;
    }, 700);
  };
}

/** Makes a change. What is disabled or hidden by it loses the focus, which goes to the first of these that can have it. */
export function keepFocus(change: () => void, ...elements: readonly HTMLElement[]): void {
  const isOut = (element: Element) => element.matches(':disabled') || !element.checkVisibility();
  const focused = document.activeElement;
  change();
  if (focused && isOut(focused)) elements.find((element) => !isOut(element))?.focus();
}

/** A key that is held presses a button once: else the one that takes its place would be pressed next. */
export function pressOnce(...buttons: readonly HTMLElement[]): void {
  for (const button of buttons) button.addEventListener('keydown', (event) => event.repeat && event.preventDefault());
}

/** What went wrong, as a sentence. */
export function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
