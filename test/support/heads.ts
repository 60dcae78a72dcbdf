// What the tests of the head share: its answers in float64, and files of weights.
import { expect } from 'vitest';
import { type TensorToStore, writeSafetensors } from '../../src/formats/safetensors.ts';
import type { Prediction } from '../../src/head/classification-head.ts';
import { normal } from './random.ts';

const infinity = Number.POSITIVE_INFINITY;

interface Expectation {
  weight: readonly (readonly number[])[];
  bias?: readonly number[];
  labels?: readonly string[];
  activation?: 'softmax' | 'sigmoid';
  temperature?: number;
  topK?: number;
  threshold?: number;
  allowed?: (index: number) => boolean;
}

/** What `predict` must answer for one row, in float64. */
export function answersOf(features: readonly number[], head: Expectation): Prediction[] {
  const { weight, bias, temperature = 1, threshold = -infinity, allowed = () => true } = head;
  const logits = weight.map((row, c) => row.reduce((sum, w, d) => sum + w * features[d], bias?.[c] ?? 0) / temperature);
  const scores = head.activation === 'sigmoid' ? logits.map((x) => 1 / (1 + Math.exp(-x))) : softmaxOf(logits);
  const key = (score: number) => (Number.isNaN(score) ? infinity : score);
  return scores
    .map((score, index) => ({ label: head.labels?.[index] ?? String(index), index, score }))
    .filter(({ index }) => allowed(index))
    .sort((a, b) => (key(a.score) === key(b.score) ? a.index - b.index : key(b.score) - key(a.score)))
    .slice(0, head.topK ?? 5)
    .filter(({ score }) => threshold === -infinity || score >= threshold);
}

function softmaxOf(logits: number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The same classes in the same order, the scores to a few units of float32 (or what else is allowed). */
export function expectAnswers(actual: Prediction[][], expected: Prediction[][], tolerance = 2e-6): void {
  const classes = (lists: Prediction[][]) => lists.map((list) => list.map(({ label, index }) => [label, index]));
  expect(classes(actual)).toEqual(classes(expected));
  actual.forEach((list, row) => {
    list.forEach(({ score }, i) => {
      const wanted = expected[row][i].score;
      const close = Number.isNaN(wanted) ? Number.isNaN(score) : Math.abs(score - wanted) <= tolerance * wanted;
      expect(close, `row ${row}, answer ${i}: ${score} for ${wanted}`).toBe(true);
    });
  });
}

/** Float32 numbers as rows. */
export function matrix(rows: number, columns: number, seed: number): number[][] {
  const flat = [...normal(rows * columns, { seed })];
  return Array.from({ length: rows }, (_, row) => flat.slice(row * columns, (row + 1) * columns));
}

export const animals = ['cat', 'dog', 'emu', 'fox'];
export const identity = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];

export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error) => error,
  );
}

export const tensor = (name: string, values: number[][] | number[]): TensorToStore => {
  const flat = values.flat();
  const shape = Array.isArray(values[0]) ? [values.length, values[0].length] : [values.length];
  return { name, shape, values: Float32Array.from(flat) };
};

/** A safetensors file of float32 tensors. */
export const fileOf = (tensors: TensorToStore[], metadata?: Record<string, string>): ArrayBuffer =>
  writeSafetensors(tensors, metadata).buffer;

export const animalFile = fileOf([tensor('classifier.weight', identity), tensor('classifier.bias', [0, 0, 0, 1])]);
