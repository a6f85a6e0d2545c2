import { expect } from 'chai';
import { Random } from '../../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import { EmbeddingDotBias } from '../../../../lib/recital/models/embedding-dot-bias.js';
import { Interactions } from '../../../../lib/recital/recommend/interactions.js';
import { listenerRows } from '../../../../lib/recital/recommend/learners/collab-fold-in.js';
import { smallPlays } from '../contract.js';

describe('listenerRows', () => {
  const plays = smallPlays();
  const seen = Interactions.fromPlays(plays);
  const dls = CollabDataLoaders.fromPlays(plays, {
    bs: 8,
    split: { train: [...plays.user.keys()], valid: [] },
  });
  const model = new EmbeddingDotBias(3, dls.classes, { random: new Random(4) });
  model.iBias.value.forEach((_, i) => {
    model.iBias.value[i] = i / 10;
  });
  const listener = {
    track: Int32Array.of(2, 7),
    target: Float32Array.of(1, 1),
    weight: Float64Array.of(1, 3),
  };
  /** Features and bias of a track, as the rows should have them. */
  const of = (t: number): number[] => [
    ...model.weight([`track${String(t).padStart(2, '0')}`])[0],
    1,
    model.iBias.value[t + 1],
  ];
  const row = (
    { features, offset }: { features: Float64Array; offset: Float64Array },
    r: number,
  ): number[] => [...features.subarray(4 * r, 4 * r + 4), offset[r]];

  it('makes a row of each track', () => {
    const rows = listenerRows(model, listener, { pairs: false, seen });
    expect([row(rows, 0), row(rows, 1)]).to.deep.equal([of(2), of(7)]);
    expect([...rows.weight]).to.deep.equal([1, 3]);
    expect([...rows.of]).to.deep.equal([0, 1]);
  });

  it('adds each other track with target 0, as often as training would draw it on average', () => {
    const uniform = listenerRows(model, listener, { pairs: false, negatives: { n: 2 }, seen });
    expect(uniform.of).to.deep.equal(Int32Array.of(0, 1, ...new Array(28).fill(-1)));
    expect(Array.from(uniform.target)).to.deep.equal([1, 1, ...new Array(28).fill(0)]);
    expect(row(uniform, 4)).to.deep.equal(of(3)); // 0, 1, 3 come after the listener's two
    for (const w of uniform.weight.subarray(2)) expect(w).to.be.closeTo((2 * (1 + 3)) / 28, 1e-12);

    const popular = listenerRows(model, listener, {
      pairs: false,
      negatives: { sampling: 'popularity', power: 0.5 },
      seen,
    });
    const listeners = seen.usersPerTrack();
    expect(popular.weight.subarray(2).reduce((a, b) => a + b)).to.be.closeTo(1 + 3, 1e-9); // one negative each, by default
    expect(popular.weight[2] / popular.weight[3]).to.be.closeTo(
      Math.sqrt(listeners[0] / listeners[1]),
      1e-9,
    );
  });

  it('draws pairs of a track and one that is not the listener’s, always the same', () => {
    const draw = (): ReturnType<typeof listenerRows> =>
      listenerRows(model, listener, { pairs: true, negatives: { n: 2 }, seen });
    const rows = draw();
    expect(rows.of.length).to.equal(400);
    expect(rows.weight.reduce((a, b) => a + b)).to.be.closeTo(2 * (1 + 3), 1e-9);
    const seconds = new Set<number>();
    for (let r = 0; r < 400; r++) {
      const [first, difference] = [of(r < 200 ? 2 : 7), row(rows, r)];
      expect(rows.of[r]).to.equal(r < 200 ? 0 : 1);
      expect(difference[3]).to.equal(0); // the bias of the listener cancels
      const second = Array.from({ length: 30 }, (_, t) => t).find((t) =>
        of(t).every((x, j) => Math.abs(first[j] - x - difference[j]) < 1e-12),
      )!;
      seconds.add(second);
    }
    expect(seconds.size).to.be.above(20);
    expect(seconds.has(2) || seconds.has(7) || seconds.has(undefined as never)).to.equal(false);
    expect(draw()).to.deep.equal(rows);
  });

  it('refuses pairs without negatives, and a history that leaves nothing', () => {
    expect(() => listenerRows(model, listener, { pairs: true, seen })).to.throw(
      ArgumentError,
      'needs loaders with negatives',
    );
    const all = Int32Array.from({ length: 30 }, (_, t) => t);
    const everything = {
      track: all,
      target: new Float32Array(30).fill(1),
      weight: new Float64Array(30).fill(1),
    };
    expect(() => listenerRows(model, everything, { pairs: false, negatives: {}, seen })).to.throw(
      ArgumentError,
      'has every track',
    );
    expect(listenerRows(model, everything, { pairs: false, seen }).of.length).to.equal(30);
  });
});
