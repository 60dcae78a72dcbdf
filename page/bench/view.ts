// The benchmark: what to measure is chosen, run and shown. The measuring itself is that of bench/speed.
import './bench.css';
import { allCases } from '../../bench/speed/cases.ts';
import { allContenders } from '../../bench/speed/contenders.ts';
import type { BenchEvent, Measurement, Report } from '../../bench/speed/types.ts';
import { byId, keepFocus, pressOnce, say } from '../dom.ts';
import type { View } from '../views.ts';
import { makeChoices } from './choices.ts';
import { showDevice, thisDevice } from './device.ts';
import { showMissing, versions } from './peers.ts';
import { makeProgress } from './progress.ts';
import { makeResults } from './results.ts';
import { run } from './runner.ts';
import html from './view.html?raw';
import { duration, operationWords, shapeWords } from './words.ts';

type LiveReport = Report & { readonly measurements: Measurement[] };

export function open(section: HTMLElement): View {
  section.innerHTML = html;
  const [start, cancel] = [byId<HTMLButtonElement>('bench-start'), byId<HTMLButtonElement>('bench-cancel')];
  const form = byId<HTMLFormElement>('bench-form');
  const choices = makeChoices();
  const progress = makeProgress();
  const results = makeResults();
  let report: LiveReport | undefined;
  let running: AbortController | undefined;
  let restored = false;

  const show = (only?: string) => {
    const { time, scale } = choices.read();
    if (report) results.show(report, time, scale, only);
  };
  const showPlan = () => {
    const { cases, contenders, budget } = choices.read();
    const pairs = cases.length * contenders.length;
    start.disabled = running !== undefined || pairs === 0;
    const timing = form.checkValidity()
      ? `at most ${duration(budget * pairs)} of timing, and checks beside it.`
      : 'once the time of each is a number in its range.';
    byId('bench-plan').textContent = pairs
      ? `${pairs} pairs of case and contender, ${timing}`
      : 'Choose at least one case and one contender.';
  };
  const setRunning = (now: AbortController | undefined) => {
    running = now;
    const change = () => {
      byId<HTMLFieldSetElement>('bench-choice').disabled = now !== undefined;
      byId<HTMLInputElement>('bench-budget').disabled = now !== undefined;
      // Folded while it runs, so that progress and results stand side by side.
      if (now) for (const details of form.querySelectorAll('details')) details.open = false;
      cancel.disabled = now === undefined;
      showPlan();
    };
    keepFocus(change, start, cancel);
  };
  const take = (event: BenchEvent) => {
    if (event.type === 'start') {
      const { cases, contenders } = event;
      const environment = { ...event.environment, versions: { ...versions, ...event.environment.versions } };
      report = { environment, cases, contenders, measurements: [] };
      showDevice(environment);
      show();
    }
    if (event.type === 'running') progress.running(event, wordsOf(event));
    if (event.type === 'measured') {
      report!.measurements.push(event.measurement);
      show(event.measurement.case);
    }
  };
  const begin = async () => {
    const stop = new AbortController();
    const { cases, contenders, budget } = choices.read();
    say(byId('bench-problem'), '');
    setRunning(stop);
    progress.start();
    try {
      for await (const event of run({ cases, contenders, budget, signal: stop.signal })) take(event);
    } catch (error) {
      say(byId('bench-problem'), `The benchmark stopped: ${error instanceof Error ? error.message : error}`);
      stop.abort();
    }
    progress.end(stop.signal.aborted);
    setRunning(undefined);
  };
  const writeAddress = () => {
    if (!form.checkValidity()) return;
    const settings = choices.written();
    history.replaceState(null, '', `#benchmark${settings && '?'}${settings}`);
  };

  pressOnce(start, cancel);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!running) void begin();
  });
  cancel.addEventListener('click', () => running?.abort());
  form.addEventListener('change', showPlan);
  byId('bench-results').addEventListener('change', () => show());
  section.addEventListener('change', writeAddress);
  for (const details of form.querySelectorAll('details')) details.open = innerWidth > 640;
  showMissing();
  void thisDevice().then(showDevice);

  return {
    shown(settings) {
      // Who comes back finds what they left, unless the address asks for something else.
      if (running || (restored && settings.size === 0)) return writeAddress();
      restored = true;
      choices.restore(settings);
      showPlan();
      show();
    },
  };
}

function wordsOf({ case: id, contender }: Measurement | { case: string; contender: string }): string {
  const one = allCases.find((one) => one.id === id)!;
  const { label } = allContenders.find((one) => one.id === contender)!;
  return `${operationWords[one.operation]} ${shapeWords(one)}, ${label}`;
}
