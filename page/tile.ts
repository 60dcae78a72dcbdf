// One digit of the test part as a small button.
import { featuresAt, type Part } from './digits.ts';
import { make } from './dom.ts';
import { drawPicture } from './picture.ts';

export function makeTile(part: Part, index: number, answer: number | undefined): HTMLButtonElement {
  const label = part.labels[index];
  const right = answer === label;
  const canvas = make('canvas', 'tile-picture');
  const verdict = make('span', 'tile-verdict', answer === undefined ? `${label}` : `${label} → ${answer} `);
  if (answer !== undefined) verdict.append(make('b', '', right ? '✓' : '✗'));
  const tile = make('button', `tile ${answer === undefined ? '' : right ? 'right' : 'wrong'}`, canvas, verdict);
  tile.type = 'button';
  tile.dataset.index = String(index);
  const reading = answer === undefined ? '' : `, read as ${answer}, ${right ? 'right' : 'wrong'}`;
  tile.setAttribute('aria-label', `Digit ${index + 1}: a ${label}${reading}`);
  return tile;
}

/** Canvases take their ink from the style sheet, so they are drawn once they are in the page, and when its colours change. */
export function paintTiles(part: Part, group: HTMLElement): void {
  for (const tile of group.querySelectorAll<HTMLElement>('button')) {
    drawPicture(tile.querySelector('canvas')!, featuresAt(part, Number(tile.dataset.index)));
  }
}
