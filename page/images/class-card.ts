// One class: its name, its pictures, and the ways to add to them.
import { keepFocus, make } from '../dom.ts';
import { rove, setStop } from '../roving.ts';
import type { Picture } from './pictures.ts';

export interface ClassCard {
  readonly element: HTMLElement;
  readonly name: string;
  readonly pictures: readonly Picture[];
  /** Whether it is as it was made. */
  readonly untouched: boolean;
  add(picture: Picture): void;
  /** Whether pictures can be taken with the camera. */
  camera(on: boolean): void;
  focus(): void;
}

export interface ClassEvents {
  files(files: readonly File[]): void;
  snap(): void;
  remove(): void;
  changed(): void;
}

/** Milliseconds between pictures while the button is held. */
const burst = 200;

export function makeClassCard(name: string, events: ClassEvents): ClassCard {
  const pictures: Picture[] = [];
  const input = make('input', 'class-name');
  Object.assign(input, { type: 'text', value: name, maxLength: 40, required: true, autocomplete: 'off' });
  input.setAttribute('aria-label', 'Name of the class');
  const count = make('p', 'quiet class-count');
  const thumbs = make('div', 'thumbs');
  const snap = make('button', '', 'Take a picture');
  const remove = make('button', 'quiet-button', 'Remove class');
  snap.type = remove.type = 'button';
  snap.hidden = true;
  const element = make(
    'section',
    'class-card',
    make('div', 'class-head', input, count),
    thumbs,
    make('div', 'tools', makeFileButton('Add pictures', 'image/*', true, events.files), snap, remove),
  );
  thumbs.setAttribute('role', 'toolbar');

  const show = () => {
    const named = input.value.trim() || 'the class';
    element.setAttribute('aria-label', `Class ${named}`);
    thumbs.setAttribute('aria-label', `Pictures of ${named}; choose one to remove it`);
    count.textContent = pictures.length === 1 ? '1 picture' : `${pictures.length} pictures`;
    thumbs.dataset.hint = pictures.length ? '' : 'Drop or paste pictures here';
  };
  const refresh = () => {
    setStop([...thumbs.querySelectorAll('button')], thumbs.querySelector('button') ?? undefined);
    show();
    events.changed();
  };
  const makeThumb = (picture: Picture) => {
    const thumb = make('button', 'thumb', picture.canvas);
    thumb.type = 'button';
    thumb.title = `Remove picture ${pictures.length}`;
    thumb.setAttribute('aria-label', thumb.title);
    thumb.addEventListener('click', () => {
      const next = (thumb.nextElementSibling ?? thumb.previousElementSibling ?? input) as HTMLElement;
      pictures.splice(pictures.indexOf(picture), 1);
      thumb.remove();
      refresh();
      next.focus();
    });
    return thumb;
  };
  rove(thumbs);
  onHold(snap, events.snap);
  remove.addEventListener('click', events.remove);
  input.addEventListener('input', () => {
    show();
    events.changed();
  });
  show();
  return {
    element,
    pictures,
    get untouched() {
      return input.value === name && pictures.length === 0;
    },
    get name() {
      return input.value.trim();
    },
    add(picture) {
      pictures.push(picture);
      thumbs.append(makeThumb(picture));
      refresh();
    },
    camera(on) {
      const change = () => {
        snap.hidden = !on;
      };
      keepFocus(change, input);
    },
    focus: () => input.select(),
  };
}

/** A file input that looks like a button. The same file can be chosen twice. */
export function makeFileButton(text: string, accept: string, multiple: boolean, given: (files: File[]) => void) {
  const input = make('input', 'unseen');
  Object.assign(input, { type: 'file', accept, multiple });
  input.addEventListener('change', () => {
    given([...(input.files ?? [])]);
    input.value = '';
  });
  return make('label', 'file-button', text, input);
}

/** At once, and then again and again while the pointer holds; once by keyboard. */
function onHold(button: HTMLElement, act: () => void): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  button.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    act();
    timer = setInterval(act, burst);
  });
  for (const end of ['pointerup', 'pointerleave', 'pointercancel'] as const) {
    button.addEventListener(end, () => clearInterval(timer));
  }
  button.addEventListener('click', ({ detail }) => detail === 0 && act());
}
