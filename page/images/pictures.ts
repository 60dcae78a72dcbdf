// Pictures, from wherever they come, cut to a square and made into features.
import { extract } from './extractor.ts';
import { side } from './planes.ts';

export interface Picture {
  /** 64 x 64. */
  readonly canvas: HTMLCanvasElement;
  readonly features: Float32Array;
}

const mostBytes = 50e6;
const mostPixels = 50e6;

/** Says in its message which file it was and what is wrong with it. */
export async function bitmapOf(file: File): Promise<ImageBitmap> {
  if (file.size > mostBytes) throw new Error(`“${file.name}” is larger than 50 MB.`);
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) throw new Error(`“${file.name}” is not a picture that this browser can read.`);
  if (bitmap.width * bitmap.height <= mostPixels) return bitmap;
  bitmap.close();
  throw new Error(`“${file.name}” has more than 50 million pixels.`);
}

export async function pictureOfFile(file: File): Promise<Picture> {
  const bitmap = await bitmapOf(file);
  const picture = pictureOf((canvas) => drawSquare(canvas, bitmap, bitmap.width, bitmap.height));
  bitmap.close();
  return picture;
}

/** @param draw fills the canvas, however large it is */
export function pictureOf(draw: (canvas: HTMLCanvasElement) => void): Picture {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const pen = canvas.getContext('2d', { willReadFrequently: true })!;
  draw(canvas);
  return { canvas, features: extract(pen.getImageData(0, 0, side, side).data) };
}

/** The middle of a source, as large a square as it has, on white where it is transparent. */
export function drawSquare(canvas: HTMLCanvasElement, source: CanvasImageSource, width: number, height: number): void {
  const pen = canvas.getContext('2d')!;
  const size = Math.min(width, height);
  pen.fillStyle = 'white';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(source, (width - size) / 2, (height - size) / 2, size, size, 0, 0, canvas.width, canvas.height);
}
