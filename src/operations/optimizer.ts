// What every optimizer does: checks, state for each parameter from its first step on, and one kernel a parameter.

import type { Constants, Spec, Values } from '../backend.js';
import { ShapeError } from '../errors.js';
import { elementsOf } from '../rows.js';
import type { Tensor } from '../tensor.js';
import { expectShape, fromZero, shown } from '../validate.js';
import type { Part } from '../webgpu/link.js';
import { expectOf, expectTensor } from './operands.js';

/** What an optimizer keeps of one parameter: how many steps it took, and its numbers by name. */
export interface OptimizerState {
  /** Steps taken. */
  readonly step: number;
  /** What it keeps, by name, such as adam's two means; each in the shape of the parameter, row by row. */
  readonly slots: Readonly<Record<string, Float32Array>>;
}

/** Moves parameters against their gradients. Made by `sgd`, `adam` or `adamW`. */
export interface Optimizer {
  /** Which rule it is. */
  readonly name: 'sgd' | 'adam' | 'adamW';
  /** May be set between steps. */
  learningRate: number;
  /**
   * Moves each parameter, in place and on its device, and returns at once. State is float32, is made for a parameter at its first step
   * and freed by `dispose()`.
   *
   * A gradient that is NaN makes its parameter NaN, and none other. One that is infinite makes it infinite or NaN with sgd, NaN with
   * adam and adamW, as in PyTorch.
   * @param parameters float32
   * @param gradients float32, in the order and of the shapes of the parameters
   * @throws TypeError, ShapeError or DisposedError before anything is moved
   */
  step(parameters: readonly Tensor[], gradients: readonly Tensor[]): void;
  /** Copies of what is kept of each parameter, null where it took no step. */
  state(parameters: readonly Tensor[]): Promise<(OptimizerState | null)[]>;
  /** Goes on from copies that `state` gave, for the same or other tensors of the same shapes. */
  restore(parameters: readonly Tensor[], states: readonly (OptimizerState | null)[]): void;
  /** Frees all state; the parameters stay. Steps taken later begin anew. */
  dispose(): void;
}

/** What is an optimizer's own. */
export interface Rule {
  readonly name: Optimizer['name'];
  readonly kernel: Part;
  /** The names of what is kept a parameter, as the kernel binds them. */
  readonly slots: readonly string[];
  readonly constants?: Constants;
  /** Of the step of that number, counted from 1. */
  uniforms(learningRate: number, step: number): Record<string, number>;
  cpu(arrays: Record<string, Values>, uniforms: Record<string, number>): void;
}

interface Kept {
  step: number;
  readonly slots: Readonly<Record<string, Tensor>>;
}

export function optimizerOf(rule: Rule, learningRate: number): Optimizer {
  let current = learningRate;
  let states = new WeakMap<Tensor, Kept>();
  const held = new Set<Tensor>();
  const forget = (parameter: Tensor) => {
    for (const tensor of Object.values(states.get(parameter)?.slots ?? {})) {
      held.delete(tensor);
      tensor.dispose();
    }
    states.delete(parameter);
  };
  return {
    name: rule.name,
    get learningRate() {
      return current;
    },
    set learningRate(value) {
      current = fromZero(rule.name, 'learningRate', value, null);
    },
    step(parameters, gradients) {
      const fn = `${rule.name}.step`;
      expectParameters(fn, parameters);
      expectGradients(fn, parameters, gradients);
      if (parameters.length === 0) return;
      const before = parameters.map((parameter) => states.get(parameter));
      const slots = run(fn, rule, current, parameters, gradients, before);
      parameters.forEach((parameter, i) => {
        const known = before[i];
        states.set(parameter, { step: (known?.step ?? 0) + 1, slots: slots[i] });
        for (const tensor of Object.values(slots[i])) held.add(tensor);
        parameter.context.remembered(() => (known ? states.set(parameter, known) : states.delete(parameter)));
      });
    },
    async state(parameters) {
      expectParameters(`${rule.name}.state`, parameters);
      return Promise.all(parameters.map((parameter) => copied(states.get(parameter))));
    },
    restore(parameters, given) {
      const fn = `${rule.name}.restore`;
      expectParameters(fn, parameters);
      expectStates(fn, rule, parameters, given);
      parameters.forEach((parameter, i) => {
        forget(parameter);
        const state = given[i];
        if (!state) return;
        const slots = rule.slots.map((slot) => [slot, parameter.context.tensor(state.slots[slot], parameter.shape)]);
        states.set(parameter, { step: state.step, slots: Object.fromEntries(slots) });
        for (const [, tensor] of slots) held.add(tensor as Tensor);
      });
    },
    dispose() {
      for (const tensor of held) tensor.dispose();
      held.clear();
      states = new WeakMap();
    },
  };
}

