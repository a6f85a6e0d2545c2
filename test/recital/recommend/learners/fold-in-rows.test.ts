import { expect } from 'chai';
import { Random } from '../../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import { EmbeddingDotBias } from '../../../../lib/recital/models/embedding-dot-bias.js';
import { Interactions } from '../../../../lib/recital/recommend/interactions.js';
import { type FitRow, fitRows } from '../../../../lib/recital/recommend/learners/collab-fold-in.js';
import { smallPlays } from '../contract.js';

describe('fitRows', () => {
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
  const played = [
    { track: 2, target: 1, weight: 1 },
    { track: 7, target: 1, weight: 3 },
  ];
  /** Features and bias of a track, as the rows should have them. */
  const of = (t: number): number[] => [
    ...model.weight([`track${String(t).padStart(2, '0')}`])[0],
    1,
    model.iBias.value[t + 1],
  ];
  const row = ({ x, offset }: FitRow): number[] => [...x, offset];
  const sum = (rows: readonly FitRow[]): number => rows.reduce((s, { weight }) => s + weight, 0);

  it('makes a row of each track', () => {
    const rows = fitRows(model, played, { pairs: false, seen });
    expect(rows.map(row)).to.deep.equal([of(2), of(7)]);
    expect(rows.map(({ weight }) => weight)).to.deep.equal([1, 3]);
    expect(rows.map((r) => r.of)).to.deep.equal([0, 1]);
  });

  it('adds each other track with target 0, as often as training would draw it on average', () => {
    const uniform = fitRows(model, played, { pairs: false, negatives: { n: 2 }, seen });
    expect(uniform.map((r) => r.of)).to.deep.equal([0, 1, ...new Array(28).fill(-1)]);
    expect(uniform.map(({ target }) => target)).to.deep.equal([1, 1, ...new Array(28).fill(0)]);
    expect(row(uniform[4])).to.deep.equal(of(3)); // 0, 1, 3 come after the user's two
    for (const { weight } of uniform.slice(2))
      expect(weight).to.be.closeTo((2 * (1 + 3)) / 28, 1e-12);

    const negatives = { sampling: 'popularity', power: 0.5 } as const;
    const popular = fitRows(model, played, { pairs: false, negatives, seen });
    const users = seen.usersPerTrack();
    expect(sum(popular.slice(2))).to.be.closeTo(1 + 3, 1e-9); // one negative each, by default
    const ratio = popular[2].weight / popular[3].weight;
    expect(ratio).to.be.closeTo(Math.sqrt(users[0] / users[1]), 1e-9);
  });

  it('draws pairs of a track and one that is not the user’s, always the same', () => {
    const draw = (): FitRow[] => fitRows(model, played, { pairs: true, negatives: { n: 2 }, seen });
    const rows = draw();
    expect(rows.length).to.equal(400);
    expect(sum(rows)).to.be.closeTo(2 * (1 + 3), 1e-9);
    const seconds = new Set<number>();
    for (let r = 0; r < 400; r++) {
      const [first, difference] = [of(r < 200 ? 2 : 7), row(rows[r])];
      expect(rows[r].of).to.equal(r < 200 ? 0 : 1);
      expect(difference[3]).to.equal(0); // the bias of the user cancels
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
    expect(() => fitRows(model, played, { pairs: true, seen })).to.throw(
      ArgumentError,
      'needs loaders with negatives',
    );
    const all = Array.from({ length: 30 }, (_, track) => ({ track, target: 1, weight: 1 }));
    expect(() => fitRows(model, all, { pairs: false, negatives: {}, seen })).to.throw(
      ArgumentError,
      'has every track',
    );
    expect(fitRows(model, all, { pairs: false, seen }).length).to.equal(30);
  });
});
