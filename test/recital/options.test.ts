import { expect } from 'chai';
import { ArgumentError } from '../../lib/recital/errors.js';
import {
  checkCount,
  checkFlag,
  checkIndex,
  checkLengths,
  checkOneOf,
  checkOptions,
  given,
} from '../../lib/recital/options.js';

describe('checkOptions', () => {
  const check = (options: unknown): void =>
    checkOptions(options as { n?: number; filterSeen?: boolean }, ['n', 'filterSeen'], 'recommend');

  it('lets known options pass, whatever their values', () => {
    check({});
    check({ n: undefined, filterSeen: false });
  });

  it('refuses an unknown option, with the nearest known one and all there are', () => {
    const all = 'Its options: n, filterSeen.';
    expect(() => check({ n: 1, filter_seen: true })).to.throw(
      ArgumentError,
      `recommend has no option "filter_seen"; did you mean "filterSeen"? ${all}`,
    );
    expect(() => check({ among: [] })).to.throw(
      ArgumentError,
      `recommend has no option "among". ${all}`,
    );
    expect(() => check({ toString: 1 })).to.throw(ArgumentError, 'no option "toString"');
  });

  it('refuses what is no object', () => {
    for (const [wrong, name] of [
      [5, 'a number'],
      [null, 'null'],
      [['n'], 'an array'],
      ['n', 'a string'],
    ]) {
      expect(() => check(wrong)).to.throw(
        ArgumentError,
        `The options of recommend must be an object, such as { n: … }, got ${name}.`,
      );
    }
  });
});

describe('given', () => {
  const DEFAULTS = { n: 10, filterSeen: true, among: undefined as string[] | undefined };

  it('has the defaults of what was not given, undefined included, and leaves both objects alone', () => {
    const options = { n: undefined, filterSeen: false };
    expect(given(DEFAULTS, options, 'recommend')).to.deep.equal({ ...DEFAULTS, filterSeen: false });
    expect(given(DEFAULTS, { n: 0 }, 'recommend').n).to.equal(0);
    expect(DEFAULTS).to.deep.equal({ n: 10, filterSeen: true, among: undefined });
    expect(options).to.deep.equal({ n: undefined, filterSeen: false });
  });

  it('refuses what checkOptions refuses', () => {
    const wrong = { filterseen: true } as object;
    expect(() => given(DEFAULTS, wrong, 'recommend')).to.throw(
      ArgumentError,
      'recommend has no option "filterseen"; did you mean "filterSeen"? Its options: n, filterSeen, among.',
    );
    expect(() => given(DEFAULTS, null as unknown as object, 'recommend')).to.throw(
      ArgumentError,
      'The options of recommend must be an object',
    );
  });
});

describe('checks of single values', () => {
  const refused: [string, () => void, string][] = [
    ['a fraction', () => checkCount(1.5, 'bs'), 'bs must be a positive whole number, got 1.5.'],
    [
      'a text',
      () => checkCount('5', 'bs'),
      "bs must be a positive whole number, got the text '5'.",
    ],
    [
      'null',
      () => checkCount(null, 'n', { least: 0 }),
      'n must be a whole number, 0 or more, got null',
    ],
    [
      'too many',
      () => checkCount(9, 'k', { most: 8 }),
      'k must be a whole number from 1 to 8, got 9.',
    ],
    ['another text', () => checkOneOf('c', ['a', 'b'], 'by'), "by must be 'a' or 'b', got 'c'."],
    [
      'what is no text',
      () => checkOneOf({}, ['a', 'b', 'd'], 'by'),
      "by must be 'a', 'b' or 'd', got",
    ],
    ['a number for a flag', () => checkFlag(1, 'na'), 'na must be true or false, got 1.'],
    [
      'an index outside',
      () => checkIndex(3, 3, 'row'),
      'Row 3 does not exist; there are 3, counted',
    ],
    ['a negative index', () => checkIndex(-1, 3, 'row'), 'Row -1 does not exist'],
    [
      'unequal lengths',
      () => checkLengths({ user: [1], track: [] }),
      'Columns must have equal lengths, got user: 1, track: 0.',
    ],
  ];
  for (const [name, check, message] of refused)
    it(`refuse ${name}`, () => expect(check).to.throw(ArgumentError, message));

  it('let what fits pass', () => {
    checkCount(1, 'bs');
    checkCount(0, 'n', { least: 0 });
    checkCount(8, 'k', { most: 8 });
    checkOneOf('a', ['a', 'b'], 'by');
    checkFlag(false, 'na');
    checkIndex(2, 3, 'row');
    checkLengths({ user: [1], track: new Int32Array(1) });
  });
});
