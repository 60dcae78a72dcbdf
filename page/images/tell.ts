// What the view says of work that has ended: where it is seen, and spoken. Progress is seen alone.
import { byId } from '../dom.ts';

export function tell(element: HTMLElement, words: string): void {
  element.textContent = words;
  byId('images-told').textContent = words;
}
