import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

/** Numbers computed by fastai, PyTorch and scikit-learn themselves: test/golden/NAME.json. */
export function golden(name: string): ReturnType<typeof JSON.parse> {
  return JSON.parse(readFileSync(join(__dirname, '..', 'golden', `${name}.json`), 'utf8'));
}

/** Expects equal lengths and |actual − expected| ≤ tolerance·max(1, |expected|) everywhere. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = 'value',
): void {
  expect(actual.length, `${what}: length`).to.equal(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs(actual[i] - expected[i]);
    if (!(gap <= tolerance * Math.max(1, Math.abs(expected[i])))) {
      throw new Error(
        `${what}[${i}]: expected ${expected[i]}, got ${actual[i]} (tolerance ${tolerance})`,
      );
    }
  }
}
