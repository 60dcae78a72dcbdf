// Fuzzing for longer than CI does: rounds of the fuzz tests, each from another seed, until the minutes are over.
//   npm run fuzz -- --minutes 20                     all of them, in Node on Dawn
//   npm run fuzz -- --minutes 5 --only 'on cpu'      those whose names hold this
//   npm run fuzz -- --only NAME --input JSON         one input again, as a failure says it
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    times: { type: 'string', default: '16' }, // of what CI runs, a round
    only: { type: 'string' },
    input: { type: 'string' },
    browser: { type: 'boolean', default: false }, // in Chrome, what runs there too
  },
});

const root = resolve(import.meta.dirname, '..');
const vitest = resolve(root, 'node_modules/vitest/vitest.mjs');
const projects = values.browser ? ['chrome'] : ['dawn', 'node'];
/** A round that takes longer has met a call that does not return. */
const longestRound = 20 * 60_000;

/** Runs the tests once; what they printed, and whether all passed. */
function round(env) {
  const names = values.only ? ['-t', values.only.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')] : [];
  const args = ['run', 'fuzz', ...projects.flatMap((name) => ['--project', name]), '--no-color', ...names];
  return new Promise((done) => {
    const child = spawn(process.execPath, [vitest, ...args], {
      cwd: root,
      env: { ...process.env, ...env, NO_COLOR: '1' },
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), longestRound);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      done({
        text: signal ? `${text}\nended by ${signal}: a call did not return, or the process broke` : text,
        passed: code === 0,
      });
    });
  });
}

if (values.input !== undefined) {
  const { text, passed } = await round({ VITE_FUZZ_INPUT: values.input });
  console.log(text);
  process.exitCode = Number(!passed);
} else {
  const end = Date.now() + Number(values.minutes) * 60_000;
  let calls = 0;
  let failures = 0;
  for (let n = 0; n === 0 || Date.now() < end; n++) {
    const seed = Number(values.seed) + n;
    const { text, passed } = await round({ VITE_FUZZ_SEED: String(seed), VITE_FUZZ_TIMES: values.times });
    for (const [, count] of text.matchAll(/^(\d+) (?:calls|files|runs) /gm)) calls += Number(count);
    console.log(`round ${n + 1}, seed ${seed}: ${passed ? 'passed' : 'FAILED'}; ${calls} calls so far`);
    if (passed) continue;
    failures++;
    console.log(text.slice(text.indexOf('Failed')));
  }
  console.log(`${calls} calls, ${failures} rounds failed`);
  process.exitCode = Number(failures > 0);
}
