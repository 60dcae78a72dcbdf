// A project of a user's: an empty folder with the package in it as npm would install it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root: string = resolve(import.meta.dirname, '../../..');

/** Packs dist as it is (the tests are run after a build). */
function pack(folder: string): string {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const npm = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return join(folder, JSON.parse(npm)[0].filename);
}

/**
 * A new folder with node_modules/crosshead, the files of an example, and links to other packages of this repository.
 * @returns its path; the caller removes it
 */
export function consumerProject(options: { example?: string; packages?: string[] } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'crosshead-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'crosshead'), { recursive: true });
  execFileSync('tar', ['-xzf', pack(folder), '-C', join(modules, 'crosshead'), '--strip-components=1']);
  for (const name of options.packages ?? []) symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  if (options.example) cpSync(join(root, 'examples', options.example), folder, { recursive: true });
  return folder;
}
