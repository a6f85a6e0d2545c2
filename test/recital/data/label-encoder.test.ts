import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { LabelEncoder } from '../../../lib/recital/data/label-encoder.js';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';

const golden = JSON.parse(
  readFileSync(path.join(__dirname, '../../golden/label_encoder.json'), 'utf8'),
);

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
