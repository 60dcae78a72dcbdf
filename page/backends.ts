// Which backend is at work, why, and the switch to the other; the two are compared on the test part.
import { type BackendName, backendNames as names, whyNoWebGPU } from './contexts.ts';
import type { Part } from './digits.ts';
import { byId, say, sentence } from './dom.ts';
import { makeReader, type Reader } from './reader.ts';
import { compare, small } from './scores.ts';

/** @param changed is called with each reader that comes to work, and its scores of the test part */
export async function makeBackends(
  test: Part,
  changed: (reader: Reader, testScores: Float32Array) => void,
): Promise<void> {
  let atWork: Reader | undefined;
  const readers = new Map<BackendName, Reader>();
  const testScores = new Map<BackendName, Float32Array>();
  const fieldset = byId<HTMLFieldSetElement>('backend-switch');

  const work = async (reader: Reader) => {
    const scores = await reader.scores(test.features);
    readers.set(reader.backend, reader);
    testScores.set(reader.backend, scores);
    atWork = reader;
    showStatus(reader);
    showAgreement(testScores);
    changed(reader, scores);
  };
  const forget = (reader: Reader, message: string) => {
    readers.delete(reader.backend);
    if (atWork !== reader) return;
    say(byId('problem'), `The GPU was lost (${message}). The page continues on the CPU.`);
    void choose('cpu', false);
  };
  const readerOf = async (backend: BackendName) => {
    const known = readers.get(backend);
    if (known) return known;
    const made = await makeReader(backend);
    void made.lost.then(({ message }) => forget(made, message));
    return made;
  };
  const choose = async (backend: BackendName, mayComplain = true) => {
    const focused = fieldset.contains(document.activeElement);
    fieldset.disabled = true;
    if (mayComplain) say(byId('problem'), '');
    try {
      await work(await readerOf(backend));
    } catch (error) {
      say(byId('problem'), `${sentence(error)} The page stays on ${names[atWork?.backend ?? 'cpu']}.`);
    }
    fieldset.disabled = false;
    check(fieldset, atWork?.backend);
    if (focused) fieldset.querySelector<HTMLElement>(':checked')?.focus();
  };

  fieldset.addEventListener('change', ({ target }) => choose((target as HTMLInputElement).value as BackendName));
  say(byId('no-webgpu'), await whyNoWebGPU());
  const first = await makeReader('auto');
  void first.lost.then(({ message }) => forget(first, message));
  await work(first);
  fieldset.disabled = false;
  check(fieldset, first.backend);
}

function check(fieldset: HTMLFieldSetElement, backend: BackendName | undefined): void {
  for (const radio of fieldset.querySelectorAll('input')) radio.checked = radio.value === backend;
}

function showStatus(reader: Reader): void {
  document.body.dataset.backend = reader.backend;
  byId('backend-name').textContent = `Running on ${names[reader.backend]}`;
  byId('backend-adapter').textContent = reader.adapter ? `· ${reader.adapter}` : '';
  byId('backend-reason').textContent = reader.reason;
}

function showAgreement(testScores: ReadonlyMap<BackendName, Float32Array>): void {
  const [gpu, cpu] = [testScores.get('webgpu'), testScores.get('cpu')];
  if (!gpu || !cpu) return;
  const { rows, largestDifference, equalAnswers } = compare(gpu, cpu);
  const all = equalAnswers === rows;
  const element = byId('agreement');
  element.classList.toggle('problem', !all);
  say(
    element,
    `${all ? 'The answers agree' : 'The answers differ'}: largest difference of a score between WebGPU and the CPU ` +
      `${small(largestDifference)} over ${rows} digits, ${all ? `all ${rows}` : `${equalAnswers} of ${rows}`} best answers equal.`,
  );
}
