// Compute pipelines, each made once: a kernel, the choices for its seams, and the values of its constants.

import type { Constants } from '../backend.js';
import { ShaderError } from '../errors.js';
import { type Linked, link, type Part } from './link.js';

/** What names a pipeline. */
export interface Variant {
  readonly kernel: Part;
  readonly choices: Readonly<Record<string, Part>>;
  /** The storage bindings that the call has. */
  readonly given: ReadonlySet<string>;
  readonly constants: Constants;
  /** Fours of classes that a lane keeps in registers. */
  readonly held?: number;
  /** Fours that a loop takes in one step. */
  readonly pace?: number;
}

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly linked: Linked;
  /** Settles to the compiler's complaint, or to null. */
  readonly failure: Promise<ShaderError | null>;
}

interface Module {
  readonly linked: Linked;
  readonly module: GPUShaderModule;
}

/** Asked once of each module: Chromium 156 holds a second answer back until something else is queued, which may be never. */
const infos = new WeakMap<GPUShaderModule, Promise<GPUCompilationInfo>>();

/** The compiler's messages with the file and line of each; null where there are no errors. */
export async function complaints(name: string, module: GPUShaderModule, linked: Linked): Promise<string | null> {
  const info = infos.get(module) ?? module.getCompilationInfo();
  infos.set(module, info);
  const { messages } = await info;
  const errors = messages.filter((message) => message.type === 'error');
  if (!errors.length) return null;
  const lines = errors.map((error) => `${linked.locate(error.lineNum)}:${error.linePos}: ${error.message}`);
  return `${name} does not compile:\n${lines.join('\n')}`;
}

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Pipeline>();
  /** What `prepare` waits for now. */
  readonly #compiling = new Map<string, Promise<void>>();
  readonly #modules = new Map<string, Module>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The pipeline, made now if it is new; the caller has pushed the error scopes. */
  get(name: string, variant: Variant): Pipeline {
    const key = keyOf(variant);
    let made = this.#pipelines.get(key);
    if (!made) {
      const { module, descriptor } = this.#describe(name, variant);
      this.#device.pushErrorScope('validation');
      const pipeline = this.#device.createComputePipeline(descriptor);
      const failure = this.#device
        .popErrorScope()
        .then((error) => error && explain(name, module, error.message))
        .catch(() => null); // the device is lost, which is told elsewhere
      made = { pipeline, linked: module.linked, failure };
      this.#pipelines.set(key, made);
    }
    return made;
  }

  /** The same without blocking, for later calls of `get`. */
  prepare(name: string, variant: Variant): Promise<void> {
    const key = keyOf(variant);
    if (this.#pipelines.has(key)) return Promise.resolve();
    const compiled = this.#compiling.get(key) ?? this.#compile(name, key, variant);
    this.#compiling.set(key, compiled);
    return compiled.finally(() => this.#compiling.delete(key));
  }

  async #compile(name: string, key: string, variant: Variant): Promise<void> {
    const { module, descriptor } = this.#describe(name, variant);
    try {
      const pipeline = await this.#device.createComputePipelineAsync(descriptor);
      const failure = Promise.resolve(null);
      this.#pipelines.set(key, { pipeline, linked: module.linked, failure });
    } catch (error) {
      throw await explain(name, module, String(error instanceof Error ? error.message : error));
    }
  }

  #describe(name: string, variant: Variant) {
    const module = this.#module(name, variant);
    const known = Object.entries(variant.constants).filter(([constant]) => module.linked.overrides.has(constant));
    const compute = {
      module: module.module,
      constants: Object.fromEntries(known.map(([constant, value]) => [constant, Number(value)])),
    };
    return { module, descriptor: { label: name, layout: 'auto' as const, compute } };
  }

  #module(name: string, variant: Variant): Module {
    const key = textOf(variant);
    let module = this.#modules.get(key);
    if (!module) {
      const linked = link(variant.kernel, variant.choices, variant.given, variant.held, variant.pace);
      this.#device.pushErrorScope('validation'); // what it would catch is told by getCompilationInfo, with its lines
      const made = this.#device.createShaderModule({ code: linked.code, label: name });
      this.#device.popErrorScope().catch(() => null);
      module = { linked, module: made };
      this.#modules.set(key, module);
    }
    return module;
  }
}

async function explain(name: string, { module, linked }: Module, message: string): Promise<ShaderError> {
  return new ShaderError((await complaints(name, module, linked)) ?? `${name}: ${message}`);
}

/** What decides the text of a module. */
const textOf = ({ kernel, choices, given, held, pace }: Variant): string =>
  [...[kernel, ...Object.values(choices)].map((part) => part.file), ...given, held, pace].join(' ');

const keyOf = (variant: Variant): string => `${textOf(variant)} ${JSON.stringify(variant.constants)}`;
