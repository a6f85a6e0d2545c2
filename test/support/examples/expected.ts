/** What the comment behind an expression says that it is; undefined where the comment is prose. */
export function expectedOf(comment: string): { value: unknown; tolerance: number } | undefined {
  const text = comment.trim().replaceAll('−', '-').replaceAll('·', '*');
  const sum = /= (-?[\d.,]+)…?$/.exec(text)?.[1];
  const number = sum ?? /^(-?\d[\d.]*(?:e-?\d+)?)(?=$|: |…)/.exec(text)?.[1];
  if (number !== undefined)
    return { value: Number(number), tolerance: 0.51 * 10 ** -(number.split('.')[1]?.length ?? 9) };
  if (/^[\d\s.+*/()-]+$/.test(text) || /^(true|false)$|^'[^']*'$/.test(text))
    return { value: evaluated(text), tolerance: 1e-9 };
  if (/^\[.*\]$/.test(text)) return { value: evaluated(text), tolerance: 1e-6 };
  if (/^-?[\d.]+(, -?[\d.]+)+$/.test(text))
    return { value: evaluated(`[${text}]`), tolerance: 1e-6 };
  return undefined;
}

const evaluated = (text: string): unknown => new Function(`return (${text});`)();

/**
 * Whether a value is what was expected; typed arrays count as arrays, and those of one number as
 * that number.
 */
export function isExpected(actual: unknown, expected: unknown, tolerance: number): boolean {
  if (typeof expected === 'number' && ArrayBuffer.isView(actual))
    return isExpected(actual, [expected], tolerance);
  if (typeof expected === 'number')
    return (
      typeof actual === 'number' &&
      (Object.is(actual, expected) || Math.abs(actual - expected) <= tolerance)
    );
  if (!Array.isArray(expected)) return actual === expected;
  const values = ArrayBuffer.isView(actual) ? Array.from(actual as Float64Array) : actual;
  return (
    Array.isArray(values) &&
    values.length === expected.length &&
    expected.every((e, i) => isExpected(values[i], e, tolerance))
  );
}
