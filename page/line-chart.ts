// Lines that grow while a head is trained: one number of the training, and the same of the part that was kept out.
import './line-chart.css';
import { axisOf } from './bench/axis.ts';
import { figure } from './bench/words.ts';
import { make } from './dom.ts';
import { percent } from './scores.ts';
import { makeSvg } from './svg.ts';

export type Point = readonly [epoch: number, value: number];

export interface Lines {
  readonly training: readonly Point[];
  readonly held: readonly Point[];
}

export interface LineChart {
  show(lines: Lines, epochs: number): void;
}

const height = 220;
const margin = { top: 10, right: 12, bottom: 26, left: 46 };
const names = { training: 'training', held: 'kept out' };

/** @param kind 'loss': from nothing up, on a log scale; 'accuracy': a share, up to all */
export function makeLineChart(figureElement: HTMLElement, title: string, kind: 'loss' | 'accuracy'): LineChart {
  const write = kind === 'loss' ? (value: number) => figure(value) : percent;
  const values = { training: make('b', '', '–'), held: make('b', '', '–') };
  const key = (name: keyof Lines) => make('span', `key key-${name}`, `${names[name]} `, values[name]);
  const svg = makeSvg('svg', { role: 'img', height, width: '100%' });
  figureElement.replaceChildren(
    make('figcaption', 'line-title', make('strong', '', title), key('training'), key('held')),
    svg,
  );
  let shown: { lines: Lines; epochs: number } = { lines: { training: [], held: [] }, epochs: 10 };
  let waiting = false;

  const draw = () => {
    waiting = false;
    const { lines, epochs } = shown;
    const width = svg.clientWidth;
    if (width > 0) svg.replaceChildren(...content(lines, epochs, kind, width));
    for (const name of ['training', 'held'] as const) {
      const last = lines[name].at(-1)?.[1];
      values[name].textContent = last === undefined ? '–' : write(last);
    }
    const said = `training ${values.training.textContent}, kept out ${values.held.textContent}`;
    svg.setAttribute('aria-label', `${title} by epoch. Last: ${said}`);
  };
  new ResizeObserver(draw).observe(svg);
  return {
    show(lines, epochs) {
      shown = { lines, epochs };
      // Epochs of a small head come faster than frames.
      if (!waiting) requestAnimationFrame(draw);
      waiting = true;
    },
  };
}

function content(lines: Lines, epochs: number, kind: 'loss' | 'accuracy', width: number): SVGElement[] {
  const finite = (points: readonly Point[]) => points.filter(([, value]) => Number.isFinite(value));
  const [training, held] = [finite(lines.training), finite(lines.held)];
  const values = [...training, ...held].map(([, value]) => value);
  const scale = kind === 'loss' ? lossScale(values) : shareScale(values);
  const x = (epoch: number) => margin.left + (epoch / epochs) * (width - margin.left - margin.right);
  const y = (value: number) => height - margin.bottom - scale.at(value) * (height - margin.top - margin.bottom);
  const path = (points: readonly Point[]) =>
    points.map(([epoch, value], i) => `${i ? 'L' : 'M'}${x(epoch).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  const end = training.at(-1);
  return [
    ...scale.ticks.flatMap((tick) => [
      makeSvg('line', { class: 'grid', x1: margin.left, x2: width - margin.right, y1: y(tick), y2: y(tick) }),
      makeSvg('text', { x: margin.left - 8, y: y(tick) + 4, 'text-anchor': 'end' }, scale.write(tick)),
    ]),
    ...epochTicks(epochs).map((tick) =>
      makeSvg('text', { x: x(tick), y: height - 6, 'text-anchor': 'middle' }, String(tick)),
    ),
    makeSvg('text', { x: margin.left - 8, y: height - 6, 'text-anchor': 'end' }, 'epoch'),
    makeSvg('path', { class: 'line-training', d: path(training) }),
    makeSvg('path', { class: 'line-held', d: path(held) }),
    ...(held.length <= 40 ? held : []).map(([epoch, value]) =>
      makeSvg('circle', { class: 'dot-held', cx: x(epoch), cy: y(value), r: 3.5 }),
    ),
    ...(end ? [makeSvg('circle', { class: 'dot-training', cx: x(end[0]), cy: y(end[1]), r: 4.5 })] : []),
  ];
}

function lossScale(values: number[]) {
  const axis = axisOf([...values, 1], 'log')!;
  return { at: (value: number) => Math.min(1, axis.at(value)), ticks: axis.ticks, write: figure };
}

/** From the round tenth below the least to all; a hundredth's steps where there is little between. */
function shareScale(values: number[]) {
  const low = values.length ? Math.min(0.9, Math.floor(Math.min(...values) * 10) / 10) : 0;
  const step = 1 - low > 0.5 ? 0.2 : 1 - low > 0.2 ? 0.1 : 0.02;
  const ticks = Array.from({ length: Math.floor((1 - low) / step + 1e-9) + 1 }, (_, i) => 1 - i * step);
  return {
    at: (value: number) => (value - low) / (1 - low),
    ticks,
    write: (tick: number) => `${Math.round(100 * tick)}\u00a0%`,
  };
}

function epochTicks(epochs: number): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((one) => epochs / one <= 10) ?? epochs;
  return Array.from({ length: Math.floor(epochs / step) + 1 }, (_, i) => i * step);
}
