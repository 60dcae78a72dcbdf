// What the head sees of a picture: a few hundred numbers from fixed rules, the same for a file, the camera and a drawn sample. Nothing in
// it is learnt, and nothing depends on other pictures, so that a head that was saved reads the same numbers when it is loaded again.
import { colourNumbers, colours } from './colours.ts';
import { edgeNumbers, edges } from './edges.ts';
import { planesOf, side } from './planes.ts';
import { textureNumbers, textures } from './textures.ts';

/** Numbers a picture. */
export const depth = colourNumbers + edgeNumbers + textureNumbers;

/** @param rgba of a square of 64 x 64 pixels, row by row */
export function extract(rgba: Uint8ClampedArray): Float32Array {
  if (rgba.length !== side * side * 4) throw new RangeError(`extract: a picture has ${side} x ${side} pixels`);
  const planes = planesOf(rgba);
  const features = new Float32Array(depth);
  features.set(colours(planes));
  features.set(edges(planes.light), colourNumbers);
  features.set(textures(planes), colourNumbers + edgeNumbers);
  return features;
}
