// docs/measured.md: the figures between two markers.
import { readFileSync, writeFileSync } from 'node:fs';

const report = new URL('../docs/measured.md', import.meta.url);

/**
 * Writes what `script` measured between its markers.
 * @param {string} script its path, as the markers name it
 * @param {string} markdown
 */
export function writeMeasured(script, markdown) {
  const [begin, end] = [`<!-- Written by ${script}. -->`, `<!-- End of what ${script} wrote. -->`];
  const text = readFileSync(report, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/measured.md: "${begin}" and "${end}" must stand in it`);
  writeFileSync(report, `${text.slice(0, from + begin.length)}\n\n${markdown}\n\n${text.slice(to)}`);
}
