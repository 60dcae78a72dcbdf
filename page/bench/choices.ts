// The form: which cases and contenders, for how long, and how times are shown. It can be written into an address and back.
import { allCases, shapeOf } from '../../bench/speed/cases.ts';
import { allContenders } from '../../bench/speed/contenders.ts';
import type { Case, Contender } from '../../bench/speed/types.ts';
import { byId } from '../dom.ts';
import { type Choice, type Known, readChoice, writeChoice } from './address.ts';
import { isMissing, missingWord, presentContenders } from './peers.ts';
import { type Group, makePicker } from './picker.ts';
import { kindWords, operationWords, type ScaleName, shapeWords, type TimeName } from './words.ts';

/** A first look takes a minute, not an hour: one shape of each operation. */
const firstShapes = ['1024x1000', 'N64 D768 C1000'];

const known: Known = {
  cases: allCases.map(({ id }) => id),
  contenders: presentContenders,
  defaults: {
    cases: allCases.filter((one) => firstShapes.includes(shapeOf(one))).map(({ id }) => id),
    contenders: presentContenders,
    budget: 300,
    time: 'resident',
    scale: 'log',
  },
};

export interface Choices {
  read(): Choice;
  restore(settings: URLSearchParams): void;
  /** As the settings of an address. */
  written(): string;
}

export function makeChoices(): Choices {
  const cases = makePicker(
    byId('bench-cases'),
    groupsOf(({ operation }) => operationWords[operation], shapeWords),
    groupsOf(shapeWords),
  );
  const contenders = makePicker(byId('bench-contenders'), groupsOfContenders());
  const budget = byId<HTMLInputElement>('bench-budget');
  const [time, scale] = [makeSwitch('bench-time'), makeSwitch('bench-scale')];
  const read = (): Choice => ({
    cases: cases.chosen(),
    contenders: contenders.chosen(),
    budget: budget.valueAsNumber,
    time: time.value as TimeName,
    scale: scale.value as ScaleName,
  });
  return {
    read,
    restore(settings) {
      const choice = readChoice(settings, known);
      cases.choose(choice.cases);
      contenders.choose(choice.contenders);
      budget.value = String(choice.budget);
      time.value = choice.time;
      scale.value = choice.scale;
    },
    written: () => writeChoice(read(), known),
  };
}

/** Cases that share a heading, in the order in which headings first come. */
function groupsOf(heading: (one: Case) => string, label: (one: Case) => string = heading): Group[] {
  return [...new Set(allCases.map(heading))].map((value) => ({
    label: value,
    items: allCases.filter((one) => heading(one) === value).map((one) => ({ id: one.id, label: label(one) })),
  }));
}

function groupsOfContenders(): Group[] {
  return (Object.keys(kindWords) as Contender['kind'][]).map((kind) => ({
    label: kindWords[kind],
    items: allContenders
      .filter((one) => one.kind === kind)
      .map(({ id, label }) => ({ id, label, missing: isMissing(id) ? missingWord : undefined })),
  }));
}

/** The radio buttons of one name, as one value. */
function makeSwitch(name: string): { value: string } {
  const radios = [...byId('bench-results').querySelectorAll<HTMLInputElement>(`[name=${name}]`)];
  return {
    get value() {
      return radios.find(({ checked }) => checked)!.value;
    },
    set value(value) {
      for (const radio of radios) radio.checked = radio.value === value;
    },
  };
}
