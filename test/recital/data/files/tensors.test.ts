import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { atOnce } from '../../../../lib/recital/compute/interrupt.js';
import {
  openSafetensors,
  type Tensor,
  writeSafetensors,
} from '../../../../lib/recital/data/files/safetensors.js';
import {
  classesHash,
  readStrings,
  readVocabulary,
  stringTensors,
  vocabularyTensors,
} from '../../../../lib/recital/data/files/tensors.js';
import { Vocabulary } from '../../../../lib/recital/data/vocabulary.js';
import { ArgumentError, DataError } from '../../../../lib/recital/errors.js';
import { TemporaryFolder } from '../temporary.js';

describe('packed strings', () => {
  const folder = new TemporaryFolder();
  const file = (): string => path.join(folder.path, 'strings.safetensors');
  const write = (tensors: [string, Tensor][]): void => writeSafetensors(file(), new Map(tensors));

  it('come back as they were (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (values) => {
        write(stringTensors('v', values));
        expect(openSafetensors(file(), (st) => atOnce(readStrings(st, 'v')))).to.deep.equal(values);
      }),
      { numRuns: 50 },
    );
    expect(() => stringTensors('v', ['\ud800'])).to.throw(ArgumentError, 'half a surrogate pair');
  });

  it('keep vocabularies: classes, indices, numeric order and #na# (property)', () => {
    const numbers = fc.double({
      noNaN: true,
      min: Number.MIN_SAFE_INTEGER,
      max: Number.MAX_SAFE_INTEGER,
    }); // larger ones may be rounded: refused
    const values = fc.oneof(
      fc.array(fc.string({ unit: 'grapheme' })),
      fc.array(numbers),
      fc.array(fc.integer()),
    );
    fc.assert(
      fc.property(values, fc.boolean(), (ids, na) => {
        const before = Vocabulary.fromValues(ids as (string | number)[], { na, kind: 'thing' });
        write(vocabularyTensors('v', before));
        const after = openSafetensors(file(), (st) =>
          readVocabulary(st, 'v', { na, kind: 'thing' }),
        );
        expect(after.classes).to.deep.equal(before.classes);
        expect(after.kind).to.equal('thing');
        for (const id of before.classes) expect(after.indexOf(id)).to.equal(before.indexOf(id));
        expect(after.has('no such id')).to.equal(before.has('no such id'));
        expect(classesHash(after)).to.equal(classesHash(before));
      }),
      { numRuns: 60 },
    );
  });

  it('have hashes that tell vocabularies apart', () => {
    const prints = [['a', 'b'], ['ab'], ['a', 'bc'], ['ab', 'c'], [], ['', 'ab']].map((ids) =>
      classesHash(Vocabulary.fromValues(ids)),
    );
    expect(new Set(prints).size).to.equal(prints.length);
  });

  it('are refused when they are not what they say', () => {
    const bytes = (text: string | number[]): Tensor => ({
      shape: [Buffer.from(text as string).length],
      data: Uint8Array.from(Buffer.from(text as string)),
    });
    const offsets = (...values: number[]): Tensor => ({
      shape: [values.length],
      data: Uint32Array.from(values),
    });
    const order = (...values: number[]): Tensor => ({
      shape: [values.length],
      data: Int32Array.from(values),
    });
    const bad: [Record<string, Tensor>, string, boolean?][] = [
      [{ 'v.bytes': bytes('ab') }, 'no tensor "v.offsets"'],
      [{ 'v.bytes': bytes('ab'), 'v.offsets': order(0, 1, 2) }, 'is I32'],
      [{ 'v.bytes': bytes('ab'), 'v.offsets': offsets() }, 'do not span'],
      [{ 'v.bytes': bytes('ab'), 'v.offsets': offsets(1, 2) }, 'do not span'],
      [{ 'v.bytes': bytes('ab'), 'v.offsets': offsets(0, 1) }, 'do not span'],
      [{ 'v.bytes': bytes('ab'), 'v.offsets': offsets(0, 4000000000, 2) }, 'offsets fall'],
      [{ 'v.bytes': bytes([0x61, 0xff]), 'v.offsets': offsets(0, 1, 2) }, 'not UTF-8'],
      [{ 'v.bytes': bytes('ä'), 'v.offsets': offsets(0, 1, 2) }, 'within a character'],
      [{ 'v.bytes': bytes('ba'), 'v.offsets': offsets(0, 1, 2) }, 'not in order'],
      [{ 'v.bytes': bytes('aa'), 'v.offsets': offsets(0, 1, 2) }, 'not in order, or not distinct'],
      [
        { 'v.bytes': bytes('ba'), 'v.offsets': offsets(0, 1, 2), 'v.order': order(1) },
        'I32 of shape [2] was expected',
      ],
      [
        { 'v.bytes': bytes('ba'), 'v.offsets': offsets(0, 1, 2), 'v.order': order(1, 1) },
        'not in order, or not distinct',
      ],
      [
        { 'v.bytes': bytes('ba'), 'v.offsets': offsets(0, 1, 2), 'v.order': order(1, 2) },
        'names class 2; there are 2',
      ],
      [
        { 'v.bytes': bytes('ba'), 'v.offsets': offsets(0, 1, 2), 'v.order': order(-1, 0) },
        'names class -1',
      ],
      [{ 'v.bytes': bytes('ab'), 'v.offsets': offsets(0, 1, 2) }, 'should begin with #na#', true],
      [{ 'v.bytes': bytes(''), 'v.offsets': offsets(0) }, 'should begin with #na#', true],
    ];
    for (const [tensors, message, na = false] of bad) {
      writeSafetensors(file(), tensors);
      expect(
        () => openSafetensors(file(), (st) => readVocabulary(st, 'v', { na, kind: 'id' })),
        message,
      ).to.throw(DataError, message);
    }
  });
});
