import { expect } from 'chai';
import fc from 'fast-check';
import { setDisplay } from '../../lib/recital/data/output.js';
import { RecitalError } from '../../lib/recital/errors.js';

// Values that a notebook may well hold, and that nobody thinks of: of the right type, or of none.

/**
 * Numbers of every kind: not finite, no whole ones, too large for an index, a float32 or a double's
 * precision.
 */
export const numbers: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    NaN,
    Infinity,
    -Infinity,
    -0,
    0,
    1,
    2,
    -1,
    0.5,
    1.5,
    -0.5,
    1e-9,
    1e-46,
    5e-324,
    1e39,
    -1e39,
    1e308,
    -1e308,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e300,
  ),
  fc.integer({ min: -2, max: 12 }),
  fc.double(),
);

/** Texts that are names of other things, no text at all, or too long. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'prototype',
    'length',
    'then',
    '0',
    '-1',
    '1e3',
    'NaN',
    '#na#',
  ),
  fc.constantFrom(
    '\ud800',
    'a\udc00b',
    '\0',
    '\ufeff',
    '\u2028',
    'é',
    'e\u0301',
    '🎵',
    "it's",
    '"',
    '"; drop table x; --',
    '%s',
    '$1',
    '{{x}}',
    '<b>&',
  ),
  fc.constantFrom(
    '../up',
    '/',
    '.',
    '\\',
    'x'.repeat(5000),
    'user',
    'item',
    'rating',
    'user_id',
    'track_id',
    'playcount',
    'name',
    'artist',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
);

/** What a caller in plain JavaScript, or a cell that has lost its types, may hand over. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    {},
    [],
    '',
    'x',
    0,
    -1,
    1.5,
    NaN,
    true,
    false,
    [null],
    [undefined],
    [[]],
    { length: 2 },
    { length: -1 },
    10n,
  ),
  fc.constantFrom<unknown>(
    () => undefined,
    class {},
    new Date(0),
    new Map(),
    new Set(['a']),
    new Float32Array(2),
    new Int32Array(1),
    Promise.resolve(),
  ),
  numbers,
  texts,
);

/**
 * Mostly a good value, at times a hostile one: so that a question with many parts gets beyond its
 * first.
 */
export function mostly<T>(good: readonly T[], hostile: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: hostile },
  );
}

/** An object with some of these fields, none of them for sure: sparse options. */
export function sparse<T>(
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
): fc.Arbitrary<Partial<T>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

/** Text cells, with ones that are missing. */
export const cells: fc.Arbitrary<(string | null)[]> = fc.array(fc.option(texts, { freq: 6 }), {
  maxLength: 6,
});

/**
 * What a function that is asked badly may do: answer, or say what is wrong by one of the library's
 * errors.
 */
export type Answer<T> = { value: T } | { error: RecitalError };

const innocent = new Map<object, string>(
  [Object.prototype, Array.prototype, Function.prototype].map((o) => [o, names(o)]),
);

function names(o: object): string {
  return Reflect.ownKeys(o).map(String).sort().join();
}

/** Fails if a prototype that everything inherits from has been changed. */
export function expectInnocence(): void {
  for (const [o, before] of innocent) expect(names(o)).to.equal(before);
}

function judged(error: unknown, { types }: { types: boolean }): RecitalError {
  if (error instanceof RecitalError) {
    expect(error.message, 'a message').to.match(/\S/);
    expect(error.message, 'a message of ours').to.not.match(
      /undefined is not|Cannot read|is not a function|is not iterable/,
    );
    return error;
  }
  if (types && error instanceof TypeError && !(error as NodeJS.ErrnoException).code)
    return new RecitalError(`TypeError: ${error.message}`);
  throw error;
}

/**
 * Runs work, quietly; an error that is not one of ours comes out. `types`: a TypeError will do,
 * because TypeScript refuses what was asked.
 */
export function asked<T>(work: () => T, { types = false }: { types?: boolean } = {}): Answer<T> {
  const before = setDisplay(undefined);
  try {
    return { value: work() };
  } catch (error) {
    return { error: judged(error, { types }) };
  } finally {
    setDisplay(before);
    expectInnocence();
  }
}

/** The same for work that takes time. */
export async function askedLater<T>(
  work: () => Promise<T>,
  { types = false }: { types?: boolean } = {},
): Promise<Answer<T>> {
  const before = setDisplay(undefined);
  try {
    return { value: await work() };
  } catch (error) {
    return { error: judged(error, { types }) };
  } finally {
    setDisplay(before);
    expectInnocence();
  }
}

/** Runs a check with the answer, if there is one. */
export function answered<T>(answer: Answer<T>, check: (value: T) => void): void {
  if ('value' in answer) check(answer.value);
}

/** Fails for numbers that are not finite. */
export function expectFinite(values: ArrayLike<number> | number, what = 'value'): void {
  const all = typeof values === 'number' ? [values] : values;
  for (let i = 0; i < all.length; i++)
    if (!Number.isFinite(all[i])) expect.fail(`${what}[${i}] is ${all[i]}`);
}

const [more, seed] = (process.env.RECITAL_FUZZ ?? '1,20240917').split(',').map(Number);

/**
 * Times that a question is asked: always the same ones, so that a failure comes again.
 * RECITAL_FUZZ="20,7" asks 20 times as many, from seed 7.
 */
export const runs = (numRuns: number): { seed: number; numRuns: number } => ({
  seed,
  numRuns: numRuns * more,
});
