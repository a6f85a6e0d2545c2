import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { Sessions } from '../../../lib/recital/data/sessions.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { itemVectors } from '../../../lib/recital/decomposition/item-vectors.js';
import { ArgumentError } from '../../../lib/recital/errors.js';

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
