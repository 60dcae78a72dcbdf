// From the strokes of a drawing to the 8 x 8 picture that the head was trained on. Pure functions: points in, counts out.
//
// The data set's pictures are 32 x 32 bitmaps counted in blocks of 4 x 4. Its digits fill a box 20 wide and 32 high, and their
// lines were thickened or thinned until about three pixels of ten were ink. A drawing goes the same way.

export interface Point {
  readonly x: number;
  readonly y: number;
}
export type Stroke = readonly Point[];

const bitmapSide = 32;
const blockSide = 4;
const box = { width: 20, height: 32 };
/** Black pixels of 1024: the data set's mean, which is nearly the same for each of its ten digits. */
const inkPixels = 312;
const penRadius = { least: 1, most: 5 };
/** A narrow digit, a 1 above all, is not pulled wider than this beside its height. */
const mostStretch = 1.3;

/** The 64 features in [0, 1] of a drawing, row by row from the top left; null where nothing is drawn. */
export function featuresOf(strokes: readonly Stroke[]): Float32Array | null {
  const drawn = strokes.filter((stroke) => stroke.length > 0);
  return drawn.length === 0 ? null : blockCounts(bitmapOf(drawn)).map((count) => count / blockSide ** 2);
}

/** 32 x 32 pixels, 1 where there is ink. The pen is as wide as it takes to lay down as much ink as the data set's digits have. */
export function bitmapOf(strokes: readonly Stroke[]): Uint8Array {
  let radius = 3;
  let distances = new Float64Array(bitmapSide ** 2);
  // The pen's width takes room in the box and the room left decides the pen's width; four rounds settle it.
  for (let round = 0; round < 4; round++) {
    distances = distancesTo(fitted(strokes, radius));
    const wanted = distances.slice().sort()[inkPixels];
    radius = Math.max(penRadius.least, Math.min(penRadius.most, wanted));
  }
  return Uint8Array.from(distances, (distance) => (distance < radius ? 1 : 0));
}

/** The strokes in the box in the middle of the bitmap, a pen's radius from its edges. */
function fitted(strokes: readonly Stroke[], radius: number): Stroke[] {
  const { left, top, width, height } = boundsOf(strokes.flat());
  const down = (box.height - 2 * radius) / Math.max(height, width / 4, 1e-6);
  const across = Math.min((box.width - 2 * radius) / Math.max(width, 1e-6), down * mostStretch);
  const middle = bitmapSide / 2;
  return strokes.map((stroke) =>
    stroke.map(({ x, y }) => ({
      x: middle + (x - left - width / 2) * across,
      y: middle + (y - top - height / 2) * down,
    })),
  );
}

/** How far the centre of each pixel is from the nearest line of the drawing. */
function distancesTo(strokes: readonly Stroke[]): Float64Array<ArrayBuffer> {
  const squares = new Float64Array(bitmapSide ** 2).fill(Number.POSITIVE_INFINITY);
  for (const stroke of strokes) {
    for (let i = 0; i < stroke.length; i++) nearer(squares, stroke[Math.max(0, i - 1)], stroke[i]);
  }
  return squares.map(Math.sqrt);
}

function nearer(squares: Float64Array, from: Point, to: Point): void {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy || 1;
  for (let pixel = 0; pixel < squares.length; pixel++) {
    const px = (pixel % bitmapSide) + 0.5 - from.x;
    const py = Math.floor(pixel / bitmapSide) + 0.5 - from.y;
    const along = Math.max(0, Math.min(1, (px * dx + py * dy) / length));
    const square = (px - along * dx) ** 2 + (py - along * dy) ** 2;
    if (square < squares[pixel]) squares[pixel] = square;
  }
}

/** The black pixels of each block of 4 x 4: 64 counts, 0 to 16. */
export function blockCounts(bitmap: Uint8Array): Float32Array {
  const side = bitmapSide / blockSide;
  const counts = new Float32Array(side * side);
  for (let pixel = 0; pixel < bitmap.length; pixel++) {
    const row = Math.floor(pixel / bitmapSide / blockSide);
    const column = Math.floor((pixel % bitmapSide) / blockSide);
    counts[row * side + column] += bitmap[pixel];
  }
  return counts;
}

function boundsOf(points: readonly Point[]) {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}
