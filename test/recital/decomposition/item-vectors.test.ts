import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import { Sessions } from '../../../lib/recital/data/sessions.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { itemVectors, ppmi } from '../../../lib/recital/decomposition/item-vectors.js';
import { ArgumentError, DataError } from '../../../lib/recital/errors.js';

/**
 * Sessions of six tracks of one half of twelve tracks each; track 12 is never played beside
 * another.
 */
function halves(): Sessions {
  const random = new Random(5);
  const parts = [
    [12],
    ...Array.from({ length: 200 }, (_, s) =>
      Array.from({ length: 6 }, () => 6 * (s % 2) + random.int(6)),
    ),
  ];
  const ends = [0];
  for (const part of parts) ends.push(ends[ends.length - 1] + part.length);
  return new Sessions(
    Vocabulary.inOrder(Array(13).keys()),
    Int32Array.from(ends),
    Int32Array.from(parts.flat()),
  );
}

const cosine = (x: Float32Array, y: Float32Array): number =>
  x.reduce((sum, v, i) => sum + v * y[i], 0) / (Math.hypot(...x) * Math.hypot(...y));

describe('itemVectors', () => {
  it('puts tracks that are played near each other close together, and the others apart', async () => {
    const vectors = await itemVectors(halves(), { embSz: 2 });
    const row = (t: number): Float32Array => vectors.subarray(2 * t, 2 * t + 2);
    for (let a = 0; a < 12; a++) {
      for (let b = 0; b < a; b++) {
        const near = cosine(row(a), row(b));
        if (a < 6 === b < 6) expect(near).to.be.above(0.9);
        else expect(near).to.be.below(0.5);
      }
    }
    expect(Math.hypot(...row(12))).to.equal(0);
  });

  it('has the mean length that was asked for, tracks without neighbours left out, and the same numbers each time', async () => {
    const vectors = await itemVectors(halves(), { embSz: 3, meanNorm: 0.5 });
    const norms = Array.from({ length: 12 }, (_, t) =>
      Math.hypot(...vectors.subarray(3 * t, 3 * t + 3)),
    );
    expect(norms.reduce((a, b) => a + b) / 12).to.be.closeTo(0.5, 1e-6);
    expect(await itemVectors(halves(), { embSz: 3, meanNorm: 0.5 })).to.deep.equal(vectors);
  });

  it('refuses more numbers than there are tracks, and a length that is none', async () => {
    const failure = async (options: object): Promise<unknown> =>
      itemVectors(halves(), options).catch((error: unknown) => error);
    expect(await failure({ embSz: 14 }))
      .to.be.instanceOf(ArgumentError)
      .with.property('message')
      .that.includes('at most 13');
    expect(await failure({ meanNorm: 0 }))
      .to.be.instanceOf(ArgumentError)
      .with.property('message')
      .that.includes('meanNorm');
  });
});

function sessions(items: number, ...parts: number[][]): Sessions {
  const ends = parts.map((_, s) => parts.slice(0, s + 1).flat().length);
  return new Sessions(
    Vocabulary.inOrder(Array(items).keys()),
    Int32Array.of(0, ...ends),
    Int32Array.from(parts.flat()),
  );
}

/** The formula, written down. */
function dense(parts: number[][], items: number, window: number, power: number): number[][] {
  const n = Array.from({ length: items }, () => Array(items).fill(0));
  for (const part of parts) {
    part.forEach((a, p) => {
      part.forEach((b, q) => {
        if (p !== q && Math.abs(p - q) <= window) n[a][b] += 1 / Math.abs(p - q);
      });
    });
  }
  const sums = n.map((row) => row.reduce((x, y) => x + y, 0));
  const total = sums.reduce((x, y) => x + y ** power, 0);
  return n.map((row, a) =>
    row.map((x, b) =>
      x > 0 ? Math.max(0, Math.log((x * total) / (sums[a] * sums[b] ** power))) : 0,
    ),
  );
}

describe('ppmi', () => {
  it('is what the formula says, for any sessions', () => {
    const session = fc.array(fc.nat(6), { minLength: 1, maxLength: 9 });
    const some = fc
      .array(session, { minLength: 1, maxLength: 8 })
      .filter((parts) => parts.some((part) => part.length > 1));
    fc.assert(
      fc.property(
        some,
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(0, 0.75, 1),
        (parts, window, power) => {
          const { shape, indptr, indices, data } = ppmi(sessions(7, ...parts), { window, power });
          expect(shape).to.deep.equal([7, 7]);
          const wanted = dense(parts, 7, window, power);
          for (let a = 0; a < 7; a++) {
            const row = Array(7).fill(0);
            for (let j = indptr[a]; j < indptr[a + 1]; j++) {
              if (j > indptr[a]) expect(indices[j]).to.be.above(indices[j - 1]);
              row[indices[j]] = data[j];
            }
            for (let b = 0; b < 7; b++) expect(row[b]).to.be.closeTo(wanted[a][b], 1e-9);
          }
        },
      ),
    );
  });

  it('does not count across sessions, nor a track that is played alone', () => {
    const { indptr } = ppmi(sessions(4, [0, 1], [2], [3, 0]));
    expect([...indptr.slice(2, 4)]).to.deep.equal([indptr[2], indptr[2]]);
  });

  it('refuses sessions without neighbours and options that mean nothing', () => {
    expect(() => ppmi(sessions(2, [0], [1]))).to.throw(DataError, 'none is played near another');
    expect(() => ppmi(sessions(2, [0, 1]), { window: 0 })).to.throw(ArgumentError, 'window');
    expect(() => ppmi(sessions(2, [0, 1]), { power: -1 })).to.throw(ArgumentError, 'power');
  });
});
