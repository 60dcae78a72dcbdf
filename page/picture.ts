// An 8 x 8 picture on a canvas of as many pixels, in the page's ink: CSS makes it large.
import { side } from './digits.ts';

export function drawPicture(canvas: HTMLCanvasElement, features: Float32Array | null): void {
  canvas.width = side;
  canvas.height = side;
  const pen = canvas.getContext('2d');
  if (!pen || !features) return;
  pen.fillStyle = getComputedStyle(canvas).color;
  features.forEach((value, i) => {
    pen.globalAlpha = value;
    pen.fillRect(i % side, Math.floor(i / side), 1, 1);
  });
}
