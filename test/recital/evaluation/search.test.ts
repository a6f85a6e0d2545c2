import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import { setDisplay } from '../../../lib/recital/data/output.js';
import { type PlayRecord, Plays } from '../../../lib/recital/data/plays.js';
import { randomSplit, splitPlays } from '../../../lib/recital/data/splits.js';

import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';
import { evaluateRecommender } from '../../../lib/recital/evaluation/evaluate-recommender.js';
import {
  checkSpace,
  drawSettings,
  type SearchOptions,
  type SearchSpace,
  search,
} from '../../../lib/recital/evaluation/search.js';

import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';
import { ItemKNN } from '../../../lib/recital/recommend/neighbours/knn.js';
import { Recommender } from '../../../lib/recital/recommend/recommender.js';
import { rejection } from '../../support/learner.js';
import { shown } from '../../support/shown.js';

const rows: PlayRecord[] = [];
const random = new Random('search');
for (let u = 0; u < 40; u++)
  for (const t of random.permutation(30).subarray(0, 12))
    rows.push({ user: `u${u}`, track: `t${t}`, playcount: 1 });
const plays = Plays.fromRows(rows);
const split = splitPlays(plays, randomSplit(plays.length, { seed: 1 }));
const seen = Interactions.fromPlays(split.train);
const valid = Interactions.fromPlays(split.valid!);

/** The nearer x is to 3, the more it knows of validation. */
class Knows extends Recommender {
  readonly name: string = 'Knows';
  constructor(readonly x: number) {
    super(seen);
  }
  scores(users: Int32Array, out: Float32Array): void {
    const n = this.tracks.length;
    for (let b = 0; b < users.length; b++) {
      const noise = new Random(this.users.id(users[b])).child('noise');
      for (let t = 0; t < n; t++) {
        const [u, v] = [
          valid.users.indexOf(this.users.id(users[b])),
          valid.tracks.indexOf(this.tracks.id(t)),
        ];
        const right = u >= 0 && v >= 0 && valid.has(u, v) ? 1 : 0;
        out[b * n + t] = 0.4 * right * Math.exp(-((this.x - 3) ** 2) / 4) + noise.uniform();
      }
    }
  }
}
const space = { x: { min: 0, max: 6 }, unused: ['a', 'b'] } as const;
const make = ({ x }: { x: number }): Recommender => new Knows(x);
const options: SearchOptions = { split, trials: 12 };

