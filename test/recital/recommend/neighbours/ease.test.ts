import { expect } from 'chai';
import { Random } from '../../../../lib/recital/compute/random.js';
import { type PlayRecord, Plays } from '../../../../lib/recital/data/plays.js';
import { Table } from '../../../../lib/recital/data/table.js';
import { Vocabulary } from '../../../../lib/recital/data/vocabulary.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import {
  EASE,
  type EASEOptions,
  type SideRows,
} from '../../../../lib/recital/recommend/neighbours/ease.js';
import { tagRows } from '../../../bench/support/tag-rows.js';
import { recommenderContract, smallPlays } from '../contract.js';

/** Plays at random, every user and track at least once. */
function randomPlays(users: number, tracks: number): Plays {
  const random = new Random('ease');
  const rows: PlayRecord[] = [];
  for (let u = 0; u < users; u++)
    for (let t = 0; t < tracks; t++)
      if (random.uniform() < 0.3 || u % tracks === t % users)
        rows.push({ user: `u${10 + u}`, track: `t${10 + t}`, playcount: 1 + random.int(9) });
  return Plays.fromRows(rows);
}

/** A tag for each third track, and one for all. */
function sideRows(tracks: readonly string[]): SideRows {
  return tagRows(
    Table.fromRows(
      tracks.flatMap((track_id, t) =>
        [`third ${t % 3}`, 'music', 'music'].map((tag) => ({ track_id, tag })),
      ),
    ),
    {
      minCount: 2,
    },
  );
}

/** EASE as Steck's paper writes it, in float64, by Gauss-Jordan elimination. */
function expectedScores(y: number[][], users: number, lambda: number): number[][] {
  const n = y[0].length;
  const a = Array.from({ length: n }, (_, i) =>
    Array.from({ length: 2 * n }, (_, j) =>
      j < n ? y.reduce((s, r) => s + r[i] * r[j], i === j ? lambda : 0) : j - n === i ? 1 : 0,
    ),
  );
  for (let k = 0; k < n; k++) {
    const pivot = a[k][k];
    a[k] = a[k].map((x) => x / pivot);
    for (let i = 0; i < n; i++) {
      const factor = a[i][k];
      if (i !== k) a[i] = a[i].map((x, j) => x - factor * a[k][j]);
    }
  }
  const p = a.map((row) => row.slice(n));
  return y
    .slice(0, users)
    .map((row) =>
      Array.from({ length: n }, (_, t) =>
        row.reduce((s, v, i) => s + (i === t ? 0 : (-v * p[i][t]) / p[t][t]), 0),
      ),
    );
}

/** The rows that the documentation says. */
function rowsOf(
  plays: Plays,
  { value, popularityPower = 0, sideWeight = 1 }: EASEOptions,
  side?: SideRows,
): number[][] {
  const y = plays.users.classes.map(() => new Array<number>(plays.tracks.length).fill(0));
  const listeners = new Array<number>(plays.tracks.length).fill(0);
  for (let i = 0; i < plays.length; i++) listeners[plays.track[i]]++;
  for (let i = 0; i < plays.length; i++)
    y[plays.user[i]][plays.track[i]] = value === 'log' ? Math.log1p(plays.playcount[i]) : 1;
  const z = side
    ? side.rows.classes.map((_, r) => plays.tracks.classes.map((t) => entry(side, r, t)))
    : [];
  for (const [rows, weight] of [
    [y, 1],
    [z, sideWeight],
  ] as const) {
    let sum = 0;
    let n = 0;
    for (const row of rows)
      row.forEach((x, t) => {
        row[t] = x / listeners[t] ** popularityPower;
        sum += row[t] ** 2;
        n += x > 0 ? 1 : 0;
      });
    for (const row of rows)
      row.forEach((x, t) => {
        row[t] = (weight * x) / Math.sqrt(sum / n);
      });
  }
  return [...y, ...z];
}

function entry({ tracks, matrix }: SideRows, row: number, track: string): number {
  for (let j = matrix.indptr[row]; j < matrix.indptr[row + 1]; j++)
    if (tracks.id(matrix.indices[j]) === track) return matrix.data[j];
  return 0;
}

