import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { Plays, playsAmong } from '../../../lib/recital/data/plays.js';
import { indicesIn, LabelEncoder, Vocabulary } from '../../../lib/recital/data/vocabulary.js';
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

describe('LabelEncoder', () => {
  it("fits, transforms and goes back as scikit-learn's does", () => {
    const encoder = new LabelEncoder();
    expect([...encoder.fitTransform(golden.strings)]).to.deep.equal(golden.codes);
    expect(encoder.classes).to.deep.equal(golden.classes);
    expect(encoder.inverseTransform(golden.codes)).to.deep.equal(golden.inverse);
    expect(encoder.vocabulary.index('banana')).to.equal(golden.codes[0]);
  });

  it('keeps numbers as numbers, and makes strings of a mixture', () => {
    const numbers = new LabelEncoder<number>();
    expect([...numbers.fitTransform(golden.ints)]).to.deep.equal(golden.int_codes);
    expect(numbers.classes).to.deep.equal(golden.int_classes);
    expect(numbers.inverseTransform([3, 0])).to.deep.equal([10, -1]);
    const { fit, classes } = golden.mixed_ints_and_strings;
    expect(new LabelEncoder<string | number>().fit(fit).classes).to.deep.equal(classes);
  });

  it("refuses unseen labels with scikit-learn's words, all of them, and the nearest known one", () => {
    const encoder = new LabelEncoder().fit(golden.strings);
    expect(() => encoder.transform(['banana', 'nope'])).to.throw(
      UnknownIdError,
      golden.unseen_error.replace('ValueError: ', ''),
    );
    expect(() => encoder.transform(['bananna', 'nope', 'nope'])).to.throw(
      UnknownIdError,
      /did you mean "banana".*unseen labels: 'bananna', 'nope'$/,
    );
    const many = Array.from({ length: 13 }, (_, i) => `new ${i}`);
    expect(() => encoder.transform(many)).to.throw(UnknownIdError, /'new 9' and 3 more$/);
    for (const index of [-1, 15, 0.5, NaN])
      expect(() => encoder.inverseTransform([0, index])).to.throw(
        ArgumentError,
        `unseen labels: ${index}`,
      );
  });

  it('refuses a missing value, and work before fit', () => {
    expect(() => new LabelEncoder().fit(['a', null])).to.throw(
      ArgumentError,
      'Drop the rows without one',
    );
    for (const work of [
      (e: LabelEncoder) => e.transform(['a']),
      (e: LabelEncoder) => e.inverseTransform([0]),
      (e: LabelEncoder) => e.classes,
      (e: LabelEncoder) => e.vocabulary,
    ]) {
      expect(() => work(new LabelEncoder())).to.throw(ArgumentError, 'not fitted yet');
    }
    expect(inspect(new LabelEncoder())).to.equal('LabelEncoder, not fitted');
    expect(inspect(new LabelEncoder().fit(['a', 'b', 'a']))).to.equal('LabelEncoder of 2 classes');
  });

  it('has sorted, distinct classes and goes there and back for any strings', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (values) => {
        const encoder = new LabelEncoder();
        const codes = encoder.fitTransform(values);
        expect(encoder.inverseTransform(codes)).to.deep.equal(values);
        expect(new Set(encoder.classes).size).to.equal(encoder.classes.length);
        expect(encoder.classes.length).to.equal(new Set(values).size);
      }),
    );
  });
});

const idsOf = fc.array(
  fc.oneof(
    fc.constantFrom('a', 'b', 'ab', '#na#', 'é', '中', '𝄞', ''),
    fc.string({ unit: 'grapheme' }),
  ),
  { maxLength: 12 },
);
const numbers = fc.array(fc.integer({ min: -20, max: 120 }), { maxLength: 12 });
const vocabulary = fc
  .tuple(fc.oneof(idsOf, numbers), fc.boolean(), fc.boolean())
  .map(([values, na, sorted]) =>
    sorted ? Vocabulary.fromValues(values, { na }) : Vocabulary.inOrder(values, { na }),
  );

describe('indices of one vocabulary in another', () => {
  it('are those that each id is looked up at', () => {
    fc.assert(
      fc.property(vocabulary, vocabulary, (from, to) => {
        expect([...indicesIn(from, to)]).to.deep.equal(from.classes.map((id) => to.indexOf(id)));
      }),
    );
  });

  it('are its own in itself', () => {
    const v = Vocabulary.fromValues(['b', 'a', 'c'], { na: true });
    expect([...indicesIn(v, v)]).to.deep.equal([0, 1, 2, 3]);
  });

  it('keep the plays of users and tracks that are known, in their order', () => {
    const plays = Plays.fromRows([
      { user: 'u1', track: 'c', playcount: 3 },
      { user: 'u2', track: 'a', playcount: 2 },
      { user: 'u1', track: 'a', playcount: 4 },
      { user: 'u3', track: 'b', playcount: 5 },
    ]);
    const known = {
      users: Vocabulary.fromValues(['u0', 'u1', 'u3']),
      tracks: Vocabulary.inOrder(['c', 'b']),
    };
    const { user, track, playcount } = playsAmong(plays, known);
    expect([...user]).to.deep.equal([1, 2]);
    expect([...track]).to.deep.equal([0, 1]);
    expect([...playcount]).to.deep.equal([3, 5]);
  });
});
