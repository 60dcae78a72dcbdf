// The contenders as this page opens them: each lets the page breathe before its turn, so that loops on the CPU hold it up no longer
// than one sample.
import type { Opened, Openers } from '../../bench/speed/contender.ts';
import { own } from '../../bench/speed/own.ts';
import { presentContenders } from './peers.ts';

type Open = (backend: string) => Promise<Opened>;

/** `tfjs-wasm` is opened by peers/tfjs.ts; loaded when it first runs. */
const files = import.meta.env.PROD ? {} : import.meta.glob<Open>('../../bench/speed/peers/*.ts', { import: 'open' });

async function openPeer(id: string): Promise<Opened> {
  const [library, backend] = id.split('-');
  const load = files[`../../bench/speed/peers/${library}.ts`];
  if (!load) throw new Error('is not part of this page');
  return (await load())(backend);
}

const breath = () => new Promise<void>((resume) => setTimeout(resume));

const breathing = (open: () => Promise<Opened>) => async (): Promise<Opened> => {
  const opened = await open();
  const enter = async () => {
    await breath();
    await opened.enter?.();
  };
  return { prepare: opened.prepare, close: opened.close, enter };
};

export const openers: Openers = Object.fromEntries(
  presentContenders.map((id) => [id, breathing(own[id] ?? (() => openPeer(id)))]),
);
