import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { float32 } from '../../../../lib/recital/compute/memory.js';
import { Random } from '../../../../lib/recital/compute/random.js';
import { setCompute } from '../../../../lib/recital/compute/threads.js';
import { Plays } from '../../../../lib/recital/data/plays.js';
import {
  cholesky,
  choleskySolve,
} from '../../../../lib/recital/decomposition/positive-definite.js';
import { ArgumentError, NumericError } from '../../../../lib/recital/errors.js';
import { ALS, type ALSOptions, AlsSolver } from '../../../../lib/recital/recommend/factors/als.js';
import { FactorRecommender } from '../../../../lib/recital/recommend/factors/factors.js';
import { Interactions } from '../../../../lib/recital/recommend/interactions.js';
import { PlayValues } from '../../../../lib/recital/recommend/play-values.js';
import { recommenderContract, smallPlays } from '../contract.js';
import { scoreBytes } from '../contract-support.js';

const small: ALSOptions = { factors: 6, iterations: 20, alpha: 2 };

describe('ALS', () => {
  recommenderContract('ALS', (plays) => ALS.fit(plays, small), { foldIn: true });

  it('comes to the same factors, bit for bit, by pieces of any size', () => {
    const { matrix } = new PlayValues(Interactions.fromPlays(smallPlays()), 'count');
    const byTrack = matrix.transpose();
    const [users, tracks] = matrix.shape;
    const solved = (staged?: number): { pieces: number; factors: Float32Array[] } => {
      const random = new Random('pieces');
      const [x, y] = [float32(users * 8), float32(tracks * 8)];
      for (let i = 0; i < y.length; i++) y[i] = random.normal();
      const solver = new AlsSolver([matrix, byTrack], {
        width: 8,
        alpha: 2,
        regularization: 0.1,
        cgSteps: 3,
        staged,
      });
      let pieces = 0;
      for (const half of [solver.solve(matrix, x, y), solver.solve(byTrack, y, x)])
        for (const _ of half) pieces++;
      solver.dispose();
      return { pieces, factors: [x.slice(), y.slice()] };
    };
    const whole = solved();
    expect(whole.pieces).to.equal(2);
    for (const staged of [1, 7, 40]) {
      const parts = solved(staged);
      expect(parts.pieces).to.be.greaterThan(staged === 40 ? 6 : 15); // a row is never divided
      expect(parts.factors, `pieces of ${staged}`).to.deep.equal(whole.factors);
    }
  });

  for (const width of [4, 8, 20, 64]) {
    it(`solves the normal equations of each row, ${width} factors`, () => {
      const seen = Interactions.fromPlays(smallPlays());
      const { matrix } = new PlayValues(seen, 'count');
      const random = new Random(width);
      const y = float32(30 * width);
      for (let i = 0; i < y.length; i++) y[i] = random.normal();
      const x = float32(20 * width);
      const [alpha, regularization] = [0.7, 30];
      const solver = new AlsSolver([matrix, matrix.transpose()], {
        width,
        alpha,
        regularization,
        cgSteps: 60,
      });
      for (const _ of solver.solve(matrix, x, y));
      for (const u of [0, 7, 19]) {
        const a = new Float64Array(width * width);
        const b = new Float64Array(width);
        for (let t = 0; t < 30; t++) {
          const at = seen.row(u).indexOf(t);
          const c = at < 0 ? 1 : alpha * seen.playcount[seen.indptr[u] + at];
          for (let i = 0; i < width; i++) {
            for (let j = 0; j < width; j++)
              a[i * width + j] += c * y[t * width + i] * y[t * width + j];
            if (at >= 0) b[i] += c * y[t * width + i];
          }
        }
        for (let i = 0; i < width; i++) a[i * width + i] += regularization;
        cholesky(a, width);
        choleskySolve(a, b).forEach((expected, j) => {
          expect(x[u * width + j]).to.be.closeTo(expected, 2e-5);
        });
      }
    });
  }

  it('lowers its objective with each iteration', async () => {
    const plays = smallPlays();
    const objective = ({ factors: { users, tracks, width }, seen }: ALS): number => {
      let sum = 0;
      for (let u = 0; u < 20; u++) {
        for (let t = 0; t < 30; t++) {
          let s = 0;
          for (let j = 0; j < width; j++) s += users[u * width + j] * tracks[t * width + j];
          const at = seen.row(u).indexOf(t);
          sum += at < 0 ? s * s : seen.playcount[seen.indptr[u] + at] * (1 - s) ** 2;
        }
      }
      for (const x of [...users, ...tracks]) sum += 0.5 * x * x;
      return sum;
    };
    let before = Infinity;
    for (const iterations of [1, 2, 4, 8, 16]) {
      const now = objective(await ALS.fit(plays, { factors: 5, regularization: 0.5, iterations }));
      expect(now).to.be.below(before);
      before = now;
    }
  });

  it('gives the same bytes on one thread and on two, others with another seed', async () => {
    const random = new Random('threads');
    const plays = Plays.fromRows(
      Array.from({ length: 3000 }, (_, i) => ({
        user: `u${i % 400}`,
        track: `t${random.int(300)}`,
        playcount: 1 + random.int(5),
      })),
    );
    const { threads } = setCompute();
    try {
      setCompute({ threads: 1 });
      const one = await ALS.fit(plays, { factors: 10, iterations: 3 });
      setCompute({ threads: 2 });
      const two = await ALS.fit(plays, { factors: 10, iterations: 3 });
      expect(scoreBytes(two).equals(scoreBytes(one))).to.equal(true);
      expect(
        scoreBytes(await ALS.fit(plays, { factors: 10, iterations: 3, seed: 7 })).equals(
          scoreBytes(one),
        ),
      ).to.equal(false);
    } finally {
      setCompute({ threads });
    }
  });

  it('explains a score by the tracks of the user and a remainder, and folds in with none', async () => {
    const als = await ALS.fit(smallPlays(), { ...small, cgSteps: 12, iterations: 60 });
    const out = new Float32Array(30);
    als.scores(Int32Array.of(2), out);
    const explained = als.explain('user02', 'track08');
    expect(explained.total).to.be.closeTo(out[8], 1e-6);
    const history = Array.from(als.seen.row(2), (t, i) => ({
      track: als.tracks.id(t),
      playcount: als.seen.playcount[als.seen.indptr[2] + i],
    }));
    expect(als.foldIn(history).scores[8]).to.be.closeTo(out[8] - explained.remainder, 1e-6);
    expect(Math.abs(explained.remainder)).to.be.below(0.02);
  });

  it('says after each iteration that it is done', async () => {
    const done: number[] = [];
    await ALS.fit(smallPlays(), { factors: 4, iterations: 3, onIteration: (i) => done.push(i) });
    expect(done).to.deep.equal([1, 2, 3]);
  });

  it('refuses options that make no sense', async () => {
    for (const [options, message] of [
      [{ factors: 0 }, 'factors must be a positive whole number'],
      [{ alpha: 0 }, 'alpha must be a positive number'],
      [{ regularization: -1 }, 'regularization must be a number from 0 on'],
      [{ nFactors: 3 }, 'ALS.fit has no option "nFactors"'],
      [{ onIteration: 3 }, 'onIteration needs a function'],
    ] as const) {
      await ALS.fit(smallPlays(), options as ALSOptions).then(
        () => expect.fail('should not fit'),
        (e) =>
          expect(e).to.be.instanceOf(ArgumentError).with.property('message').that.includes(message),
      );
    }
  });
});

