export { addProduct } from './add-product';
export { argExtremeRows } from './arg-extreme';
export { linearRows } from './linear';
export { crossEntropyRows } from './cross-entropy';
export { logSoftmaxRows, softmaxRows } from './softmax';
export { topKRows } from './top-k';
export { scaledRows, sumRows } from './tile-rows';