async function copied(kept: Kept | undefined): Promise<OptimizerState | null> {
  if (!kept) return null;
  const { step } = kept;
  const named = Object.entries(kept.slots).map(async ([slot, tensor]) => [slot, await tensor.data()] as const);
  return { step, slots: Object.fromEntries(await Promise.all(named)) as Record<string, Float32Array> };
}

/** One call for all parameters, one kernel each. Gives what is kept of each: new at its first step. */
function run(
  fn: string,
  rule: Rule,
  learningRate: number,
  parameters: readonly Tensor[],
  gradients: readonly Tensor[],
  before: readonly (Kept | undefined)[],
): Record<string, Tensor>[] {
  const reads: Record<string, Tensor> = {};
  const writes: Record<string, Tensor | Spec> = {};
  const uniforms = before.map((kept) => ({
    first_step: kept ? 0 : 1,
    ...rule.uniforms(learningRate, (kept?.step ?? 0) + 1),
  }));
  parameters.forEach((parameter, i) => {
    reads[`gradient${i}`] = gradients[i];
    // Read too: what failed before stays with it.
    for (const map of [reads, writes]) map[`parameter${i}`] = parameter;
    for (const slot of rule.slots) {
      const known = before[i]?.slots[slot];
      if (known) reads[slot + i] = known;
      writes[slot + i] = known ?? { dtype: 'float32', shape: parameter.shape };
    }
  });
  const names = ['parameter', 'gradient', ...rule.slots];
  const of = <T>(all: Record<string, T>, i: number) => names.map((name) => [name, all[name + i]] as const);
  const results = parameters[0].context.run<string>({
    name: fn,
    reads,
    writes,
    cpu: (arrays) => {
      for (const [i, own] of uniforms.entries()) rule.cpu(Object.fromEntries(of(arrays, i)), own);
    },
    gpu: (gpu, storages) => {
      for (const [i, own] of uniforms.entries()) {
        gpu.rows({
          kernel: rule.kernel,
          rows: elementsOf(parameters[i].size),
          bindings: Object.fromEntries(of(storages, i).map(([name, storage]) => [name, [storage, 1] as const])),
          uniforms: own,
          constants: rule.constants,
        });
      }
    },
  });
  return parameters.map((_, i) => Object.fromEntries(rule.slots.map((slot) => [slot, results[slot + i]])));
}

function expectParameters(fn: string, parameters: unknown): asserts parameters is readonly Tensor[] {
  if (!Array.isArray(parameters))
    throw new TypeError(`${fn}: "parameters" must be an array of tensors, got ${shown(parameters)}`);
  for (const [i, parameter] of parameters.entries()) {
    const name = `parameters[${i}]`;
    expectOf(fn, name, parameter, expectTensor(fn, 'parameters[0]', parameters[0], ['float32']).context, ['float32']);
    if (parameters.indexOf(parameter) < i) throw new TypeError(`${fn}: "${name}" is among the parameters twice`);
  }
}

function expectGradients(fn: string, parameters: readonly Tensor[], gradients: unknown): void {
  if (!Array.isArray(gradients))
    throw new TypeError(`${fn}: "gradients" must be an array of tensors, got ${shown(gradients)}`);
  if (gradients.length !== parameters.length)
    throw new ShapeError(`${fn}: "gradients" must be ${parameters.length}, one a parameter, got ${gradients.length}`);
  for (const [i, parameter] of parameters.entries()) {
    const name = `gradients[${i}]`;
    const gradient = expectOf(fn, name, gradients[i], parameter.context, ['float32']);
    expectShape(fn, name, gradient.shape, parameter.shape, 'as its parameter has');
    // The same words cannot be bound to be read and to be written, and a step reads what it writes.
    if (gradient === parameter || (gradient.storage.buffer && gradient.storage.buffer === parameter.storage.buffer))
      throw new TypeError(`${fn}: "${name}" may not lie in its parameter's memory`);
  }
}

function expectStates(
  fn: string,
  { slots }: Rule,
  parameters: readonly Tensor[],
  states: readonly (OptimizerState | null)[],
): void {
  if (!Array.isArray(states) || states.length !== parameters.length)
    throw new TypeError(`${fn}: "states" must be an array of ${parameters.length}, one a parameter`);
  for (const [i, state] of states.entries()) {
    if (state === null) continue;
    const fits = (slot: string) =>
      state?.slots?.[slot] instanceof Float32Array && state.slots[slot].length === parameters[i].size;
    const whole = Number.isInteger(state?.step) && state.step >= 1;
    if (!whole || Object.keys(state.slots ?? {}).length !== slots.length || !slots.every(fits)) {
      const what = slots.length ? slots.join(', ') : 'nothing';
      throw new TypeError(
        `${fn}: "states[${i}]" must be a step from 1 with slots of ${what}, ${parameters[i].size} numbers each, or null`,
      );
    }
  }
}