describe('FactorRecommender', () => {
  const users = { ids: ['u1', 'u2'], values: [1, 0, 0, 1] };
  const tracks = { ids: ['b', 'a', 'c'], values: [3, 1, 2, 2, 1, 3] };
  let dir: string;
  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'recital-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const made = async (plays: Plays): Promise<FactorRecommender> => {
    const { factors } = await ALS.fit(plays, small);
    const sides = {
      users: { ids: plays.users.classes, values: factors.users },
      tracks: { ids: plays.tracks.classes, values: factors.tracks },
    };
    return FactorRecommender.fromFactors(sides, { plays, alpha: 2 });
  };
  recommenderContract('FactorRecommender', made, { foldIn: true });

  it('scores by the product of factors, in memory', async () => {
    const r = await FactorRecommender.fromFactors({ users, tracks });
    expect(r.recommend('u1').ids).to.deep.equal(['b', 'a', 'c']);
    expect(r.recommend('u2').ids).to.deep.equal(['c', 'a', 'b']);
    const plays = Plays.fromRows([
      { user: 'u1', track: 'b' },
      { user: 'u1', track: 'x' },
    ]);
    expect(
      (await FactorRecommender.fromFactors({ users, tracks }, { plays })).recommend('u1').ids,
    ).to.deep.equal(['a', 'c']);
  });

  it('refuses plays none of which is of a user and a track with factors', async () => {
    const numbers = Plays.fromRows([{ user: 0, track: 1 }]);
    expect(() => FactorRecommender.fromFactors({ users, tracks }, { plays: numbers })).to.throw(
      ArgumentError,
      'None of the 1 plays',
    );
    expect(() => FactorRecommender.fromFactors({ users, tracks }, { plays: {} as never })).to.throw(
      ArgumentError,
      'fromFactors needs plays',
    );
    const twice = { users: { ids: ['u', 'u'], values: [1, 0, 0, 1] }, tracks };
    expect(() => FactorRecommender.fromFactors(twice)).to.throw('two rows for "u"');
    const typo = { users: { ...users, feature: 'x' } as never, tracks };
    expect(() => FactorRecommender.fromFactors(typo)).to.throw('no option "feature"');
  });

  it('refuses factors that do not belong together', async () => {
    const refused = async (
      sources: Parameters<typeof FactorRecommender.fromFactors>[0],
      type: typeof ArgumentError,
      message: string,
    ): Promise<void> => {
      expect(() => FactorRecommender.fromFactors(sources)).to.throw(type, message);
    };
    await refused(
      { users, tracks: { ids: ['a'], values: [1] } },
      ArgumentError,
      'Users have 2 factors, tracks 1',
    );
    await refused(
      { users: { ids: ['u'], values: [] }, tracks },
      ArgumentError,
      '0 factors do not make rows for 1 users',
    );
    for (const values of [
      [1, NaN],
      [NaN, 1],
    ]) {
      await refused(
        { users: { ids: ['u'], values }, tracks },
        NumericError,
        'The user factors hold NaN in row 0',
      );
    }
  });
});
