// Which contenders can run in this page. scripts/peers.ts says which libraries are installed; a built page has none.
import { allContenders } from '../../bench/speed/contenders.ts';
import { byId, make } from '../dom.ts';

/** By what the ids of their contenders begin with. */
const libraries: Record<string, string> = {
  tfjs: '@tensorflow/tfjs-core',
  onnxruntime: 'onnxruntime-web',
  jax: '@jax-js/jax',
};
/** Of crosshead and of the libraries that are installed. */
export const versions: Readonly<Record<string, string>> = import.meta.env.VERSIONS;
const built = import.meta.env.PROD;

export function isMissing(contender: string): boolean {
  const library = libraries[contender.split('-')[0]];
  return library !== undefined && !(library in versions);
}

export const missingWord = built ? 'not in this page' : 'not installed';

export const presentContenders: readonly string[] = allContenders.map(({ id }) => id).filter((id) => !isMissing(id));

/** How to get what is missing. */
export function showMissing(): void {
  const notice = byId('bench-missing');
  notice.hidden = presentContenders.length === allContenders.length;
  const command = make('code', '', built ? 'npm ci && npm ci --prefix bench && npm start' : 'npm ci --prefix bench');
  if (built)
    notice.replaceChildren('A built page leaves other libraries out. The sources measure them: ', command, '.');
  else notice.replaceChildren('Other libraries are installed by ', command, '; then start this page’s server anew.');
}
