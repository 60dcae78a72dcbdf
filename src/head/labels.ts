import { ShapeError } from '../errors.js';
import { shown } from '../validate.js';

/** A class as `allow` and `deny` name it: by label, or by index. */
export type ClassName = string | number;

/** The labels of so many classes: a copy of the caller's, or "0", "1", ... */
export function labelsOf(fn: string, labels: unknown, classes: number): readonly string[] {
  if (labels === undefined) return Object.freeze(Array.from({ length: classes }, (_, index) => String(index)));
  if (!Array.isArray(labels)) throw new TypeError(`${fn}: "labels" must be an array of strings, got ${shown(labels)}`);
  const bad = labels.findIndex((label) => typeof label !== 'string');
  if (bad >= 0) throw new TypeError(`${fn}: "labels" must hold strings, labels[${bad}] is ${shown(labels[bad])}`);
  if (labels.length !== classes) {
    throw new ShapeError(`${fn}: "labels" must name each of the ${classes} classes, got ${labels.length}`);
  }
  return Object.freeze([...labels]);
}

/** 1 for each class that may be answered, 0 for the others; null where all may. */
export function keptClasses(fn: string, labels: readonly string[], allow: unknown, deny: unknown): Uint32Array | null {
  if (allow === undefined && deny === undefined) return null;
  const byLabel = indicesByLabel(labels);
  const kept = new Uint32Array(labels.length).fill(allow === undefined ? 1 : 0);
  for (const index of indicesOf(fn, 'allow', allow, byLabel, labels.length)) kept[index] = 1;
  for (const index of indicesOf(fn, 'deny', deny, byLabel, labels.length)) kept[index] = 0;
  return kept;
}

/** Several classes may share a label; it then means all of them. */
function indicesByLabel(labels: readonly string[]): Map<string, number[]> {
  const byLabel = new Map<string, number[]>();
  labels.forEach((label, index) => {
    const indices = byLabel.get(label);
    if (indices) indices.push(index);
    else byLabel.set(label, [index]);
  });
  return byLabel;
}

function indicesOf(
  fn: string,
  option: string,
  names: unknown,
  byLabel: ReadonlyMap<string, number[]>,
  classes: number,
): number[] {
  if (names === undefined) return [];
  if (!Array.isArray(names)) {
    throw new TypeError(`${fn}: "${option}" must be an array of labels or class indices, got ${shown(names)}`);
  }
  return names.flatMap((name) => {
    if (typeof name === 'string') {
      const indices = byLabel.get(name);
      if (indices) return indices;
      throw new RangeError(`${fn}: "${option}" must hold labels of the head, got ${shown(name)}`);
    }
    if (typeof name !== 'number') {
      throw new TypeError(`${fn}: "${option}" must hold labels or class indices, got ${shown(name)}`);
    }
    if (Number.isInteger(name) && name >= 0 && name < classes) return name;
    throw new RangeError(`${fn}: "${option}" must hold class indices from 0 to ${classes - 1}, got ${name}`);
  });
}
