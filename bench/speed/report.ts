// What a run found, as people and programs read it.
import type { BenchEvent, Contender, Environment, Measurement, Report } from './types.ts';

type Way = 'resident' | 'endToEnd';
const ways: readonly Way[] = ['resident', 'endToEnd'];

const findMeasurement = (report: Report, caseId: string, contender: string) =>
  report.measurements.find((one) => one.case === caseId && one.contender === contender);

/** The least time of any peer on a case, on one device or on whichever, or null where none was timed. */
export function bestPeer(
  report: Report,
  caseId: string,
  way: Way,
  device?: Contender['device'],
): { contender: Contender; median: number } | null {
  const timed = report.contenders
    .filter((one) => one.kind === 'peer')
    .flatMap((contender) => {
      const { onCpu, [way]: times } = findMeasurement(report, caseId, contender.id) ?? {};
      const own = onCpu ? 'cpu' : contender.device;
      return times && (device ?? own) === own ? [{ contender, median: times.median }] : [];
    });
  return timed.sort((a, b) => a.median - b.median)[0] ?? null;
}

/** A measurement's time over the best peer's: below 1 it is faster. null where either was not timed. */
export function ratioToBestPeer(
  report: Report,
  measurement: Measurement,
  device?: Contender['device'],
): Record<Way, number | null> {
  const ratio = (way: Way) => {
    const [own, best] = [measurement[way], bestPeer(report, measurement.case, way, device)];
    return own && best ? own.median / best.median : null;
  };
  return { resident: ratio('resident'), endToEnd: ratio('endToEnd') };
}

/** How near a measurement's resident time is to that of copying the same bytes; 100 is as fast. null where either was not timed. */
export function percentOfCopy(report: Report, measurement: Measurement): number | null {
  const copy = findMeasurement(report, measurement.case, 'copy')?.resident;
  return copy && measurement.resident ? (100 * copy.median) / measurement.resident.median : null;
}

/** The report of a run's events; of several runs, what the first says of itself. null before the first. */
export function reportOf(events: readonly BenchEvent[]): Report | null {
  const start = events.find((event) => event.type === 'start');
  if (!start) return null;
  const measurements = events.flatMap((event) => (event.type === 'measured' ? [event.measurement] : []));
  const { environment, cases, contenders } = start;
  return { environment, cases, contenders, measurements };
}

export const toJson = (report: Report): string => JSON.stringify(report, null, 2);

/** Three digits, or two of a number below 10: as much as times are good for. */
export function short(value: number): string {
  if (value === 0) return '0';
  const digits = value < 10 ? 2 : 3;
  const text = value >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(digits)));
  return value < 1e-3 ? value.toExponential(1) : text;
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');
const dash = (value: number | null | undefined, text: (value: number) => string = short) =>
  value === null || value === undefined ? '–' : text(value);

/** `1.2 / 3.4`, or what stands in the way of a time. */
function timesCell(measurement: Measurement | undefined): string {
  if (!measurement) return '–';
  if (measurement.status !== 'measured') return measurement.status === 'unsupported' ? '–' : measurement.status;
  return ways.map((way) => dash(measurement[way]?.median)).join(' / ') + (measurement.onCpu ? ' †' : '');
}

function timesTable(report: Report): string {
  const timed = report.contenders.filter(({ id }) => report.measurements.some((one) => one.contender === id));
  const rows = report.cases.map(({ id }) => [
    id,
    ...timed.map((contender) => timesCell(findMeasurement(report, id, contender.id))),
  ]);
  return table(['ms, resident / end to end', ...timed.map(({ label }) => label)], rows);
}

const kibibytes = (bytes: number) => short(bytes / 1024);

const both = ({ resident, endToEnd }: Record<Way, number | null>) => `${dash(resident)} / ${dash(endToEnd)}`;

function contenderTable(report: Report, { id, device }: Contender): string {
  const rows = report.measurements
    .filter((one) => one.contender === id && one.status === 'measured')
    .map((one) => {
      const spread = one.resident && `${short(one.resident.p10)} – ${short(one.resident.p90)}`;
      const best = bestPeer(report, one.case, 'resident')?.contender.label ?? '–';
      return [
        one.case,
        spread ?? '–',
        dash(one.gigabytesPerSecond),
        dash(percentOfCopy(report, one)),
        both(ratioToBestPeer(report, one, device)),
        both(ratioToBestPeer(report, one)),
        best,
        dash(one.error, (error) => (error === 0 ? '0' : error.toExponential(1))),
        one.plan ?? '–',
        dash(one.workspaceBytes, kibibytes),
        dash(one.peakBytes, kibibytes),
        dash(one.buffersCreated, String),
      ];
    });
  const head = [
    '',
    'p10 – p90, ms',
    'GB/s',
    '% of copy',
    `x best peer on a ${device.toUpperCase()}`,
    'x best peer on any device',
    'which, resident',
  ];
  return table([...head, 'error', 'plan', 'workspace, KiB', 'peak, KiB', 'buffers made'], rows);
}

/** What was not timed, and what else is to be said. */
const remarks = ({ measurements }: Report): string[] =>
  measurements
    .filter(({ status, note }) => note && status !== 'unsupported')
    .map(({ case: id, contender, status, note }) => `* ${id}, ${contender}: ${status}. ${note}`);

function unsupported({ measurements, contenders }: Report): string[] {
  return contenders.flatMap(({ id, label }) => {
    const own = measurements.filter((one) => one.contender === id);
    const notes = [...new Set(own.flatMap(({ status, note }) => (status === 'unsupported' && note ? [note] : [])))];
    return notes.map((note) => `* ${label}: unsupported. ${note}`);
  });
}

export function environmentSentence({ date, runtime, adapter, software, cores, versions }: Environment): string {
  const gpu = adapter ? `WebGPU adapter: ${adapter}${software ? ', in software' : ''}` : 'no WebGPU';
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [`${date}. ${runtime}, ${cores} cores; ${gpu}.`, ...(list.length ? [`${list.join(', ')}.`] : [])].join(' ');
}

export function toMarkdown(report: Report): string {
  const own = report.contenders.filter(
    ({ id, kind }) =>
      kind === 'crosshead' && report.measurements.some((one) => one.contender === id && one.status === 'measured'),
  );
  const onCpu = report.measurements.some((one) => one.onCpu)
    ? ['* † In part on the CPU, whatever was asked for: no peer on a GPU.']
    : [];
  const said = [...onCpu, ...unsupported(report), ...remarks(report)];
  return [
    environmentSentence(report.environment),
    timesTable(report),
    ...own.map((contender) => `#### ${contender.label}\n\n${contenderTable(report, contender)}`),
    ...(said.length ? [said.join('\n')] : []),
  ].join('\n\n');
}
