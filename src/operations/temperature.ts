// The uniforms of shaders/lib/row_sum.wgsl that follow from the temperature.

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/**
 * `clean_below`: magnitudes, as bits, below which (maximum - x) / temperature cannot overflow.
 * `far`: half of (maximum - x) beyond which it does.
 */
export function temperatureUniforms(temperature: number): Record<string, number> {
  float[0] = 2 ** 126 * Math.min(temperature, 1);
  return {
    inverse_temperature: Math.min(1 / temperature, 3e38),
    clean_below: word[0],
    far: Math.min(1.7e38 * temperature, 3.4e38),
  };
}
