// Joins shader files into one WGSL module, and reads back from the text what it binds.
//
// A kernel names the files it needs and its seams. A seam is a choice among small files that declare the same names: which
// element type, which way to reduce. WGSL declarations have no order, so linking is joining; only `enable` and `requires` must
// come first, so the linker writes those. It also writes `offsets`, with one field a storage binding: the element of the binding
// at which the tensor begins, since a binding may only begin at a multiple of 256 bytes.
//
// A storage binding that a call leaves out becomes a private array of one element, so that the kernel compiles without it; it must
// not be read, and the kernel's `override HAS_NAME` says so. `override HALF_NAME` says that a binding is packed float16.

import exponentialsKept from '../../shaders/base/exponentials_kept.wgsl';
import exponentialsKeptAlong from '../../shaders/base/exponentials_kept_along.wgsl';
import exponentialsMade from '../../shaders/base/exponentials_made.wgsl';
import inputF16 from '../../shaders/base/input_f16.wgsl';
import inputHalf from '../../shaders/base/input_half.wgsl';
import inputWord from '../../shaders/base/input_word.wgsl';
import ioInPlace from '../../shaders/base/io_in_place.wgsl';
import ioSeparate from '../../shaders/base/io_separate.wgsl';
import outputF16 from '../../shaders/base/output_f16.wgsl';
import outputWord from '../../shaders/base/output_word.wgsl';
import reduceBarrier from '../../shaders/base/reduce_barrier.wgsl';
import reduceNone from '../../shaders/base/reduce_none.wgsl';
import reduceShuffle from '../../shaders/base/reduce_shuffle.wgsl';
import reduceSubgroup from '../../shaders/base/reduce_subgroup.wgsl';
import softcapNone from '../../shaders/base/softcap_none.wgsl';
import softcapTanh from '../../shaders/base/softcap_tanh.wgsl';
import sumsOwn from '../../shaders/base/sums_own.wgsl';
import sumsParts from '../../shaders/base/sums_parts.wgsl';

/** One shader file, as scripts/wgsl.ts gives it. */
export interface Part {
  /** Its path below shaders/. */
  readonly file: string;
  readonly text: string;
  /** Files that this one takes names from; of those in shaders/base/ the names, since they come with the backend. */
  readonly needs?: readonly (Part | string)[];
  /** Seams whose names this file takes. */
  readonly seams?: readonly string[];
}

const base = Object.values(import.meta.glob<Part>('../../shaders/base/*.wgsl', { eager: true, import: 'default' }));
const byName = new Map(base.map((part) => [part.file.slice('base/'.length, -'.wgsl'.length), part]));

/** The files that one takes names from. */
export const needsOf = ({ needs = [] }: Part): Part[] =>
  needs.map((need) => (typeof need === 'string' ? byName.get(need)! : need));

/** The seams that every kernel may have; an operation may bring more. */
export const seams = {
  /** How the lanes of a row, or of a strip of it, come to one value. */
  reduce: { none: reduceNone, barrier: reduceBarrier, subgroup: reduceSubgroup, shuffle: reduceShuffle },
  /** Whether exponentials are made again, or kept in the result until their sum is known, after the maximum was found or along with it. */
  exponentials: { made: exponentialsMade, kept: exponentialsKept, keptAlong: exponentialsKeptAlong },
  /** Whether the matrix-shaped result, if there is one, overwrites the input. */
  io: { separate: ioSeparate, inPlace: ioInPlace },
  /** Whether a row's sum is made by the kernel, or put together from its strips'. */
  sums: { own: sumsOwn, parts: sumsParts },
  /** Whether logits are capped. */
  softcap: { none: softcapNone, tanh: softcapTanh },
  /** What `input` and `output` are made of. */
  input: { word: inputWord, half: inputHalf, f16: inputF16 },
  output: { word: outputWord, f16: outputF16 },
} as const;

export interface Binding {
  readonly name: string;
  readonly index: number;
  readonly uniform: boolean;
}

export interface Linked {
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** Fields of `Params`, in order, with their types. */
  readonly params: readonly { readonly name: string; readonly type: string }[];
  /** Names of the pipeline-overridable constants. */
  readonly overrides: ReadonlySet<string>;
  /** The file and line of a line of `code`, counted from 1. */
  locate(line: number): string;
}

/** Where the generated uniform with the offsets is bound; kernels number their own bindings from 0. */
export const offsetsIndex = 99;

const shuffles = 'enable subgroups; requires subgroup_id; diagnostic(off, subgroup_uniformity);';
/** What a file needs said before all declarations. */
const directives: Readonly<Record<string, string>> = {
  [outputF16.file]: 'enable f16;',
  [reduceSubgroup.file]: shuffles,
  [reduceShuffle.file]: shuffles,
};

/** The kernel and all it stands on, each file once. */
function partsOf(kernel: Part, choices: Readonly<Record<string, Part>>): Part[] {
  const parts = new Set<Part>();
  const add = (part: Part) => {
    if (parts.has(part)) return;
    parts.add(part);
    needsOf(part).forEach(add);
    for (const seam of part.seams ?? []) {
      if (!choices[seam]) throw new Error(`${part.file}: nothing was chosen for the seam "${seam}"`);
      add(choices[seam]);
    }
  };
  add(kernel);
  return [...parts];
}

const declaration = /@group\(0\)\s*@binding\((\d+)\)\s*var<(storage|uniform)[^>]*>\s*(\w+)\s*:\s*([^;]+);/g;

/**
 * Joins a kernel, what it needs, and the choices for its seams; storage bindings that are not `given` are left out.
 * @param held fours of classes that a lane keeps in registers (base/fours.wgsl)
 * @param pace fours that a loop takes in one step
 */
export function link(
  kernel: Part,
  choices: Readonly<Record<string, Part>>,
  given: ReadonlySet<string>,
  held = 0,
  pace = 1,
): Linked {
  const parts = partsOf(kernel, choices);
  const enables = parts.map((part) => directives[part.file] ?? '').filter(Boolean);
  const bindings: Binding[] = [];
  const absent: string[] = [];
  const text = parts
    .map((part) => part.text)
    .join('\n')
    .replace(declaration, (declared, index, space, name, type) => {
      if (space === 'storage' && !given.has(name)) {
        absent.push(name);
        return `var<private> ${name}: ${type.replace(/>$/, ', 1>')};`;
      }
      bindings.push({ name, index: Number(index), uniform: space === 'uniform' });
      return declared;
    });
  const stored = bindings.filter(({ uniform }) => !uniform).map(({ name }) => name);
  const head = [
    ...enables,
    `const HELD = ${held}u; const PACE = ${pace}u;`,
    `struct Offsets { ${[...stored, ...absent].map((name) => `${name}: u32`).join(', ')} }`,
    `@group(0) @binding(${offsetsIndex}) var<uniform> offsets: Offsets;`,
  ];
  const params = /struct Params\s*\{([^}]*)\}/.exec(text)?.[1].replace(/\/\/[^\n]*/g, '') ?? '';
  return {
    code: `${head.join('\n')}\n${text}`,
    bindings,
    params: [...params.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, name, type]) => ({ name, type })),
    overrides: new Set([...text.matchAll(/\boverride (\w+)/g)].map(([, name]) => name)),
    locate: (line) => locate(parts, line - head.length),
  };
}

function locate(parts: readonly Part[], line: number): string {
  let rest = line;
  for (const part of parts) {
    const lines = part.text.split('\n').length;
    if (rest >= 1 && rest <= lines) return `shaders/${part.file}:${rest}`;
    rest -= lines;
  }
  return 'the linker';
}
