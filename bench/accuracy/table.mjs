// The figures of measure.ts as Markdown.

const metrics = [
  ['loss', 'Loss: worst relative error of a row'],
  ['gradient', "Gradient: worst error, relative to the largest of its row's"],
  ['target', 'Gradient at the target: worst relative error'],
  ['softmax', 'Softmax: worst error, in units of 2^-23 of each probability'],
];

function short(error) {
  if (error === 0) return '0';
  return error < 0.01 ? error.toExponential(1) : String(Number(error.toPrecision(2)));
}

/** The worst of some figures; bold where one is above what crosshead promises. */
function cell(figures) {
  if (figures.length === 0) return '**failed**'; // the page itself did; its console says how
  const wrong = figures.filter((figure) => figure.wrong);
  if (wrong.length) return `**${wrong[0].wrong}** (${wrong.length} of ${figures.length})`;
  const text = short(Math.max(...figures.map(({ error }) => error)));
  return figures.some(({ ratio }) => ratio > 1) ? `**${text}**` : text;
}

const row = (cells) => `| ${cells.join(' | ')} |`;

/** A table with a column for each contender and a row for each value of `key`. */
function table(results, metric, key, cases = () => true) {
  const columns = results.map((result) => result.cases.filter(cases));
  const labels = [...new Set(columns.flat().map(key))];
  const figure = ({ figures, failed }) => figures?.[metric] ?? failed;
  return [
    row(['', ...results.map(({ name }) => name)]),
    row(['---', ...results.map(() => '---:')]),
    ...labels.map((label) =>
      row([label, ...columns.map((c) => cell(c.filter((one) => key(one) === label).map(figure)))]),
    ),
  ].join('\n');
}

/** What failed, and what the console said. */
function remarks(results) {
  return results.flatMap(({ name, cases, warnings }) => {
    const messages = [
      ...new Set(cases.flatMap(({ failed }) => (failed ? [`${failed.wrong}: ${failed.message}`] : []))),
    ];
    return [...messages, ...warnings.map((warning) => `console: ${warning}`)].map((message) => `* ${name}: ${message}`);
  });
}

/** As Dawn words what it refuses: such work is dropped, and only the console says so. */
const isWebGpu = (warning) => /WebGPU|\[Invalid|While (calling|encoding|finishing|validating)/.test(warning);

function consoleSentence(results) {
  const all = results.flatMap(({ warnings }) => warnings);
  return `Warnings and errors on the console: ${all.length}. Of these, refused by WebGPU: ${all.filter(isWebGpu).length}.`;
}

/** The largest ratio of an error of crosshead's to what it promises; 1 is just held. */
export function closestToPromise(results) {
  const ratios = ({ figures }) => Object.values(figures ?? { none: {} }).map(({ ratio }) => ratio ?? Infinity);
  const ofResult = ({ cases }) => (cases.length ? cases.flatMap(ratios) : [Infinity]);
  return Math.max(...results.filter(({ name }) => name.startsWith('crosshead')).flatMap(ofResult));
}

export function toMarkdown(results, { date, command, cpu, adapter, browser, versions }) {
  const size = ({ rows, classes }) => `${rows} x ${classes}`;
  const isWide = ({ distribution }) => distribution === 'N(0, 5)';
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${date}, \`${command}\`. ${cpu}; ${browser}, WebGPU adapter: ${adapter}. ${peers.join(', ')}.`,
    ...metrics.map(([key, title]) => `### ${title}\n\n${table(results, key, (one) => one.distribution)}`),
    `### Loss of N(0, 5), by rows x classes\n\n${table(results, 'loss', size, isWide)}`,
    `### Softmax of N(0, 5), by rows x classes\n\n${table(results, 'softmax', size, isWide)}`,
    `Of what crosshead promises, its worst error takes ${Math.round(100 * closestToPromise(results))} %.`,
    [consoleSentence(results), '', ...remarks(results)].join('\n').trim(),
  ].join('\n\n');
}
