// The figures of one case as rows of the table.
import { percentOfCopy, ratioToBestPeer } from '../../bench/speed/report.ts';
import type { Case, Measurement, Report } from '../../bench/speed/types.ts';
import { make } from '../dom.ts';
import { errorWords, figure, operationWords, shapeWords, spread, type TimeName } from './words.ts';

const columns = 8;

export function makeRows(report: Report, of: Case, time: TimeName): HTMLTableSectionElement {
  const heading = make('th', '', make('strong', '', operationWords[of.operation]), ` ${shapeWords(of)}`);
  heading.colSpan = columns;
  heading.scope = 'rowgroup';
  const rows = report.measurements
    .filter((measurement) => measurement.case === of.id)
    .map((measurement) => makeRow(report, measurement, time));
  const body = make('tbody', '', make('tr', 'case-row', heading), ...rows);
  body.dataset.case = of.id;
  return body;
}

function makeRow(report: Report, measurement: Measurement, time: TimeName): HTMLTableRowElement {
  const contender = report.contenders.find(({ id }) => id === measurement.contender);
  const name = make('th', '', contender?.label ?? measurement.contender);
  name.scope = 'row';
  const ratio = ratioToBestPeer(report, measurement)[time];
  const cells = cellsOf(report, measurement, time, ratio).map((text) => make('td', '', text));
  cells[4].classList.toggle('faster', ratio !== null && ratio < 1);
  const row = make('tr', '', name, ...cells, make('td', 'note', ...notesOf(measurement)));
  row.dataset.contender = measurement.contender;
  row.dataset.status = measurement.status;
  return row;
}

function cellsOf(report: Report, measurement: Measurement, time: TimeName, ratio: number | null): string[] {
  const { gigabytesPerSecond, error } = measurement;
  const times = measurement[time];
  const ofCopy = percentOfCopy(report, measurement);
  return [
    times ? figure(times.median) : '–',
    times ? spread(times) : '–',
    gigabytesPerSecond === undefined ? '–' : figure(gigabytesPerSecond),
    ofCopy === null ? '–' : figure(ofCopy),
    ratio === null ? '–' : figure(ratio),
    error === undefined ? '–' : errorWords(error),
  ];
}

function notesOf({ status, note, plan, workspaceBytes, peakBytes, buffersCreated }: Measurement): (Node | string)[] {
  const words = [
    note,
    plan,
    workspaceBytes && `${bytes(workspaceBytes)} of workspace`,
    peakBytes && `${bytes(peakBytes)} at most`,
    buffersCreated && `${buffersCreated} buffers made while timed`,
  ].filter(Boolean);
  const text = words.join('; ');
  return status === 'measured' ? [text] : [make('b', 'status', status), text && ` ${text}`];
}

const bytes = (value: number) => `${figure(value / 2 ** 20)} MiB`;
