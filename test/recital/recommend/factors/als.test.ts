import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { float32 } from '../../../../lib/recital/compute/memory.js';
import { Random } from '../../../../lib/recital/compute/random.js';
import { setCompute } from '../../../../lib/recital/compute/threads.js';
import { setDisplay } from '../../../../lib/recital/data/display.js';
import { withDuckDB } from '../../../../lib/recital/data/files/duckdb.js';
import { writeSafetensors } from '../../../../lib/recital/data/files/safetensors.js';
import { Plays } from '../../../../lib/recital/data/plays.js';
import {
  cholesky,
  choleskySolve,
} from '../../../../lib/recital/decomposition/positive-definite.js';
import { ArgumentError, DataError, NumericError } from '../../../../lib/recital/errors.js';
import { PlayValues } from '../../../../lib/recital/recommend/confidence.js';
import { ALS, type ALSOptions, AlsSolver } from '../../../../lib/recital/recommend/factors/als.js';
import { FactorRecommender } from '../../../../lib/recital/recommend/factors/factors.js';
import { Interactions } from '../../../../lib/recital/recommend/interactions.js';
import { rejection } from '../../data/temporary.js';
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
      [{ onIteration: 3 }, 'onIteration must be a function'],
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

  it('reads factors from safetensors', async () => {
    const file = path.join(dir, 'als.safetensors');
    writeSafetensors(file, {
      user_factors: { shape: [2, 2], data: Float32Array.from(users.values) },
      item_factors: { shape: [3, 2], data: Float32Array.from(tracks.values) },
    });
    const r = await FactorRecommender.fromFactors({
      users: { file, ids: users.ids },
      tracks: { file, ids: tracks.ids },
    });
    expect(r.recommend('u2').ids).to.deep.equal(['c', 'a', 'b']);
    const numbered = await FactorRecommender.fromFactors({ users: { file }, tracks: { file } });
    expect(numbered.recommend('1').ids).to.deep.equal(['2', '1', '0']);
    await FactorRecommender.fromFactors({ users: { file, tensor: 'none' }, tracks: { file } }).then(
      () => expect.fail('should not read'),
      (e) =>
        expect(e)
          .to.be.instanceOf(DataError)
          .with.property('message')
          .that.includes('no tensor "none"'),
    );
  });

  it("reads factors from Parquet as Spark's ALS writes them, a file or a folder", async () => {
    await withDuckDB('writing a file', async (c) => {
      await c.run(
        `copy (select * from (values (7, [0::float, 1::float]), (3, [1::float, 0::float])) t(id, features)) to '${dir}/users.parquet'`,
      );
      await c.run(
        `copy (select * from (values (10, [3::float, 1::float]), (11, [1::float, 3::float])) t(id, features)) to '${dir}/tracks.parquet'`,
      );
      await c.run(
        `copy (select * from (values (10, [3::float, 1::float]), (11, [1::float])) t(id, features)) to '${dir}/ragged.parquet'`,
      );
    });
    const file = (name: string): { file: string } => ({ file: path.join(dir, `${name}.parquet`) });
    const r = await FactorRecommender.fromFactors({ users: file('users'), tracks: file('tracks') });
    expect(r.users.classes).to.deep.equal(['3', '7']);
    expect(r.recommend('3').ids).to.deep.equal(['10', '11']);
    expect(r.recommend('7').ids).to.deep.equal(['11', '10']);
    mkdirSync(path.join(dir, 'folder'));
    for (const part of ['users', 'tracks'])
      copyFileSync(file(part).file, path.join(dir, 'folder', `part-${part}.parquet`));
    const folder = await FactorRecommender.fromFactors({
      users: { file: path.join(dir, 'folder') },
      tracks: { ids: ['x', 'y'], values: [3, 1, 1, 3] },
    });
    expect(folder.users.classes).to.deep.equal(['3', '7', '10', '11']);
    expect(folder.recommend(7).ids).to.deep.equal(['y', 'x']);
    for (const [source, message] of [
      [file('ragged'), 'as many factors in each row'],
      [file('none'), 'There is no'],
    ] as const) {
      await FactorRecommender.fromFactors({ users: file('users'), tracks: source }).then(
        () => expect.fail('should not read'),
        (e) =>
          expect(e).to.be.instanceOf(DataError).with.property('message').that.includes(message),
      );
    }
  });

  it('says where few of the plays are of users and tracks with factors, and refuses where none is', async () => {
    const said = async (plays: Plays): Promise<string[]> => {
      const warnings: string[] = [];
      const before = setDisplay({
        table() {},
        chart() {},
        text() {},
        warn: (line) => void warnings.push(line),
      });
      try {
        await FactorRecommender.fromFactors({ users, tracks }, { plays });
      } finally {
        setDisplay(before);
      }
      return warnings;
    };
    const [own, foreign] = [
      { user: 'u1', track: 'b' },
      ['x', 'y'].map((track) => ({ user: 'u1', track })),
    ];
    expect(await said(Plays.fromRows([own, foreign[0]]))).to.deep.equal([]);
    const [few] = await said(Plays.fromRows([own, ...foreign]));
    expect(few)
      .to.include('Only 1 of the 3 plays')
      .and.include('1 of its 1 users (u1 …)')
      .and.include('1 of its 3 tracks (b, x, y …) are among the 3 with factors (b, a, c …)');
    const numbers = Plays.fromRows([{ user: 0, track: 1 }]);
    const error = await rejection(
      FactorRecommender.fromFactors({ users, tracks }, { plays: numbers }),
    );
    expect(error).to.be.instanceOf(ArgumentError);
    expect(error.message)
      .to.include('None of the 1 plays')
      .and.include("Spark's StringIndexer, give its labels: { file, labels }");
    expect(
      (await rejection(FactorRecommender.fromFactors({ users, tracks }, { plays: {} as never })))
        .message,
    ).to.include('fromFactors needs plays');
  });

  it("takes the labels of Spark's StringIndexer: an array, the saved model, JSON, text or Parquet", async () => {
    const at = (name: string): string => path.join(dir, name);
    mkdirSync(at('indexer/data'), { recursive: true });
    mkdirSync(at('old/data'), { recursive: true });
    await withDuckDB('writing a file', async (c) => {
      await c.run(
        `copy (select * from (values (2, [0::float, 1::float]), (0, [1::float, 0::float])) t(id, features)) to '${at('indexed.parquet')}'`,
      );
      await c.run(
        `copy (select [['ann', 'bob', '007', 'eve']] as "labelsArray") to '${at('indexer/data/part-0.parquet')}'`,
      );
      await c.run(
        `copy (select ['ann', 'bob', '007'] as labels) to '${at('old/data/part-0.parquet')}'`,
      );
      await c.run(
        `copy (select * from (values (2, '007'), (1, 'bob'), (0, 'ann')) t(id, label)) to '${at('pairs.parquet')}'`,
      );
      await c.run(`copy (select 1 as x) to '${at('other.parquet')}'`);
    });
    writeFileSync(at('labels.json'), '["ann", "bob", "007"]');
    writeFileSync(at('labels.txt'), 'ann\nbob\n007\n');
    const made = (labels: never): Promise<FactorRecommender> =>
      FactorRecommender.fromFactors({ users: { file: at('indexed.parquet'), labels }, tracks });
    for (const labels of [
      ['ann', 'bob', '007'],
      at('indexer'),
      at('old'),
      at('pairs.parquet'),
      at('labels.json'),
      at('labels.txt'),
    ]) {
      const r = await made(labels as never);
      expect(r.users.classes, String(labels)).to.deep.equal(['ann', '007']);
      expect(r.recommend('007').ids).to.deep.equal(['c', 'a', 'b']);
    }
    for (const [labels, message] of [
      [
        ['ann', 'bob'],
        'the id "2", for which there is no label: there are 2, for the numbers 0 to 1',
      ],
      [['ann', 'bob', 'ann'], 'Two users have the label "ann"'],
      [['ann', null, 'eve'], 'Label 1 of the users must be a text or a number'],
      [7, 'labels of users are an array of ids, or the path of a file'],
      [at('none'), 'There is no'],
      [
        at('other.parquet'),
        'has the columns x; labels, labelsArray, or id and label were expected',
      ],
    ]) {
      expect((await rejection(made(labels as never))).message).to.include(message);
    }
    writeFileSync(at('bad.json'), '{"a": 1}');
    expect((await rejection(made(at('bad.json') as never))).message).to.include(
      'should hold a list of texts',
    );
    const typo = { users: { file: at('indexed.parquet'), feature: 'x' } as never, tracks };
    expect((await rejection(FactorRecommender.fromFactors(typo))).message).to.include(
      'no option "feature"; did you mean "features"',
    );
  });

  it('refuses rows that are not finite, with their count, or drops them if told so', async () => {
    const sides = {
      users: { ids: ['u', 'v', 'w'], values: [1, 0, Number.NaN, 1, 0, Infinity] },
      tracks,
    };
    expect((await rejection(FactorRecommender.fromFactors(sides))).message).to.include(
      '2 of 3 users have factors that are not finite, the first is "v". Leave them out by { notFinite: \'drop\' }',
    );
    const r = await FactorRecommender.fromFactors(sides, { notFinite: 'drop' });
    expect(r.users.classes).to.deep.equal(['u']);
    expect([...r.factors.users]).to.deep.equal([1, 0]);
    const last = { users, tracks: { ids: ['a', 'b'], values: [Number.NaN, 1, 2, 1] } };
    expect(
      (await FactorRecommender.fromFactors(last, { notFinite: 'drop' })).tracks.classes,
    ).to.deep.equal(['b']);
    expect(
      (await rejection(FactorRecommender.fromFactors(sides, { notFinite: 'skip' as never })))
        .message,
    ).to.include("'refuse' or 'drop'");
    const none = { users: { ids: ['u'], values: [Number.NaN, 1] }, tracks };
    expect(
      await rejection(FactorRecommender.fromFactors(none, { notFinite: 'drop' })),
    ).to.be.instanceOf(NumericError);
    const twice = { users: { ids: ['u', 'u'], values: [1, 0, 0, 1] }, tracks };
    expect((await rejection(FactorRecommender.fromFactors(twice))).message).to.include(
      'two rows for "u"',
    );
  });

  it('refuses factors that do not belong together', async () => {
    const refused = async (
      sources: Parameters<typeof FactorRecommender.fromFactors>[0],
      type: typeof ArgumentError,
      message: string,
    ): Promise<void> => {
      await FactorRecommender.fromFactors(sources).then(
        () => expect.fail('should not be made'),
        (e) => expect(e).to.be.instanceOf(type).with.property('message').that.includes(message),
      );
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
