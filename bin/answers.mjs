// The answers of rows as text, written as they come. A form has a start, a text for each row, and an end.

/** A score with the digits that a float32 has; NaN where a row has no answer. */
const digits = (score) => String(Number(score.toPrecision(7)));
const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export const forms = {
  /** One array of all rows, a row a line; a score that is NaN is null. */
  json: () => ({
    start: '[\n',
    row: (row, answers) =>
      `${row ? ',\n' : ''}${JSON.stringify(answers.map(({ label, index, score }) => ({ label, index, score: Number(digits(score)) })))}`,
    end: '\n]\n',
  }),
  /** An answer a line. */
  csv: () => ({
    start: 'row,rank,index,label,score\n',
    row: (row, answers) =>
      answers
        .map(({ label, index, score }, i) => `${row},${i + 1},${index},${quoted(label)},${digits(score)}\n`)
        .join(''),
    end: '',
  }),
  /** For eyes: a row a line, its best answers side by side. */
  table: (labels, rows) => {
    const wide = labels.reduce((wide, label) => Math.min(24, Math.max(wide, label.length)), 0);
    const number = String(Math.max(0, rows - 1)).length;
    const cell = ({ label, score }) => `${label.slice(0, 24).padEnd(wide)} ${score.toFixed(4)}`;
    return {
      start: '',
      row: (row, answers) => `${String(row).padStart(number)}  ${answers.map(cell).join('   ') || 'none of these'}\n`,
      end: '',
    };
  },
};
