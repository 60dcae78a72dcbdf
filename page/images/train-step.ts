// The second step: its button, what it says, its curves.
import type { FitProgress } from '../../src/index.ts';
import { duration } from '../bench/words.ts';
import { byId, keepFocus, pressOnce, say, sentence, tell } from '../dom.ts';
import { makeCurves } from '../train/curves.ts';
import type { ClassCard } from './class-card.ts';
import { whatIsMissing } from './classes.ts';
import { describeTraining } from './head-file.ts';
import { type Trained, trainOn } from './training.ts';

export interface TrainStep {
  /** After a change of the classes. */
  plan(): void;
}

export function makeTrainStep(cards: readonly ClassCard[], trained: (outcome: Trained) => void): TrainStep {
  const [start, cancel] = [byId<HTMLButtonElement>('images-train'), byId<HTMLButtonElement>('images-cancel')];
  const bar = byId<HTMLProgressElement>('images-bar');
  const now = byId('images-now');
  const problem = (message: string) => say(byId('images-train-problem'), message);
  const curves = makeCurves('images-');
  const told = (words: string) => tell(now, byId('images-told'), words);
  pressOnce(start, cancel);
  let running: AbortController | undefined;

  const plan = () => {
    const missing = whatIsMissing(cards);
    const filled = cards.filter(({ pictures }) => pictures.length > 0);
    const count = filled.reduce((sum, { pictures }) => sum + pictures.length, 0);
    start.disabled = running !== undefined || missing !== '';
    cancel.disabled = running === undefined;
    byId('images-plan').textContent = missing || `${count} pictures of ${filled.length} classes.`;
  };
  const setRunning = (next: AbortController | undefined) => {
    running = next;
    keepFocus(plan, start, cancel);
  };
  const onProgress = (progress: FitProgress) => {
    curves.add(progress);
    bar.max = progress.steps;
    bar.value = progress.step;
    const { epoch, epochs, secondsLeft, recovered } = progress;
    now.textContent = recovered ?? `Epoch ${epoch} of ${epochs}, ${duration(1000 * secondsLeft)} left`;
  };
  const begin = async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const classes = cards
      .filter(({ pictures }) => pictures.length > 0)
      .map(({ name, pictures }) => ({ name, pictures: [...pictures] }));
    byId('images-training').hidden = false;
    curves.clear(60);
    problem('');
    told('Training …');
    setRunning(stop);
    const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    try {
      const onProgressWhile = (progress: FitProgress) => signal.aborted || onProgress(progress);
      const outcome = await Promise.race([trainOn(classes, { signal, onProgress: onProgressWhile }), aborted]);
      told(describeTraining(outcome));
      trained(outcome);
    } catch (error) {
      told(signal.aborted ? 'Cancelled.' : 'Not trained.');
      if (!signal.aborted) problem(sentence(error));
    }
    setRunning(undefined);
  };
  start.addEventListener('click', () => void begin());
  cancel.addEventListener('click', () => running?.abort());
  plan();
  return { plan };
}
