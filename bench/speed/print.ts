// A line for each measurement, as it comes.
import { short } from './report.ts';
import type { BenchEvent } from './types.ts';

export function lineOf(event: BenchEvent): string | null {
  if (event.type !== 'measured') return null;
  const { case: id, contender, status, note, resident, endToEnd } = event.measurement;
  const times = [resident, endToEnd].map((time) => (time ? `${short(time.median)} ms` : '–')).join(' / ');
  return `${id.padEnd(36)} ${contender.padEnd(20)} ${status === 'measured' ? times : `${status}: ${note}`}`;
}
