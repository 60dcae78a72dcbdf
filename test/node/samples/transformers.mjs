// Stands for @huggingface/transformers, whose models would have to be downloaded: a model class whose output has what the real one's has
// (dims, data, and with `session_options` on a GPU `ort_tensor.gpuBuffer`), with logits that are given here.
const logits = new Float32Array([2, 1, 0.1, 0, 3, -1]);
const tensor = () => ({ dims: [2, 3], data: logits, location: 'cpu' });

export const AutoTokenizer = { from_pretrained: async () => async (texts) => ({ texts }) };
export const AutoModelForSequenceClassification = {
  from_pretrained: async () =>
    Object.assign(async () => ({ logits: tensor() }), {
      config: { id2label: { 0: 'calm', 1: 'joy', 2: 'anger' }, problem_type: 'single_label_classification' },
    }),
};
/** Features: one vector a text, as with { pooling: 'mean', normalize: true }. */
export const pipeline = async () => async (texts) => ({
  dims: [texts.length, 4],
  data: Float32Array.from({ length: texts.length * 4 }, (_, i) => ((i * 7) % 5) / 10),
});
