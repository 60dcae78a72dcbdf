// How the learning rate goes over the steps of a training: pure functions, written down beside PyTorch's names.

import { count, knownOptions, positive, share } from '../validate.js';

/** The factor of the learning rate at a step, counted from 0, of so many. */
export type Schedule = (step: number, steps: number) => number;

/** From 1 at a share of 0 to 0 at 1, along half a cosine. */
const cosine = (progress: number): number => (1 + Math.cos(Math.PI * progress)) / 2;

/** Always 1. */
export const constantSchedule = (): Schedule => () => 1;

/** gamma^floor(step / stepSize) (torch.optim.lr_scheduler.StepLR, here in steps of the optimizer). gamma is 0.1 by default. */
export function stepSchedule(options: { stepSize: number; gamma?: number }): Schedule {
  const fn = 'stepSchedule';
  knownOptions(fn, options, ['stepSize', 'gamma']);
  const stepSize = count(fn, 'stepSize', options?.stepSize, null);
  const gamma = positive(fn, 'gamma', options.gamma, 0.1);
  return (step) => gamma ** Math.floor(step / stepSize);
}

/** last + (1 - last) (1 + cos(pi step / steps)) / 2 (CosineAnnealingLR with T_max = steps). `last` is 0 by default. */
export function cosineSchedule(options: { last?: number } = {}): Schedule {
  const fn = 'cosineSchedule';
  knownOptions(fn, options, ['last']);
  const last = share(fn, 'last', options.last, 0);
  return (step, total) => last + (1 - last) * cosine(step / total);
}

/**
 * From `first` to 1 along a line in so many steps (LinearLR), then as another schedule has it over the steps that are left. `first` is
 * 1 / (steps + 1) by default, so that no step is lost.
 */
export function warmupSchedule(
  options: { steps: number; first?: number },
  then: Schedule = constantSchedule(),
): Schedule {
  const fn = 'warmupSchedule';
  knownOptions(fn, options, ['steps', 'first']);
  const warm = count(fn, 'steps', options?.steps, null);
  const first = share(fn, 'first', options.first, 1 / (warm + 1));
  if (typeof then !== 'function') throw new TypeError(`${fn}: "then" must be a schedule`);
  return (step, total) =>
    step < warm ? first + ((1 - first) * step) / warm : then(step - warm, Math.max(1, total - warm));
}

/**
 * Up from 1 / divFactor to 1 over the share `pctStart` of all steps, and down to 1 / (divFactor x finalDivFactor), both along half a
 * cosine (OneCycleLR; Smith and Topin 2018, Super-Convergence). By default 0.3, 25 and 1e4.
 */
export function oneCycleSchedule(
  options: { pctStart?: number; divFactor?: number; finalDivFactor?: number } = {},
): Schedule {
  const fn = 'oneCycleSchedule';
  knownOptions(fn, options, ['pctStart', 'divFactor', 'finalDivFactor']);
  const pctStart = share(fn, 'pctStart', options.pctStart, 0.3);
  const first = 1 / positive(fn, 'divFactor', options.divFactor, 25);
  const last = first / positive(fn, 'finalDivFactor', options.finalDivFactor, 1e4);
  return (step, total) => {
    const top = pctStart * total - 1; // the step with the factor 1
    const [from, to] = step <= top ? [first, 1] : [1, last];
    const progress = step <= top ? step / top : (step - top) / (total - 1 - top);
    return to + (from - to) * cosine(Number.isFinite(progress) ? Math.min(1, progress) : 1);
  };
}
