// The chunk that a head loads when it is first trained, evaluated or calibrated.

export { calibrated, fittedRejection } from './calibrate.js';
export { evaluate } from './evaluate.js';
export { examplesOf, rowsOfFeatures } from './examples.js';
export { train } from './fit.js';
