// The documentation site: built without a warning (so every public name has its docstring), and no link of it leads nowhere.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from './consumers/install.ts';

const site = mkdtempSync(join(tmpdir(), 'crosshead-'));
afterAll(() => rmSync(site, { recursive: true, force: true }));
const pages = () => readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'));
const guide = (name: string) => readFileSync(join(site, 'documents', name), 'utf8');

beforeAll(async () => {
  const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');
  // Warnings are errors, by typedoc.json: it then exits with another status than 0, and this throws with what it said.
  await promisify(execFile)(process.execPath, [typedoc, '--out', site], { cwd: root });
});

it('has a page for each guide and each public name', async () => {
  const guides = readdirSync(join(root, 'docs/guides'));
  expect(pages().filter((file) => file.startsWith('documents')).length).toBe(guides.length - 1); // README.md is the front page
  const index = readFileSync(join(root, 'src/index.ts'), 'utf8').replace(/\/\*\*[\s\S]*?\*\//, '');
  const names = [...index.matchAll(/\{([^}]*)\}/g)].flatMap(([, list]) => list.split(',').map((name) => name.trim()));
  const values = names.filter((name) => name && !name.startsWith('type ')).map((name) => name.split(' ').pop()!);
  const shown = new Set(pages().map((file) => file.replace(/^.*[/.](\w+)\.html$/, '$1')));
  expect(values.length).toBeGreaterThan(60);
  expect(values.filter((name) => !shown.has(name))).toEqual([]);
});

it('has a page for each function of the entries for other libraries', () => {
  for (const name of ['onnxruntime', 'transformers', 'tfjs', 'jax']) {
    const adapter = readFileSync(join(root, `src/interop/${name}.ts`), 'utf8');
    const functions = [...adapter.matchAll(/^export (?:async )?(?:function|const) (\w+)/gm)].map(([, fn]) => fn);
    expect(functions.length).toBeGreaterThan(1);
    for (const fn of functions) expect(pages()).toContain(`functions/crosshead_${name}.${fn}.html`);
  }
});

it('has links that lead somewhere', () => {
  const broken = pages().flatMap((file) => {
    const links = [
      ...readFileSync(join(site, file), 'utf8').matchAll(/(?:href|src|srcset)="(?!https?:|#|data:)([^"#?]+)/g),
    ];
    return links
      .filter(([, to]) => !existsSync(join(site, dirname(file), decodeURI(to))))
      .map(([, to]) => `${file}: ${to}`);
  });
  expect(broken).toEqual([]);
});

it('leads from a guide to the names that it speaks of, and to pictures', () => {
  expect(guide('Choosing_a_loss.html')).toMatch(
    /<a href="[^"]*functions\/[\w.]*focalLoss\.html"[^>]*><code>focalLoss<\/code>/,
  );
  expect(guide('Softmax_and_cross-entropy.html')).toMatch(/<img src="[^"]*explain-light\.png"/);
  expect(guide('Softmax_and_cross-entropy.html')).not.toContain('sample:');
});
