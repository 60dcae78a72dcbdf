// TensorFlow.js multiplies on crosshead's device; crosshead takes the best two of each row; and probabilities go back to TensorFlow.js.
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { createContext, softmax, topK } from 'crosshead';
import { fromTfjs, shareDevice, toTfjs } from 'crosshead/tfjs';

const context = await createContext({ backend: 'webgpu' });
await shareDevice(tf, WebGPUBackend, context);

const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
const logits = tf.matMul(x, tf.tensor2d([1, 0, -1, 0, 1, 1], [2, 3]));
const shared = fromTfjs(context, logits);
const probabilities = softmax(shared.tensor);
const { values, indices } = topK(probabilities, 2);
shared.dispose();
const answers = { scores: await values.array(), classes: await indices.array() };

const back = toTfjs(tf, probabilities);
const negated = fromTfjs(context, tf.neg(back)); // which submits it
const best = await topK(negated.tensor, 1).values.array();
negated.dispose();
back.dispose();

document.querySelector('#answer')!.textContent = JSON.stringify({ backend: context.backend, answers, best }, null, 2);
