// Holds values to what a comment prints of them.
import { isDeepStrictEqual } from 'node:util';

/** Numbers of a comment, outside its strings, in order; with half a unit of the last digit that it prints. */
function tolerancesOf(text) {
  const numbers = text.match(/"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g) ?? [];
  return numbers.flatMap((number) => {
    if (/^["']/.test(number)) return [];
    const [mantissa, exponent = '0'] = number.split('e');
    const decimals = mantissa.split('.')[1]?.length ?? 0;
    return [decimals || exponent !== '0' ? 0.501 * 10 ** (Number(exponent) - decimals) : 0];
  });
}

function agree(value, expected, tolerances) {
  if (typeof expected === 'number') {
    const tolerance = Number.isFinite(expected) ? (tolerances.shift() ?? 0) : 0;
    return typeof value === 'number' && (Object.is(value, expected) || Math.abs(value - expected) <= tolerance);
  }
  const list = ArrayBuffer.isView(value) ? [...value] : value;
  if (Array.isArray(expected))
    return (
      Array.isArray(list) &&
      list.length === expected.length &&
      expected.every((one, i) => agree(list[i], one, tolerances))
    );
  if (typeof expected === 'object' && expected !== null)
    return Object.entries(expected).every(([key, one]) => agree(value?.[key], one, tolerances));
  return isDeepStrictEqual(value, expected);
}

/** @param {unknown[]} values @param {string} text JavaScript values, separated by commas; an object may leave out properties */
export function expectPrinted(values, text) {
  const expected = new Function('NaN', 'Infinity', `return [${text}]`)(Number.NaN, Number.POSITIVE_INFINITY);
  if (agree(values, expected, tolerancesOf(text))) return;
  const got = values.map((value) =>
    typeof value === 'string' ? value : JSON.stringify(ArrayBuffer.isView(value) ? [...value] : value),
  );
  throw new Error(`the document prints ${text}, the code gives ${got.join(', ')}`);
}
