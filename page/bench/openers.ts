// The contenders as this page opens them: each lets the page breathe before its turn, so that loops on the CPU hold it up no longer
// than one sample.
import type { Opened, Openers } from '../../bench/speed/contender.ts';
import { own } from '../../bench/speed/own.ts';
import { peers } from '../../bench/speed/peers/all.ts';
import { presentContenders } from './peers.ts';

/** A built page holds no libraries. */
const all: Openers = import.meta.env.PROD ? own : { ...own, ...peers };

const breath = () => new Promise<void>((resume) => setTimeout(resume));

const breathing = (open: () => Promise<Opened>) => async (): Promise<Opened> => {
  const opened = await open();
  const enter = async () => {
    await breath();
    await opened.enter?.();
  };
  return { prepare: opened.prepare, close: opened.close, enter };
};

export const openers: Openers = Object.fromEntries(presentContenders.map((id) => [id, breathing(all[id])]));
