// The chunk that a head loads when it is first trained, evaluated or calibrated.

export { calibrate, fitRejection } from './calibrate.js';
export { evaluate } from './evaluate.js';
export { train } from './fit.js';
