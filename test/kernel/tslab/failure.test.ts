import { expect } from 'chai';
import fc from 'fast-check';

import { type ErrorContent, stopped, thrown } from '../../../lib/kernel/tslab/failure.js';

const code = { isWrapper: () => false, locate: () => undefined };
const heads = (content: ErrorContent): string[] =>
  content.traceback.filter((line) => !line.startsWith('    at '));

/** Calls of any method of it throw. */
const bomb = (target: object): object =>
  new Proxy(
    target,
    new Proxy(
      {},
      {
        get: () => () => {
          throw new Error('a trap');
        },
      },
    ),
  );
const throwing = {
  get(): never {
    throw new Error('a getter');
  },
  configurable: true,
};

/**
 * Makes whatever JavaScript lets one throw. (Made late, for fast-check looks at what it has made.)
 */
const anything = fc.letrec<{ value: () => unknown }>((again) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc
      .anything({
        withNullPrototype: true,
        withBigInt: true,
        withDate: true,
        withTypedArray: true,
        withSparseArray: true,
      })
      .map((value) => () => value),
    fc
      .constantFrom(null, undefined, Symbol('s'), Object.create(null), class Mine {}, -0, 10n)
      .map((value) => () => value),
    fc.constantFrom(new Error('p'), {}, [], () => 1).map((target) => () => bomb(target)),
    fc
      .tuple(
        fc.constantFrom(
          'name',
          'message',
          'stack',
          'cause',
          'errors',
          'constructor',
          'code',
          'toString',
        ),
        again('value'),
      )
      .map(([name, make]) => () => {
        return Object.defineProperty(new Error('x'), name, { value: make(), configurable: true });
      }),
    fc
      .subarray(['name', 'message', 'stack', 'cause', 'errors', 'constructor', 'code'])
      .map((names) => () => {
        const error = new TypeError('x');
        void error.stack; // else it is made when it is replaced, and reads the others
        for (const name of names) Object.defineProperty(error, name, throwing);
        return error;
      }),
    fc.tuple(again('value'), again('value')).map(
      ([a, b]) =>
        () =>
          new AggregateError([a(), b()], 'both', { cause: b() }),
    ),
    fc.constant(() => ({
      [Symbol.for('nodejs.util.inspect.custom')]: () => bomb({}),
      toString: () => bomb({}),
    })),
  ),
})).value;

describe('the message of a failed cell', () => {
  it('is made of texts, whatever is thrown', () => {
    fc.assert(
      fc.property(anything, (make) => {
        const value = make();
        for (const content of [thrown(value, code), stopped({}, value)]) {
          const sent = JSON.parse(JSON.stringify(content)) as ErrorContent;
          expect(Object.keys(sent)).to.deep.equal(['ename', 'evalue', 'traceback']);
          expect(
            [sent.ename, sent.evalue, ...sent.traceback].every((text) => typeof text === 'string'),
          ).to.equal(true);
          expect(sent.ename).not.to.equal('');
          expect(sent.traceback.length).to.be.within(1, 400);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('survives an Error.prepareStackTrace that throws, or makes no text, and leaves it in place', () => {
    for (const make of [
      (): never => {
        throw new Error('no');
      },
      (): object => ({}),
    ]) {
      const error = new RangeError('p');
      try {
        Error.prepareStackTrace = make;
        expect(thrown(error, code).traceback[0]).to.equal('RangeError: p');
        expect(Error.prepareStackTrace).to.equal(make);
      } finally {
        delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
      }
    }
  });

  it("says the class's name where the class has set none", () => {
    class Mine extends Error {}
    class Deeper extends Mine {}
    class Named extends RangeError {
      override name = 'Other';
    }
    expect(thrown(new Mine('m'), code)).to.include({ ename: 'Mine', evalue: 'm' });
    expect(thrown(new Deeper('m'), code).traceback[0]).to.equal('Deeper: m');
    expect(thrown(new Named('m'), code).ename).to.equal('Other');
    for (const made of [
      new TypeError('t'),
      new SyntaxError('t'),
      new DOMException('t', 'AbortError'),
      new AggregateError([], 't'),
    ]) {
      expect(thrown(made, code).ename).to.equal(made.name);
    }
  });

  it('names variables of cells as the reader does, not as they are compiled', () => {
    for (const [message, shown] of [
      ['exports.learn.weight is not a function', 'learn.weight is not a function'],
      ['(0 , recital_1.readPlays) is not a function', 'readPlays is not a function'],
      ['exports. is no name', 'exports. is no name'],
      ['the exports.a of it', 'the exports.a of it'],
    ]) {
      const told = thrown(new TypeError(message), code);
      expect([told.evalue, ...heads(told)]).to.deep.equal([shown, `TypeError: ${shown}`]);
    }
  });

  it('lists the reasons of an AggregateError, and causes, each once', () => {
    const error = new AggregateError([new Error('one'), new TypeError('two'), 'three'], 'both', {
      cause: new RangeError('root', { cause: { a: 1 } }),
    });
    expect(heads(thrown(error, code))).to.deep.equal([
      'AggregateError: both',
      'Reason 1: Error: one',
      'Reason 2: TypeError: two',
      'Reason 3: three',
      'Caused by RangeError: root',
      'Caused by { a: 1 }',
    ]);
    const [a, b] = [new Error('a'), new Error('b')];
    a.cause = b;
    b.cause = a;
    expect(heads(thrown(a, code))).to.deep.equal(['Error: a', 'Caused by Error: b']);
    const many = new AggregateError(Array.from({ length: 500 }, (_, i) => new Error(`${i}`)));
    expect(heads(thrown(many, code)))
      .to.have.length(10)
      .and.to.include('… and 492 more reasons');
  });

  it('is cut where it is a whole file', () => {
    const { evalue, traceback } = thrown(new Error('x'.repeat(3_000_000)), code);
    expect(evalue).to.have.length(20_000 + '… (3,000,000 characters)'.length);
    expect(traceback.join('\n').length).to.be.below(150_000);
  });
});
