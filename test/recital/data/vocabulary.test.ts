import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';

const golden = JSON.parse(
  readFileSync(path.join(__dirname, '../../golden/label_encoder.json'), 'utf8'),
);
const ids = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('', '#na#', 'a', '\uff21', '\u{1f600}'),
);

describe('Vocabulary', () => {
  it("sorts, encodes and decodes as scikit-learn's LabelEncoder does", () => {
    const vocabulary = Vocabulary.fromValues(golden.strings);
    expect(vocabulary.classes).to.deep.equal(golden.classes);
    expect([...vocabulary.encode(golden.strings)]).to.deep.equal(golden.codes);
    expect(vocabulary.decode(golden.codes)).to.deep.equal(golden.inverse);
  });

  it('sorts numbers by size, and numbers mixed with strings as strings', () => {
    const numbers = Vocabulary.fromValues(golden.ints);
    expect(numbers.classes).to.deep.equal(golden.int_classes.map(String));
    expect([...numbers.encode(golden.ints)]).to.deep.equal(golden.int_codes);
    expect(numbers.indexOf('10')).to.equal(3);
    const { fit, classes } = golden.mixed_ints_and_strings;
    expect(Vocabulary.fromValues(fit).classes).to.deep.equal(classes);
  });

  it('puts #na# first, even if it occurs among the values, and codes unknown ids 0', () => {
    const vocabulary = Vocabulary.fromValues(['b', '#na#', '!', 'a'], { na: true });
    expect(vocabulary.classes).to.deep.equal(['#na#', '!', 'a', 'b']);
    expect([...vocabulary.encode(['b', 'nobody', '#na#', '!'])]).to.deep.equal([3, 0, 0, 1]);
    expect(vocabulary.indexOf('nobody')).to.equal(-1);
    expect(Vocabulary.fromValues([7, 10], { na: true }).classes).to.deep.equal(['#na#', '7', '10']);
  });

  it('names the nearest id when one is unknown', () => {
    const vocabulary = Vocabulary.fromValues(['Titanic', 'Jaws'], { kind: 'film' });
    expect(() => vocabulary.index('Titanc')).to.throw(
      UnknownIdError,
      'Unknown film "Titanc". 2 films known; did you mean "Titanic"?',
    );
    expect(() => vocabulary.encode(['Jaws', 'Alien'])).to.throw(UnknownIdError);
    expect(() => Vocabulary.fromValues(['a'], { na: true, kind: 'user' }).index('b')).to.throw(
      UnknownIdError,
      'in validation only',
    );
  });

  it('refuses values that are no ids, and indices that do not exist', () => {
    expect(() => Vocabulary.fromValues([1, NaN])).to.throw(ArgumentError, 'NaN');
    expect(() => Vocabulary.fromValues([1, 2 ** 53], { kind: 'film' })).to.throw(
      ArgumentError,
      'the film 9007199254740992, a whole number beyond 2⁵³',
    );
    expect(Vocabulary.fromValues([2 ** 53 - 1, 0.5, -1e-7]).length).to.equal(3);
    expect(() => Vocabulary.fromValues(['a', null as unknown as string])).to.throw(
      ArgumentError,
      'null',
    );
    expect(() => Vocabulary.fromValues(['a\ud800'])).to.throw(ArgumentError, 'surrogate');
    expect(() => Vocabulary.fromValues(['a']).id(1)).to.throw(ArgumentError, 'there are 1');
    expect(() => Vocabulary.fromValues(['a', 'b']).subset([1, 0])).to.throw(
      ArgumentError,
      'ascending',
    );
  });

  it('does not take half a surrogate pair for the replacement character', () => {
    expect(Vocabulary.fromValues(['\ufffd']).indexOf('\ud800')).to.equal(-1);
  });

  it('finds every class, and nothing else, in any order of the classes', () => {
    fc.assert(
      fc.property(fc.array(ids), fc.array(ids), fc.boolean(), (values, others, na) => {
        for (const vocabulary of [
          Vocabulary.fromValues(values, { na }),
          Vocabulary.inOrder(values, { na }),
        ]) {
          const distinct = new Set(na ? ['#na#', ...values] : values);
          expect(vocabulary.length).to.equal(distinct.size);
          vocabulary.classes.forEach((id, i) => {
            expect(vocabulary.indexOf(id)).to.equal(i);
            expect(vocabulary.id(i)).to.equal(id);
          });
          for (const id of others) expect(vocabulary.has(id)).to.equal(distinct.has(id));
        }
      }),
    );
  });

  it('sorts by code point whatever the text', () => {
    fc.assert(
      fc.property(fc.array(ids), (values) => {
        const expected = [...new Set(values)].sort((a, b) =>
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        );
        expect(Vocabulary.fromValues(values).classes).to.deep.equal(expected);
      }),
    );
  });

  it('keeps the order in a subset, and finds its classes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(ids, fc.integer())),
        fc.boolean(),
        fc.boolean(),
        fc.func(fc.boolean()),
        (values, naBefore, naAfter, keep) => {
          for (const whole of [
            Vocabulary.fromValues(values, { na: naBefore }),
            Vocabulary.inOrder(values, { na: naBefore }),
          ]) {
            const kept = whole.classes.map((_, i) => i).filter((i) => keep(i));
            const part = whole.subset(kept, { na: naAfter });
            const expected = kept
              .map((i) => whole.id(i))
              .filter((id) => !((naBefore || naAfter) && id === '#na#'));
            expect(part.classes).to.deep.equal(naAfter ? ['#na#', ...expected] : expected);
            part.classes.forEach((id, i) => {
              expect(part.indexOf(id)).to.equal(i);
            });
          }
        },
      ),
    );
  });

  it('prints its size and first classes', () => {
    expect(inspect(Vocabulary.fromValues(['b', 'a'], { kind: 'user' }))).to.equal(
      'Vocabulary of 2 (user): a, b',
    );
  });
});
