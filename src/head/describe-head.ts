// What a head means, besides its weights: from Hugging Face's config.json, and from the metadata of a file that a head saved.

import { WeightsFormatError } from '../errors.js';
import { shown } from '../validate.js';
import { type Activation, activations } from './activation.js';
import { isSource, type ReadOptions, readBytes } from './read-bytes.js';

export interface HeadDescription {
  /** One a class; undefined where the file has none. */
  readonly labels: readonly string[] | undefined;
  readonly activation: Activation;
  readonly temperature: number;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Hugging Face's config.json as an object: given as one, as JSON text, or by where it lies. */
export async function readConfig(fn: string, config: unknown, options?: ReadOptions): Promise<JsonObject> {
  if (config === undefined) return {};
  if (typeof config === 'string' && config.trimStart().startsWith('{')) return parseConfig(fn, config);
  if (isSource(config)) return parseConfig(fn, new TextDecoder().decode(await readBytes(fn, config, options)));
  if (isObject(config)) return config;
  throw new TypeError(`${fn}: "config" must be an object, JSON text, a URL or a Blob, got ${shown(config)}`);
}

/** The meaning of a head of so many classes. What the config says goes before what the metadata says. */
export function describeHead(
  fn: string,
  classes: number,
  config: JsonObject,
  metadata: ReadonlyMap<string, string>,
): HeadDescription {
  return {
    labels: labelsOfConfig(fn, classes, config) ?? labelsOfMetadata(fn, classes, metadata),
    activation: activationOfConfig(config) ?? activationOfMetadata(fn, metadata),
    temperature: temperatureOfMetadata(fn, metadata),
  };
}

function parseConfig(fn: string, text: string): JsonObject {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new WeightsFormatError(`${fn}: "config" is not JSON`, { cause });
  }
  if (isObject(config)) return config;
  throw new WeightsFormatError(`${fn}: "config" must be a JSON object, got ${kindOf(config)}`);
}

function labelsOfConfig(fn: string, classes: number, config: JsonObject): string[] | undefined {
  const id2label = own(config, 'id2label');
  if (id2label === undefined || id2label === null) return undefined;
  if (!isObject(id2label)) {
    throw new WeightsFormatError(`${fn}: the config's id2label must be an object, got ${kindOf(id2label)}`);
  }
  const count = Object.keys(id2label).length;
  if (count !== classes) throw wrongCount(fn, "the config's id2label", count, classes);
  return Array.from({ length: classes }, (_, index) => {
    const label = own(id2label, String(index));
    if (typeof label === 'string') return label;
    throw new WeightsFormatError(
      `${fn}: the config's id2label must name class ${index}, its entry is ${kindOf(label)}`,
    );
  });
}

function labelsOfMetadata(fn: string, classes: number, metadata: ReadonlyMap<string, string>): string[] | undefined {
  const text = metadata.get('labels');
  if (text === undefined) return undefined;
  let labels: unknown;
  try {
    labels = JSON.parse(text);
  } catch {}
  if (!Array.isArray(labels) || labels.some((label) => typeof label !== 'string')) {
    throw new WeightsFormatError(`${fn}: the file's metadata "labels" must be a JSON array of strings`);
  }
  if (labels.length !== classes) throw wrongCount(fn, `the file's metadata "labels"`, labels.length, classes);
  return labels;
}

function activationOfConfig(config: JsonObject): Activation | undefined {
  const type = own(config, 'problem_type');
  if (type === 'multi_label_classification') return 'sigmoid';
  return type === 'single_label_classification' ? 'softmax' : undefined;
}

function activationOfMetadata(fn: string, metadata: ReadonlyMap<string, string>): Activation {
  const text = metadata.get('activation') ?? 'softmax';
  const activation = activations.find((name) => name === text);
  if (activation) return activation;
  throw new WeightsFormatError(
    `${fn}: the file's metadata "activation" must be "softmax" or "sigmoid", got ${shown(text.slice(0, 100))}`,
  );
}

function temperatureOfMetadata(fn: string, metadata: ReadonlyMap<string, string>): number {
  const text = metadata.get('temperature') ?? '1';
  const temperature = Number(text);
  if (temperature > 0 && Number.isFinite(temperature)) return temperature;
  throw new WeightsFormatError(
    `${fn}: the file's metadata "temperature" must be a positive number, got ${shown(text.slice(0, 100))}`,
  );
}

const wrongCount = (fn: string, what: string, count: number, classes: number): WeightsFormatError =>
  new WeightsFormatError(`${fn}: ${what} has ${count} labels, but the weight has ${classes} classes`);

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// A config comes from anywhere, and what its prototype has is not in it.
const own = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
}