describe('search', () => {
  let dir = '';
  let lines: string[] = [];
  let before: ReturnType<typeof setDisplay>;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'recital-search-'));
    lines = [];
    const add = (line: string): void => void lines.push(line);
    before = setDisplay({ table() {}, chart() {}, text: add, warn: add });
  });
  afterEach(() => {
    setDisplay(before);
    rmSync(dir, { recursive: true, force: true });
  });

  it('finds the better settings, measures as evaluateRecommender does, and prints a line a trial', async () => {
    const found = await search(make, space, options);
    expect(found.length).to.equal(12);
    const nearest = Math.min(
      ...found.trials.map(({ settings }) => Math.abs((settings.x as number) - 3)),
    );
    expect(Math.abs(found.best.x - 3)).to.be.at.most(nearest + 0.3);
    expect(found.score).to.equal(evaluateRecommender(new Knows(found.best.x), split.valid!).ndcg);
    expect(found.columnNames).to.deep.equal(['trial', 'x', 'unused', 'ndcg@10', 'seconds']);
    const scores = [...found.numbers('ndcg@10')];
    expect(scores).to.deep.equal([...scores].sort((a, b) => b - a));
    expect(lines.length).to.equal(12);
    expect(lines[0]).to.match(
      /^1 of 12: x \d\.\d+, unused [ab]: ndcg@10 0\.\d{4}, the best so far, \d\.\d s$/,
    );
  });

  it('is the same each time; more trials come after the same ones', async () => {
    const xs = async (trials: number): Promise<unknown[]> => {
      const { trials: all } = await search(make, space, { split, trials });
      return [...all].sort((a, b) => a.trial - b.trial).map(({ settings }) => settings.x);
    };
    const [few, many] = [await xs(3), await xs(6)];
    expect(many.slice(0, 3)).to.deep.equal(few);
    expect(new Set(many).size).to.equal(6);
  });

  it('goes on from its file: what is done is not done again', async () => {
    const file = path.join(dir, 'found.json');
    let calls = 0;
    const counting = ({ x }: { x: number }): Recommender => {
      calls++;
      return new Knows(x);
    };
    const first = await search(counting, space, { split, trials: 4, file });
    const again = await search(counting, space, { split, trials: 4, file });
    expect(calls).to.equal(4);
    expect(again.trials).to.deep.equal(first.trials);
    const more = await search(counting, space, { split, trials: 6, file });
    expect(calls).to.equal(6);
    expect(more.trials.map(({ score }) => score)).to.deep.equal(
      (await search(make, space, { split, trials: 6 })).trials.map(({ score }) => score),
    );
    expect(readdirSync(dir)).to.deep.equal(['found.json']);
    expect(JSON.parse(readFileSync(file, 'utf8')).trials.length).to.equal(6);
  });

  it('refuses a file of another search, naming what differs, and one that is none', async () => {
    const file = path.join(dir, 'found.json');
    await search(make, space, { split, trials: 1, file });
    const kept = readFileSync(file, 'utf8');
    expect(await rejection(search(make, space, { split, trials: 1, file, seed: 2 }))).to.contain(
      'its seed is 42, here it is 2',
    );
    expect(
      await rejection(search(make, { ...space, y: [1] }, { split, trials: 1, file })),
    ).to.contain('its space is');
    expect(
      await rejection(search(make, space, { split, trials: 1, file, metric: 'recall@5' })),
    ).to.contain('its metric is');
    const other = splitPlays(plays, randomSplit(plays.length, { seed: 9 }));
    expect(await rejection(search(make, space, { split: other, trials: 1, file }))).to.contain(
      'its split is',
    );
    expect(readFileSync(file, 'utf8')).to.equal(kept);
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '{"search":{},"trials":[{}]}',
      '{"search":{},"trials":5}',
    ]) {
      writeFileSync(file, text);
      const message = await rejection(search(make, space, { split, trials: 1, file }));
      expect(message, text)
        .to.contain('DataError')
        .and.contain('is not the results file of a search');
    }
    expect(
      await rejection(search(make, space, { split, file: path.join(dir, 'none', 'x.json') })),
    ).to.contain('no folder');
  });

  it('reads files of earlier searches, whose trials have a budget of null', async () => {
    const file = path.join(dir, 'found.json');
    const written = await search(make, space, { split, trials: 2, file });
    const kept = readFileSync(file, 'utf8');
    const withBudget = (budget: string): void =>
      writeFileSync(file, kept.replaceAll('"settings"', `"budget":${budget},"settings"`));
    const never = (): Recommender => {
      throw new Error('trained again');
    };
    withBudget('null');
    const { columnNames, score } = await search(never, space, { split, trials: 2, file });
    expect(score).to.equal(written.score);
    expect(columnNames).to.deep.equal(written.columnNames);
    withBudget('3'); // of successive halving: not trained in full
    expect(await rejection(search(never, space, { split, trials: 2, file }))).to.contain(
      'is not the results file of a search',
    );
  });

  it('reports a trial that fails and goes on; tries it again later; fails if all do', async () => {
    const file = path.join(dir, 'found.json');
    let broken = true;
    const sometimes = ({ x }: { x: number }): Recommender => {
      if (x > 3 && broken) throw new RangeError('too far');
      return new Knows(x);
    };
    const found = await search(sometimes, space, { split, trials: 6, file });
    const failed = found.rows().filter((r) => r.error !== null);
    expect(failed.length).to.be.within(1, 5);
    expect(failed[0]).to.include({ error: 'too far', 'ndcg@10': null });
    expect(found.row(0).error).to.equal(null);
    expect(lines.filter((line) => line.includes('failed: too far')).length).to.equal(failed.length);
    broken = false;
    expect((await search(sometimes, space, { split, trials: 6, file })).has('error')).to.equal(
      false,
    );
    const never = (): Recommender => {
      throw new RangeError('never');
    };
    expect(await rejection(search(never, space, { split, trials: 2 }))).to.contain('never');
    expect(await rejection(search((() => 5) as never, space, { split, trials: 2 }))).to.contain(
      'must return a recommender, got a number',
    );
  });

  it('stops on an interrupt with what is done, and goes on by the same call', async () => {
    const file = path.join(dir, 'found.json');
    let calls = 0;
    const train = ({ x }: { x: number }): Recommender => {
      if (++calls === 3) process.emit('SIGINT', 'SIGINT');
      return new Knows(x);
    };
    const part = await search(train, space, { split, trials: 5, file });
    expect(part.interrupted).to.equal(true);
    expect(part.length).to.equal(2); // the third was being trained: it does not count
    expect(lines[lines.length - 1]).to.contain(
      'Interrupted after 2 trainings. The same call goes on',
    );
    expect(process.listenerCount('SIGINT')).to.equal(0);
    const whole = await search(train, space, { split, trials: 5, file });
    expect(whole.interrupted).to.equal(false);
    expect(whole.length).to.equal(5);
    expect(calls).to.equal(6);
  });

  it('draws its trials', async () => {
    const found = await search(
      make,
      { ...space, rate: { min: 0.001, max: 1, log: true } },
      options,
    );
    const { charts } = shown(() => {
      found.plot('x');
      found.plot('rate');
      found.plot('unused');
    });
    expect(charts.map(({ title }) => title)).to.deep.equal([
      'ndcg@10 by x',
      'ndcg@10 by rate',
      'ndcg@10 by unused',
    ]);
    expect(charts[0].alt).to.match(/^ndcg@10 of 12 trials by x; the best, 0\.\d+, at \d/);
    expect(() => found.plot('X' as 'x')).to.throw(UnknownIdError);
  });

  it('tunes a real model', async () => {
    const found = await search(
      ({ k }, { train }) => new ItemKNN(train, { k }),
      { k: [1, 5, 20] },
      { split, trials: 4, metric: 'recall@5' },
    );
    expect(found.metric).to.equal('recall@5');
    expect([1, 5, 20]).to.include(found.best.k);
  });

  it('refuses what is wrong, and says what to do', async () => {
    const odd = (value: unknown): never => value as never;
    const refused: [() => Promise<unknown>, string][] = [
      [() => search(odd(new Popularity(plays)), space, options), 'search needs a function'],
      [
        () => search(make, space, odd({ ...options, metrics: 'ndcg' })),
        'search has no option "metrics"; did you mean "metric"?',
      ],
      [() => search(make, space, { ...options, trials: 0 }), 'trials must be'],
      [
        () => search(make, space, { ...options, metric: 'coverage@10' }),
        'cannot be what a search makes large',
      ],
      [() => search(make, space, { ...options, metric: 'ndcg@' as 'ndcg' }), 'A metric is a name'],
      [() => search(make, space, { split: { train: plays, test: plays } }), 'no part "valid"'],
      [() => search(make, space, { split: odd(plays) }), 'needs a split of plays'],
      [() => search(make, space, odd({ ...options, halving: {} })), 'no option "halving"'],
    ];
    for (const [call, message] of refused) expect(await rejection(call())).to.contain(message);
  });
});

