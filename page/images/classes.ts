// The classes and their pictures: what is added to which, one after the other, so that the page stays responsive.
import { byId, sentence } from '../dom.ts';
import { pause } from '../pause.ts';
import type { Camera } from './camera.ts';
import { type ClassCard, makeClassCard } from './class-card.ts';
import { type Picture, pictureOf, pictureOfFile } from './pictures.ts';
import { drawShape, shapeNames } from './samples.ts';

export interface Classes {
  readonly cards: readonly ClassCard[];
  /** Adds the files to the class whose card holds the element; false where none does. */
  addTo(element: Element | null, files: readonly File[]): boolean;
  /** Four classes of drawn shapes, in place of those that nothing was done with. */
  addSamples(): Promise<void>;
  camera(on: boolean): void;
}

export interface ClassesOptions {
  readonly camera: () => Camera;
  changed(): void;
  /** Progress, in words. */
  say(words: string): void;
  /** How it ended, which is spoken too. */
  told(words: string): void;
  failed(message: string): void;
}

const mostPictures = 300;
const samplesEach = 24;

export function makeClasses({ camera, changed, say, told, failed }: ClassesOptions): Classes {
  const list = byId('images-classes');
  const cards: ClassCard[] = [];
  let filling: Promise<void> = Promise.resolve();

  /** Makes pictures one at a time, after those that are being made already. */
  const fill = (makers: readonly { card: ClassCard; make: () => Picture | Promise<Picture> }[]) => {
    filling = filling.then(async () => {
      const refused: string[] = [];
      let added = 0;
      for (const [i, { card, make }] of makers.entries()) {
        if (!cards.includes(card)) continue; // removed meanwhile
        say(`Looking at picture ${i + 1} of ${makers.length} …`);
        try {
          if (card.pictures.length >= mostPictures) throw new Error(`A class takes at most ${mostPictures} pictures.`);
          card.add(await make());
          added++;
        } catch (error) {
          refused.push(sentence(error));
        }
        await pause();
      }
      const kinds = [...new Set(refused)];
      failed(kinds.slice(0, 3).join(' ') + (kinds.length > 3 ? ` And ${kinds.length - 3} more.` : ''));
      told(added === 1 ? 'Added 1 picture.' : `Added ${added} pictures.`);
    });
    return filling;
  };
  const given = new WeakSet<ClassCard>();
  const addFiles = (card: ClassCard, files: readonly File[]) => {
    given.add(card);
    void fill(files.map((file) => ({ card, make: () => pictureOfFile(file) })));
  };
  const add = (name: string) => {
    const card = makeClassCard(name, {
      files: (files) => addFiles(card, files),
      snap: () => {
        if (card.pictures.length < mostPictures) card.add(pictureOf((canvas) => camera().draw(canvas)));
      },
      remove: () => remove(card),
      changed,
    });
    card.camera(camera().on);
    cards.push(card);
    list.append(card.element);
    return card;
  };
  const remove = (card: ClassCard) => {
    const at = cards.indexOf(card);
    cards.splice(at, 1);
    card.element.remove();
    (cards[Math.min(at, cards.length - 1)]?.element.querySelector('input') ?? byId('images-add')).focus();
    changed();
  };
  const nextName = () => {
    const taken = cards.map(({ name }) => name);
    let number = cards.length + 1;
    while (taken.includes(`Class ${number}`)) number++;
    return `Class ${number}`;
  };
  byId('images-add').addEventListener('click', () => {
    add(nextName()).focus();
    changed();
  });
  add('Class 1');
  add('Class 2');

  return {
    cards,
    addTo(element, files) {
      const card = cards.find((one) => one.element.contains(element));
      if (card) addFiles(card, files);
      return card !== undefined;
    },
    addSamples() {
      for (const card of cards.filter((one) => one.untouched && !given.has(one))) {
        cards.splice(cards.indexOf(card), 1);
        card.element.remove();
      }
      const makers = shapeNames.flatMap((shape) => {
        const card = cards.find(({ name }) => name === shape) ?? add(shape);
        const first = card.pictures.length;
        return Array.from({ length: samplesEach }, (_, i) => ({
          card,
          make: () => pictureOf((canvas) => drawShape(canvas, shape, first + i)),
        }));
      });
      return fill(makers);
    },
    camera(on) {
      for (const card of cards) card.camera(on);
    },
  };
}

/** What keeps the classes from being trained on, in words; empty where nothing does. */
export function whatIsMissing(cards: readonly ClassCard[]): string {
  const filled = cards.filter(({ pictures }) => pictures.length > 0);
  const names = filled.map(({ name }) => name);
  if (filled.length < 2) return 'Two classes with pictures are needed; more pictures make it better.';
  if (names.includes('')) return 'A class has no name.';
  const twice = names.find((name, i) => names.indexOf(name) < i);
  return twice ? `Two classes are called “${twice}”.` : '';
}
