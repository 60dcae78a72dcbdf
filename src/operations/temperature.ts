import { largestFloat } from '../numbers.js';

/**
 * The uniforms of shaders/base/row_sum.wgsl that follow from the temperature. `far`: half of (maximum - x) beyond which
 * (maximum - x) / temperature is more than a float can hold. Neither of them vanishes as a float, nor does either overflow.
 */
export const temperatureUniforms = (temperature: number): Record<string, number> => ({
  inverse_temperature: Math.min(1 / temperature, 1.5e38),
  far: Math.min(Math.max((largestFloat / 2) * temperature, 1.1), largestFloat),
});