describe('EASE', () => {
  recommenderContract(
    'EASE',
    (plays) => EASE.fit(plays, { lambda: 5, value: 'log', popularityPower: 0.2 }),
    { foldIn: true },
  );
  recommenderContract(
    'EASE with side rows',
    (plays) =>
      EASE.fit(plays, { lambda: 5, sideRows: sideRows(plays.tracks.classes), sideWeight: 0.3 }),
    {
      foldIn: true,
    },
  );

  for (const [form, users, tracks] of [
    ['users', 9, 21],
    ['tracks', 30, 11],
  ] as const) {
    for (const withSide of [false, true]) {
      it(`has the scores of the published formula when there are fewer ${form}${withSide ? ', with side rows' : ''}`, async () => {
        const plays = randomPlays(users, tracks);
        const side = withSide ? sideRows(plays.tracks.classes) : undefined;
        const options: EASEOptions = {
          lambda: 4,
          value: 'log',
          popularityPower: 0.3,
          ...(side && { sideRows: side, sideWeight: 0.7 }),
        };
        const ease = await EASE.fit(plays, options);
        const out = new Float32Array(users * tracks);
        ease.scores(
          Int32Array.from({ length: users }, (_, u) => u),
          out,
        );
        const expected = expectedScores(rowsOf(plays, options, side), users, 4).flat();
        out.forEach((score, i) => {
          expect(score).to.be.closeTo(expected[i], 2e-5);
        });
      });
    }

    it(`folds in and explains as it scores when there are fewer ${form}`, async () => {
      const plays = randomPlays(users, tracks);
      const ease = await EASE.fit(plays, { value: 'count', lambda: 4, popularityPower: 0.1 });
      const out = new Float32Array(tracks);
      ease.scores(Int32Array.of(4), out);
      const user = plays.users.id(4);
      const row = Array.from({ length: plays.length }, (_, i) => i).filter(
        (i) => plays.user[i] === 4,
      );
      const { scores } = ease.foldIn(
        row.map((i) => ({ track: plays.tracks.id(plays.track[i]), playcount: plays.playcount[i] })),
      );
      for (let t = 0; t < tracks; t++) {
        expect(scores[t]).to.be.closeTo(out[t], 2e-5);
        expect(ease.explain(user, plays.tracks.id(t)).total).to.be.closeTo(out[t], 2e-5);
      }
    });
  }

  it('learns from tags what plays do not say', async () => {
    // Two groups of tracks; one of each is played by somebody who plays nothing else. Only tags
    // tell to which group they belong.
    const rows: PlayRecord[] = [];
    for (let u = 0; u < 12; u++)
      for (let t = 0; t < 8; t++)
        if (t % 2 === u % 2 && t !== u % 8) rows.push({ user: `u${10 + u}`, track: `t${t}` });
    rows.push({ user: 'x', track: 'even' }, { user: 'y', track: 'odd' });
    const plays = Plays.fromRows(rows);
    const tags = Table.fromRows(
      plays.tracks.classes.map((track_id) => ({
        track_id,
        tag: /[0246]|even/.test(track_id) ? 'e' : 'o',
      })),
    );
    const rank = (ease: EASE, user: string): string =>
      ease.recommend(user, { among: ['even', 'odd'], n: 1 }).ids[0];
    const ease = await EASE.fit(plays, { lambda: 2, sideRows: tagRows(tags) });
    expect(rank(ease, 'u10')).to.equal('even');
    expect(rank(ease, 'u11')).to.equal('odd');
    const blind = await EASE.fit(plays, { lambda: 2 });
    expect(
      blind.recommend('u10', { among: ['even', 'odd'] }).scores.every((s) => Math.abs(s) < 1e-6),
    ).to.equal(true);
  });

  it('refuses options that make no sense', async () => {
    const plays = smallPlays();
    const refused = async (options: EASEOptions, message: string): Promise<void> => {
      await EASE.fit(plays, options).then(
        () => expect.fail('should not fit'),
        (e) =>
          expect(e).to.be.instanceOf(ArgumentError).with.property('message').that.includes(message),
      );
    };
    await refused({ lambda: 0 }, 'lambda must be a positive number, got 0');
    await refused({ popularityPower: -1 }, 'popularityPower must be a number from 0 on, got -1');
    await refused({ value: 'plays' as 'log' }, "value must be 'count', 'binary' or 'log'");
    await refused({ l2: 3 } as never, 'EASE.fit has no option "l2"');
    const side = sideRows(plays.tracks.classes);
    await refused(
      { sideRows: { ...side, rows: Vocabulary.fromValues(['a']) } },
      'Side rows name 1 rows',
    );
    side.matrix.data[0] = NaN;
    await refused({ sideRows: side }, 'Side rows hold NaN');
  });

  it('refuses too many users and tracks before any work, and names the limits that would do and the other ways', async () => {
    const n = 20_002;
    const ids = Int32Array.from({ length: n }, (_, i) => i);
    const again = [0, 1, 2].flatMap((u) => [10, 11].map((t) => [u, t]));
    const user = [...ids, ...again.map(([u]) => u)];
    const track = [...ids, ...again.map(([, t]) => t)];
    const plays = Plays.fromColumns({ user, track });
    const refused = async (options?: EASEOptions): Promise<string> => {
      const error = await EASE.fit(plays, options).catch((reason: Error) => reason);
      expect(error).to.be.instanceOf(ArgumentError);
      return (error as Error).message;
    };
    const before = process.cpuUsage();
    const message = await refused();
    const { user: micros } = process.cpuUsage(before);
    expect(message).to.include(
      'here 20,002 (20,002 users × 20,002 tracks), and 20,000 is the limit',
    );
    expect(message).to.include(
      'plays.minPlays({ perTrack: 2 }) leaves 2 tracks; plays.minPlays({ perUser: 2 }) leaves 3 users. Without such a limit: ALS, ItemKNN, RP3beta.',
    );
    expect(micros).to.be.below(1e6);
    expect([
      plays.minPlays({ perTrack: 2 }).tracks.length,
      plays.minPlays({ perUser: 2 }).users.length,
    ]).to.deep.equal([2, 3]);
    const flat = Plays.fromColumns({ user: ids, track: ids });
    expect(
      ((await EASE.fit(flat).catch((reason: Error) => reason)) as Error).message,
    ).to.not.include('minPlays');
    expect(
      ((await EASE.fit({} as never).catch((reason: Error) => reason)) as Error).message,
    ).to.include('EASE.fit needs plays');
  });
});
