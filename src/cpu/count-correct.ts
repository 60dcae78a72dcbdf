// Twin of shaders/count_correct.wgsl.

import type { Values } from '../backend.js';

export function countCorrectRows(
  logits: Values,
  targets: Values | undefined,
  labels: Values | undefined,
  correct: Values,
  classes: number,
  eachClass: boolean,
): void {
  const argmax = (values: Values, start: number) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (values[start + c] > values[start + best]) best = c;
    return best;
  };
  for (let r = 0; r < correct.length; r++) {
    const start = r * classes;
    if (eachClass) {
      let right = 0;
      for (let i = start; i < start + classes; i++) {
        if (!Number.isNaN(logits[i]) && logits[i] > 0 === labels![i] > 0.5) right++;
      }
      correct[r] = right;
      continue;
    }
    const row = logits.subarray(start, start + classes);
    const best = argmax(logits, start);
    const answers = row[best] !== Number.NEGATIVE_INFINITY && row.every((x) => x < Number.POSITIVE_INFINITY);
    correct[r] = answers && best === (labels ? argmax(labels, start) : targets![r]) ? 1 : 0;
  }
}