describe('the space of a search', () => {
  it('is drawn within its bounds, the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 50 }),
        fc.nat(60),
        fc.string(),
        (min, width, seed) => {
          const all = {
            i: { min, max: min + width, int: true },
            x: { min, max: min + width },
            log: { min: 1e-6, max: 1e-6 + width, log: true },
            c: ['a', null, true, 3],
          } as const;
          const drawn = drawSettings(all, new Random(seed));
          expect(drawn.i).to.be.within(min, min + width);
          expect(Number.isInteger(drawn.i)).to.equal(true);
          expect(drawn.x).to.be.within(min, min + width);
          expect(drawn.log).to.be.within(1e-6, 1e-6 + width);
          expect(all.c).to.include(drawn.c);
          expect(drawSettings(all, new Random(seed))).to.deep.equal(drawn);
          expect(drawSettings({ ...all, more: [1, 2] }, new Random(seed))).to.include(drawn);
        },
      ),
    );
  });

  it('reaches both ends, each whole number as often, and decades evenly where it is logarithmic', () => {
    const counts = [0, 0, 0];
    let small = 0;
    for (let i = 0; i < 3000; i++) {
      const { n, rate } = drawSettings(
        { n: { min: 1, max: 3, int: true }, rate: { min: 0.01, max: 1, log: true } },
        new Random(i),
      );
      counts[n - 1]++;
      if (rate < 0.1) small++;
    }
    for (const count of counts) expect(count).to.be.within(900, 1100);
    expect(small).to.be.within(1400, 1600);
  });

  it('is refused where nothing can be drawn from it', () => {
    const refused: [unknown, string][] = [
      [{}, 'A space is an object'],
      [[1, 2], 'got an array'],
      [{ x: [] }, '"x" has no choice'],
      [{ x: [() => 1] }, 'Choices are'],
      [{ x: [NaN] }, 'Choices are'],
      [{ x: 5 }, 'an array of choices or a range'],
      [{ x: { min: 1 } }, 'min ≤ max'],
      [{ x: { min: 2, max: 1 } }, 'min ≤ max'],
      [{ x: { min: 0, max: 1, log: true } }, 'more than 0'],
      [{ x: { min: 0.5, max: 2, int: true } }, 'whole'],
      [{ x: { from: 1, to: 2 } }, 'the range "x" has no option "from"'],
    ];
    for (const [given, message] of refused)
      expect(() => checkSpace(given as SearchSpace)).to.throw(ArgumentError, message);
  });
});
