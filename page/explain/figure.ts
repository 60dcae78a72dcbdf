// Small pictures in SVG. Colours are those of explain.css, by class.
const namespace = 'http://www.w3.org/2000/svg';

export function shape(tag: string, attributes: Record<string, string | number>, ...children: (Node | string)[]) {
  const element = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A plot of x and y from 0, its frame and ticks; `at` gives places in it. */
export function makePlot(
  label: string,
  most: readonly [x: number, y: number],
  ticks: readonly [number[], number[]],
  names: readonly [string, string],
) {
  const [width, height, left, bottom, top] = [360, 236, 34, 42, 10];
  const at = (x: number, y: number): [number, number] => [
    left + (x / most[0]) * (width - left - 12),
    height - bottom - (y / most[1]) * (height - bottom - top),
  ];
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label, class: 'plot' });
  for (const x of ticks[0]) {
    const [px, py] = at(x, 0);
    svg.append(line([x, 0], [x, most[1]], 'grid'), shape('text', { x: px, y: py + 17, class: 'middle' }, String(x)));
  }
  for (const y of ticks[1]) {
    const [px, py] = at(0, y);
    svg.append(line([0, y], [most[0], y], 'grid'), shape('text', { x: px - 7, y: py + 4, class: 'end' }, String(y)));
  }
  const [middle, floor] = at(most[0] / 2, 0);
  svg.append(
    shape('text', { x: middle, y: floor + 36, class: 'middle' }, names[0]),
    shape('text', { x: left + 8, y: top + 12 }, names[1]),
  );
  function line(from: [number, number], to: [number, number], className: string) {
    const [[x1, y1], [x2, y2]] = [at(...from), at(...to)];
    return shape('line', { x1, y1, x2, y2, class: className });
  }
  return { svg, at, line };
}
