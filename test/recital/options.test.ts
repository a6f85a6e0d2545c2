import { expect } from 'chai';
import { ArgumentError } from '../../lib/recital/errors.js';
import { checkOptions, given } from '../../lib/recital/options.js';

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
