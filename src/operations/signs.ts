// Targets that are -1 or 1.

import type { HostOperand } from '../backend.js';
import type { Operation } from '../context.js';
import { Tensor } from '../tensor.js';
import { flag } from '../validate.js';

/** Of losses whose targets may be checked. */
export interface CheckedTargets {
  /** Whether targets in a tensor are read back and checked too: on the GPU, results then reject with the RangeError. */
  validate?: boolean;
}

/** What an error calls the number of a target. */
type Place = 'at element' | 'in row';

/** The check that targets are -1 or 1: made now of those in arrays, and with `validate` later of those in a tensor. */
export function signCheck(
  fn: string,
  targets: Tensor | HostOperand,
  validate: unknown,
  place: Place,
  of = 'targets',
): Operation<string>['check'] {
  const wanted = flag(fn, 'validate', validate);
  if (!(targets instanceof Tensor)) expectSigns(fn, targets.values, place);
  return wanted && targets instanceof Tensor ? { of, expect: (values) => expectSigns(fn, values, place) } : undefined;
}

function expectSigns(fn: string, targets: ArrayLike<number>, place: Place): void {
  for (let i = 0; i < targets.length; i++) {
    if (targets[i] === 1 || targets[i] === -1) continue;
    throw new RangeError(`${fn}: "targets" must be -1 or 1, got ${targets[i]} ${place} ${i}`);
  }
}
