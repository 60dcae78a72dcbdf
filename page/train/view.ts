// Training on the digits: set, started, watched, cancelled; and then what came of it.
import './train.css';
import { contextOf, whyNoWebGPU } from '../contexts.ts';
import { byId, say, sentence } from '../dom.ts';
import { percent } from '../scores.ts';
import type { View } from '../views.ts';
import { makeCurves } from './curves.ts';
import { makeForm } from './form.ts';
import { loadParts } from './parts.ts';
import { makeResults, type Results } from './results.ts';
import { defaultsOn, readSettings, type Settings, writeSettings } from './settings.ts';
import { train } from './training.ts';
import html from './view.html?raw';

export function open(section: HTMLElement): View {
  section.innerHTML = html;
  const form = makeForm();
  const curves = makeCurves('train-');
  const problem = (message: string) => say(byId('train-problem'), message);
  const parts = loadParts();
  parts.catch((error) => problem(`The digits could not be loaded: ${sentence(error)}`));
  const ready = contextOf('auto').then(({ backend }) => defaultsOn(backend));
  let defaults: Settings | undefined;
  let results: Results | undefined;
  let running: AbortController | undefined;
  curves.clear(10);

  /** The same on the CPU where there is no WebGPU: that is said, and stands in the form and the address. */
  const possible = async (asked: Settings): Promise<Settings> => {
    const missing = asked.backend === 'webgpu' ? await whyNoWebGPU() : '';
    say(byId('train-note'), missing);
    if (!missing) return asked;
    const settings = { ...asked, backend: 'cpu' } as const;
    form.write(settings);
    writeAddress();
    return settings;
  };
  const begin = async (asked: Settings) => {
    const stop = new AbortController();
    running = stop;
    form.running(true);
    problem('');
    curves.clear(asked.epochs);
    form.say('Training …');
    let last = 0;
    const aborted = new Promise<never>((_, reject) => {
      stop.signal.addEventListener('abort', () => reject(stop.signal.reason));
    });
    try {
      const settings = await Promise.race([possible(asked), aborted]);
      const loaded = await Promise.race([parts, aborted]);
      const rows = loaded.training.targets.length;
      const work = train(loaded, settings, {
        signal: stop.signal,
        onProgress(progress) {
          if (stop.signal.aborted) return;
          last = progress.epoch;
          curves.add(progress);
          form.progress(progress, rows);
          if (progress.recovered) say(byId('train-note'), progress.recovered);
        },
      });
      const outcome = await Promise.race([work, aborted]);
      results ??= makeResults(loaded.digits.test, problem);
      results.show(outcome, settings.epochs);
      const took = `${settings.epochs} epochs in ${outcome.seconds.toFixed(2)} s`;
      form.say(`Trained: ${took}, ${percent(outcome.after.accuracy)} of strangers’ digits read right.`);
    } catch (error) {
      const cancelled = stop.signal.aborted;
      form.say(cancelled ? `Cancelled in epoch ${last} of ${asked.epochs}; nothing of it is kept.` : 'Not trained.');
      if (!cancelled) problem(sentence(error));
    }
    running = undefined;
    form.running(false);
  };

  byId('train-form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (!running && defaults) void begin(form.read());
  });
  byId('train-cancel').addEventListener('click', () => running?.abort());
  const writeAddress = () => {
    if (section.hidden || !byId<HTMLFormElement>('train-form').checkValidity()) return;
    const settings = defaults ? writeSettings(form.read(), defaults) : '';
    history.replaceState(null, '', `#train${settings && '?'}${settings}`);
  };
  byId('train-form').addEventListener('change', writeAddress);

  return {
    async shown(address) {
      const first = defaults === undefined;
      defaults ??= await ready;
      // Who comes back finds what they left, unless the address asks for something else.
      if (running || (!first && address.size === 0)) return writeAddress();
      const asked = readSettings(address, defaults);
      form.write(asked);
      await possible(asked);
    },
  };
}
