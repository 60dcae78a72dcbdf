// The chart of one case: a bar for each contender, as long as its time.
import type { Case, Measurement, Report } from '../../bench/speed/types.ts';
import { make } from '../dom.ts';
import { type Axis, axisOf } from './axis.ts';
import { figure, operationWords, type ScaleName, shapeWords, type TimeName } from './words.ts';

export function makeChart(report: Report, of: Case, time: TimeName, scale: ScaleName): HTMLElement {
  const measurements = report.measurements.filter((measurement) => measurement.case === of.id);
  const times = measurements.flatMap((measurement) => measurement[time] ?? []);
  const axis = times.length
    ? axisOf(
        times.flatMap(({ median, p10, p90 }) => [median, p10, p90]),
        scale,
      )
    : undefined;
  const fastest = fastestOf(report, measurements, time);
  const rows = report.contenders.map((contender) => {
    const measurement = measurements.find((one) => one.contender === contender.id);
    const row = make(
      'li',
      'time-row',
      make('span', 'time-label', contender.label),
      ...barAndValue(measurement, time, axis),
    );
    row.dataset.kind = contender.kind;
    row.classList.toggle('fastest', measurement !== undefined && measurement === fastest);
    return row;
  });
  const title = make('figcaption', '', make('strong', '', operationWords[of.operation]), ` ${shapeWords(of)}`);
  const plot = make('div', 'plot', makeTicks(axis), make('ol', 'time-rows', ...rows));
  const chart = make('figure', 'card chart', title, plot);
  chart.dataset.case = of.id;
  return chart;
}

/** The limit computes nothing, and is no contender. */
function fastestOf(report: Report, measurements: readonly Measurement[], time: TimeName): Measurement | undefined {
  const limits = report.contenders.filter(({ kind }) => kind === 'limit').map(({ id }) => id);
  return measurements
    .filter((measurement) => measurement[time] && !limits.includes(measurement.contender))
    .sort((a, b) => a[time]!.median - b[time]!.median)[0];
}

function barAndValue(measurement: Measurement | undefined, time: TimeName, axis: Axis | undefined): HTMLElement[] {
  const track = make('span', 'time-track');
  const times = measurement?.[time];
  if (!times || !axis) return [track, make('span', 'time-value quiet', wordFor(measurement))];
  const { median, p10, p90 } = times;
  const percent = (ms: number) => `${100 * axis.at(ms)}%`;
  const [bar, whisker] = [make('span', 'time-bar'), make('span', 'time-spread')];
  bar.style.width = percent(median);
  whisker.style.left = percent(p10);
  whisker.style.width = `calc(${percent(p90)} - ${percent(p10)})`;
  track.append(bar, whisker);
  return [track, make('span', 'time-value', `${figure(median)} ms`)];
}

function wordFor(measurement: Measurement | undefined): string {
  if (!measurement) return '…';
  return measurement.status === 'measured' ? '–' : measurement.status;
}

function makeTicks(axis: Axis | undefined): HTMLElement {
  const ticks = (axis?.ticks ?? []).map((ms, i, all) => {
    const tick = make('span', 'tick', make('span', '', figure(ms) + (i === all.length - 1 ? ' ms' : '')));
    tick.style.left = `${100 * axis!.at(ms)}%`;
    return tick;
  });
  const layer = make('div', 'ticks', ...ticks);
  layer.ariaHidden = 'true';
  return layer;
}
