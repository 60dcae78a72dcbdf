// A model of onnxruntime-web gives features, a head of crosshead the best two of five classes; nothing but these leaves the GPU.
// Then the other way: probabilities of crosshead through a model.
import { ClassificationHead, createContext, softmax } from 'crosshead';
import { fromOnnx, sessionOptions, toOnnx } from 'crosshead/onnxruntime';
import * as ort from 'onnxruntime-web/webgpu';

const context = await createContext({ backend: 'webgpu' });
const pixels = Float32Array.from({ length: 3 * 16 }, (_, i) => Math.sin(i));
const head = ClassificationHead.create(context, { features: 8, labels: ['ant', 'bee', 'cat', 'dog', 'emu'], seed: 1 });

const body = await ort.InferenceSession.create('./features.onnx', sessionOptions(context));
const { features } = await body.run({ pixels: new ort.Tensor('float32', pixels, [3, 16]) });
const answers = await head.predict(fromOnnx(context, features), { topK: 2 });

const negate = await ort.InferenceSession.create('./negate.onnx', sessionOptions(context));
const probabilities = softmax(context.tensor([[2, 1, 0.1]]));
const { y } = await negate.run({ x: toOnnx(ort, probabilities) });
const negated = await fromOnnx(context, y).array();

for (const each of [features, y, probabilities]) each.dispose();
const answer = { backend: context.backend, answers, negated };
document.querySelector('#answer')!.textContent = JSON.stringify(answer, null, 2);
