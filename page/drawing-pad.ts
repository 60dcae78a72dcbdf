// A canvas to draw on, by mouse, finger, pen or keyboard. It keeps strokes, not pixels: preprocess.ts makes the picture.
import type { Point } from './preprocess.ts';

export interface DrawingPad {
  readonly strokes: readonly Point[][];
  undo(): void;
  clear(): void;
}

/** The pad's sides are 1 long, whatever its size on the screen. */
const lineWidth = 0.055;
const leastMove = 0.008;
const keyStep = 1 / 24;
const arrows: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** @param changed is called after every change of the strokes */
export function makeDrawingPad(pad: HTMLElement, changed: () => void): DrawingPad {
  const canvas = pad.querySelector('canvas')!;
  const strokes: Point[][] = [];
  /** The stroke being drawn, by the pointer of this id or by the keyboard. */
  let drawing: { stroke: Point[]; by: number | 'keyboard' } | undefined;
  let cursor: Point | undefined;

  const paint = () => paintPad(canvas, strokes, cursor && { at: cursor, down: drawing?.by === 'keyboard' });
  const change = () => {
    paint();
    changed();
  };
  const begin = (at: Point, by: number | 'keyboard') => {
    drawing = { stroke: [at], by };
    strokes.push(drawing.stroke);
    change();
  };
  const lift = () => {
    drawing = undefined;
    paint();
  };
  const controls: DrawingPad = {
    strokes,
    undo() {
      drawing = undefined;
      strokes.pop();
      change();
    },
    clear() {
      drawing = undefined;
      strokes.length = 0;
      change();
    },
  };

  pad.addEventListener('pointerdown', (event) => {
    if (drawing && drawing.by !== 'keyboard') return; // a second finger
    if (event.button !== 0) return;
    pad.setPointerCapture(event.pointerId);
    cursor = undefined;
    begin(positionOf(event, pad), event.pointerId);
  });
  pad.addEventListener('pointermove', (event) => {
    if (drawing?.by !== event.pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length ? events : [event]).map((each) => positionOf(each, pad));
    if (extend(drawing.stroke, points)) change();
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const) {
    pad.addEventListener(end, (event) => {
      if (drawing?.by === event.pointerId) lift();
    });
  }

  const held = new Set<string>();
  const moveBy = ({ x, y }: Point) => {
    const from = cursor ?? { x: 0.5, y: 0.2 };
    const to = { x: inside(from.x + x * keyStep), y: inside(from.y + y * keyStep) };
    cursor = to;
    if (drawing?.by === 'keyboard' && extend(drawing.stroke, [to])) changed();
    paint();
  };
  const togglePen = () => {
    cursor ??= { x: 0.5, y: 0.2 };
    if (drawing) lift();
    else begin(cursor, 'keyboard');
  };
  const commands: Record<string, () => void> = {
    ' ': togglePen,
    Enter: togglePen,
    Backspace: controls.undo,
    Delete: controls.clear,
    Escape: lift,
  };
  pad.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in arrows) {
      held.add(event.key);
      moveBy(sumOf([...held].map((key) => arrows[key]))); // two arrows at once draw a slant
    } else if (event.key in commands) {
      if (!event.repeat) commands[event.key]();
    } else return;
    event.preventDefault();
  });
  pad.addEventListener('keyup', (event) => held.delete(event.key));
  pad.addEventListener('focus', () => {
    if (!pad.matches(':focus-visible')) return;
    cursor ??= { x: 0.5, y: 0.2 };
    paint();
  });
  pad.addEventListener('blur', () => {
    held.clear();
    cursor = undefined;
    if (drawing?.by === 'keyboard') drawing = undefined;
    paint();
  });

  new ResizeObserver(paint).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);
  paint();
  return controls;
}

const inside = (value: number) => Math.max(0, Math.min(1, value));
const sumOf = (points: Point[]): Point =>
  points.reduce((sum, { x, y }) => ({ x: sum.x + x, y: sum.y + y }), { x: 0, y: 0 });

function positionOf(event: PointerEvent, pad: HTMLElement): Point {
  const { left, top, width, height } = pad.getBoundingClientRect();
  return { x: inside((event.clientX - left) / width), y: inside((event.clientY - top) / height) };
}

/** Adds the points that lie off the last one; says whether there were any. */
function extend(stroke: Point[], points: Point[]): boolean {
  const before = stroke.length;
  for (const point of points) {
    const last = stroke[stroke.length - 1];
    if (Math.hypot(point.x - last.x, point.y - last.y) >= leastMove) stroke.push(point);
  }
  return stroke.length > before;
}

function paintPad(canvas: HTMLCanvasElement, strokes: readonly Point[][], cursor?: { at: Point; down: boolean }): void {
  const size = Math.round(canvas.clientWidth * devicePixelRatio);
  const pen = canvas.getContext('2d');
  if (!pen || size === 0) return;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  pen.setTransform(size, 0, 0, size, 0, 0);
  pen.clearRect(0, 0, 1, 1);
  pen.lineCap = pen.lineJoin = 'round';
  pen.lineWidth = lineWidth;
  pen.strokeStyle = pen.fillStyle = getComputedStyle(canvas).color;
  for (const stroke of strokes) paintStroke(pen, stroke);
  if (cursor) paintCursor(pen, cursor.at, cursor.down);
}

function paintStroke(pen: CanvasRenderingContext2D, stroke: readonly Point[]): void {
  pen.beginPath();
  pen.moveTo(stroke[0].x, stroke[0].y);
  for (const { x, y } of stroke) pen.lineTo(x, y);
  pen.stroke();
}

/** A ring where the pen is lifted, a disc where it is down. */
function paintCursor(pen: CanvasRenderingContext2D, { x, y }: Point, down: boolean): void {
  pen.lineWidth = 0.012;
  pen.beginPath();
  pen.arc(x, y, 0.04, 0, 2 * Math.PI);
  pen.stroke();
  if (down) pen.fill();
}
