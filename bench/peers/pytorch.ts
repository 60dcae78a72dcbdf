// PyTorch runs in pytorch.py; the server of the page passes what is sent to /pytorch on to it.
import type { Run } from './contenders.ts';

export async function open(): Promise<Run> {
  const version = await fetch('/pytorch');
  if (!version.ok) throw new Error('there is no Python with PyTorch here');
  return async (logits, [rows, classes], targets) => {
    const body = new Blob([logits.slice(), targets.slice()]);
    const response = await fetch(`/pytorch?rows=${rows}&classes=${classes}`, { method: 'POST', body });
    if (!response.ok) throw new Error(`PyTorch: ${await response.text()}`);
    const floats = new Float32Array(await response.arrayBuffer());
    const softmax = rows + rows * classes;
    return { loss: floats.slice(0, rows), gradient: floats.slice(rows, softmax), softmax: floats.slice(softmax) };
  };
}
