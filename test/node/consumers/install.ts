// A project of a user's: an empty folder with the package in it as npm would install it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const root: string = resolve(import.meta.dirname, '../../..');

let packed: string | undefined;

/** The tarball of dist as it is (the tests are run after a build), packed once a process and removed with it. */
export function tarball(): string {
  if (packed) return packed;
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-packed-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const npm = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  packed = join(folder, JSON.parse(npm)[0].filename);
  return packed;
}

/**
 * A new folder with node_modules/crosshead, the files of an example, and links to other packages of this repository.
 * @returns its path; the caller removes it
 */
export function consumerProject(options: { example?: string; packages?: string[] } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'crosshead'), { recursive: true });
  execFileSync('tar', ['-xzf', tarball(), '-C', join(modules, 'crosshead'), '--strip-components=1']);
  for (const name of options.packages ?? []) {
    mkdirSync(dirname(join(modules, name)), { recursive: true }); // a scope's
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
  if (options.example) cpSync(join(root, 'examples', options.example), folder, { recursive: true });
  return folder;
}
