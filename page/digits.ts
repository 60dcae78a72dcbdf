// The data set, and its split into a training and a test part: data/README.md says where it comes from and why it is split so.
import about from './data/digits.json';

export const side = about.side;
export const pixels = side * side;
export const classes = about.classes;

export interface Part {
  readonly count: number;
  /** [count, 64], in [0, 1]. */
  readonly features: Float32Array;
  readonly labels: Uint8Array;
}

export interface Digits {
  readonly training: Part;
  /** Kept out of the page's own training, to watch it by and to calibrate with. */
  readonly validation: Part;
  readonly test: Part;
}

export async function loadDigits(): Promise<Digits> {
  const [images, labels] = await Promise.all([
    bytesOf(new URL('./data/digits-images.u8.bin', import.meta.url), about.images * pixels),
    bytesOf(new URL('./data/digits-labels.u8.bin', import.meta.url), about.images),
  ]);
  const { testPart: test, validationPart: validation } = about;
  const partOf = (ranges: [number, number][]): Part => ({
    count: ranges.reduce((sum, [start, end]) => sum + end - start, 0),
    features: Float32Array.from(joined(images, ranges, pixels), (value) => value / about.most),
    labels: joined(labels, ranges, 1),
  });
  return {
    training: partOf([
      [0, test.from],
      [test.to, validation.from],
      [validation.to, about.images],
    ]),
    validation: partOf([[validation.from, validation.to]]),
    test: partOf([[test.from, test.to]]),
  };
}

/** One digit's 64 features, without a copy. */
export const featuresAt = (part: Part, index: number): Float32Array =>
  part.features.subarray(index * pixels, (index + 1) * pixels);

async function bytesOf(url: URL, length: number): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length !== length) throw new Error(`${url} holds ${bytes.length} bytes and not ${length}`);
  return bytes;
}

const joined = (bytes: Uint8Array, ranges: [number, number][], size: number): Uint8Array =>
  Uint8Array.from(ranges.flatMap(([start, end]) => [...bytes.subarray(start * size, end * size)]));
