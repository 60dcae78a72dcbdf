// Weights of classes and of rows; 1 where the call has none.

@group(0) @binding(23) var<storage, read> class_weights: array<f32>; // (classes)
@group(0) @binding(24) var<storage, read> sample_weights: array<f32>; // (rows)

override HAS_CLASS_WEIGHTS: bool = false;
override HAS_SAMPLE_WEIGHTS: bool = false;

fn class_weight(c: u32) -> f32 {
  if (HAS_CLASS_WEIGHTS) {
    return class_weights[offsets.class_weights + c];
  }
  return 1.0;
}

fn sample_weight(row: u32) -> f32 {
  if (HAS_SAMPLE_WEIGHTS) {
    return sample_weights[offsets.sample_weights + row];
  }
  return 1.0;
}
