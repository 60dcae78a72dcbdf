// The longest loops: a linear head's, and that of `sample`. They come with the backend, not with the operations: 4.5 kB that only visitors
// without a GPU load.

import { linearRows } from './linear.js';
import { linearGradients } from './linear-gradient.js';
import { linearLossRows } from './linear-loss.js';
import { linearTopKRows } from './linear-top-k.js';
import { sampleRows } from './sample.js';

export const loops = { linearRows, linearGradients, linearLossRows, linearTopKRows, sampleRows };

export type Loops = typeof loops;
