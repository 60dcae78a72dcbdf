// Pictures that the page draws itself, to try it with no file: shapes in any colour, size and turn, and some that are none of them.
import { generator } from '../random.ts';

type Pen = CanvasRenderingContext2D;
type Random = () => number;

/** Each draws a path about the middle, with a radius of 1. */
const shapes = {
  circle: (pen: Pen) => pen.arc(0, 0, 1, 0, 2 * Math.PI),
  square: (pen: Pen) => pen.rect(-0.82, -0.82, 1.64, 1.64),
  triangle: (pen: Pen) => polygon(pen, 3, () => 1.15),
  star: (pen: Pen) => polygon(pen, 10, (i) => (i % 2 ? 0.45 : 1.15)),
};

const strangers = {
  heart: (pen: Pen) => {
    pen.moveTo(0, 0.95);
    pen.bezierCurveTo(-1.7, -0.2, -0.8, -1.3, 0, -0.5);
    pen.bezierCurveTo(0.8, -1.3, 1.7, -0.2, 0, 0.95);
  },
  cross: (pen: Pen) => {
    pen.rect(-1.05, -0.3, 2.1, 0.6);
    pen.rect(-0.3, -1.05, 0.6, 2.1);
  },
  dots: (pen: Pen) => {
    for (const x of [-0.8, 0, 0.8]) {
      for (const y of [-0.8, 0, 0.8]) {
        pen.moveTo(x + 0.25, y);
        pen.arc(x, y, 0.25, 0, 2 * Math.PI);
      }
    }
  },
  stripes: (pen: Pen) => {
    for (let y = -2; y < 2; y += 0.5) pen.rect(-2, y, 4, 0.25);
  },
};

export type Shape = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as Shape[];
export const strangerNames = Object.keys(strangers) as (keyof typeof strangers)[];

/** The same picture for the same number. */
export const drawShape = (canvas: HTMLCanvasElement, shape: Shape, number: number): void =>
  draw(canvas, shapes[shape], generator(1 + number * 8 + shapeNames.indexOf(shape)));

export const drawStranger = (canvas: HTMLCanvasElement, number: number): void =>
  draw(canvas, strangers[strangerNames[number % strangerNames.length]], generator(-1 - number));

function draw(canvas: HTMLCanvasElement, path: (pen: Pen) => void, random: Random): void {
  const pen = canvas.getContext('2d')!;
  const size = canvas.width;
  const between = (low: number, high: number) => low + random() * (high - low);
  const hue = between(0, 360);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = `hsl(${hue + between(90, 270)} ${between(10, 60)}% ${between(78, 95)}%)`;
  pen.fillRect(0, 0, size, size);
  const radius = size * between(0.26, 0.37);
  const middle = () => size * between(0.44, 0.56);
  pen.translate(middle(), middle());
  pen.rotate(between(0, 2 * Math.PI));
  pen.scale(radius, radius);
  pen.fillStyle = `hsl(${hue} ${between(45, 90)}% ${between(30, 52)}%)`;
  pen.beginPath();
  path(pen);
  pen.fill();
  pen.setTransform(1, 0, 0, 1, 0, 0);
}

function polygon(pen: Pen, corners: number, radius: (i: number) => number): void {
  for (let i = 0; i < corners; i++) {
    const angle = (2 * Math.PI * i) / corners - Math.PI / 2;
    pen.lineTo(radius(i) * Math.cos(angle), radius(i) * Math.sin(angle));
  }
  pen.closePath();
}
