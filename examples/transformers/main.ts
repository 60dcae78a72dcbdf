// A classifier of transformers.js leaves its logits on the GPU; crosshead reads back the best two labels of each text, and what they score.
import { AutoModelForSequenceClassification, env, Tensor } from '@huggingface/transformers';
import { createContext, softmax, topK } from 'crosshead';
import { fromTransformers, modelOptions } from 'crosshead/transformers';

// The model lies beside this page, and the library's WebAssembly too: else both would be fetched from elsewhere.
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = './models/';
env.backends.onnx.wasm!.wasmPaths = new URL('./ort/', location.href).href;

const context = await createContext({ backend: 'webgpu' });
const model = await AutoModelForSequenceClassification.from_pretrained('tiny-bert', {
  dtype: 'fp32',
  ...modelOptions(context),
});
const ids = BigInt64Array.from([1, 5, 9, 2, 0, 0, 1, 7, 7, 3, 2, 0], BigInt); // of two texts, as a tokenizer gives them
const { logits } = await model({ input_ids: new Tensor('int64', ids, [2, 6]) });

const { values, indices } = topK(softmax(fromTransformers(context, logits)), 2);
const [scores, classes] = (await Promise.all([values.array(), indices.array()])) as number[][][];
logits.dispose();

const labels = (model.config as unknown as { id2label: Record<number, string> }).id2label;
const answers = classes.map((row, r) => row.map((index, j) => ({ label: labels[index], index, score: scores[r][j] })));
document.querySelector('#answer')!.textContent = JSON.stringify({ backend: context.backend, answers }, null, 2);
