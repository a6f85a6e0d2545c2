import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';
import { cosineToRow, userCosine } from '../../../lib/recital/recommend/similar.js';

describe('Similarity of tracks', () => {
  it('is the cosine of scikit-learn, 0 with a row of zeros', () => {
    const { A, A_A } = JSON.parse(
      readFileSync(path.join(__dirname, '../../golden/cosine.json'), 'utf8'),
    ) as Record<string, number[][]>;
    const values = Float32Array.from(A.flat());
    A_A.forEach((expected, row) => {
      for (const [j, x] of cosineToRow({ values, width: 3 }, row).entries())
        expect(x).to.be.closeTo(expected[j], 1e-6);
    });
  });

  it('is the cosine of the listeners for a model without vectors', () => {
    const rows = Object.entries({ u1: 'abc', u2: 'ab', u3: 'bd' }).flatMap(([user, tracks]) =>
      [...tracks].map((track) => ({ user, track })),
    );
    const seen = Interactions.fromPlays(Plays.fromRows(rows));
    const expected = [2 / Math.sqrt(3 * 2), 1, 1 / Math.sqrt(3), 1 / Math.sqrt(3)];
    expect([...userCosine(seen, 1)]).to.deep.equal(expected.map(Math.fround));
  });
});
