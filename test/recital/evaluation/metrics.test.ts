import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { Plays } from '../../../lib/recital/data/plays.js';
import { splitPlays } from '../../../lib/recital/data/splits.js';
import { Table } from '../../../lib/recital/data/table.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { evaluate } from '../../../lib/recital/evaluation/evaluate.js';
import {
  evaluateColdTracks,
  evaluateRecommender,
} from '../../../lib/recital/evaluation/evaluate-recommender.js';

import {
  accuracyMetrics,
  averagePrecisionAtK,
  coverageAtK,
  hitAtK,
  metricsOfHits,
  ndcgAtK,
  precisionAtK,
  rankingMetrics,
  recallAtK,
  reciprocalRankAtK,
  type UserMetrics,
} from '../../../lib/recital/evaluation/metrics.js';
import { Interactions } from '../../../lib/recital/recommend/interactions.js';
import { Recommender } from '../../../lib/recital/recommend/recommender.js';

interface Golden {
  catalogue: string[];
  recommended: Record<string, string[]>;
  relevant: Record<string, string[]>;
  per_user_at_k: Record<string, Record<string, Record<string, number>>>;
  mean_at_k: Record<string, Record<string, number>>;
  coverage_at_k: Record<string, number>;
}
const golden: Golden = JSON.parse(
  readFileSync(path.join(__dirname, '../../golden/ranking.json'), 'utf8'),
);

describe('Ranking metrics', () => {
  for (const [at, users] of Object.entries(golden.per_user_at_k)) {
    const k = Number(at);
    it(`equal the reference for each user at ${k}`, () => {
      for (const [user, expected] of Object.entries(users)) {
        const [list, relevant] = [golden.recommended[user], golden.relevant[user]];
        const ours = {
          precision: precisionAtK(list, relevant, { k }),
          recall: recallAtK(list, relevant, { k }),
          ap_min_k: averagePrecisionAtK(list, relevant, { k }),
          ap_nrel: averagePrecisionAtK(list, relevant, { k, over: 'relevant' }),
          ndcg: ndcgAtK(list, relevant, { k }),
          rr: reciprocalRankAtK(list, relevant, { k }),
          hit: hitAtK(list, relevant, { k }),
        };
        expect(Object.keys(ours)).to.have.members(Object.keys(expected));
        for (const [name, value] of Object.entries(ours))
          expect(value, `${user} ${name}`).to.be.closeTo(expected[name], 1e-15);
      }
    });

    it(`equal the reference in the mean at ${k}, users without relevant tracks left out`, () => {
      const names = Object.keys(golden.recommended);
      const lists = names.map((user) => golden.recommended[user]);
      const relevant = names.map((user) => golden.relevant[user]);
      const means = rankingMetrics(lists, relevant, { k, catalogueSize: golden.catalogue.length });
      const expected = golden.mean_at_k[at];
      expect(means.users).to.equal(4);
      expect(means.k).to.equal(k);
      const pairs = {
        precision: 'precision',
        recall: 'recall',
        map: 'ap_min_k',
        ndcg: 'ndcg',
        mrr: 'rr',
        hitRate: 'hit',
      } as const;
      for (const [ours, theirs] of Object.entries(pairs))
        expect(means[ours as keyof typeof pairs], ours).to.be.closeTo(expected[theirs], 1e-15);
      expect(means.coverage).to.equal(golden.coverage_at_k[at]);
    });
  }

  it('give the worked example of their documentation', () => {
    const list = ['b', 'a', 'd', 'c', 'e'];
    const relevant = new Set(['a', 'c', 'f']);
    const at5 = { k: 5 };
    expect(precisionAtK(list, relevant, at5)).to.equal(0.4);
    expect(recallAtK(list, relevant, at5)).to.equal(2 / 3);
    expect(hitAtK(list, relevant, at5)).to.equal(1);
    expect(averagePrecisionAtK(list, relevant, at5)).to.equal(1 / 3);
    expect(reciprocalRankAtK(list, relevant, at5)).to.equal(0.5);
    expect(ndcgAtK(list, relevant, at5)).to.be.closeTo(0.498189, 5e-7);
    expect(
      coverageAtK(
        [
          ['a', 'b'],
          ['b', 'c'],
        ],
        { k: 2, catalogueSize: 12 },
      ),
    ).to.equal(0.25);
  });

  it('lie between 0 and 1, are 1 for an ideal list, and never fall when a hit moves up', () => {
    const lists = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 2, maxLength: 20 });
    const relevants = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), {
      minLength: 1,
      maxLength: 20,
    });
    const ordered = [averagePrecisionAtK, ndcgAtK, reciprocalRankAtK];
    fc.assert(
      fc.property(
        lists,
        relevants,
        fc.integer({ min: 1, max: 25 }),
        fc.nat(),
        (list, relevant, k, where) => {
          const rel = new Set(relevant);
          for (const metric of [...ordered, precisionAtK, recallAtK, hitAtK])
            expect(metric(list, relevant, { k })).to.be.within(0, 1);
          for (const metric of ordered)
            expect(metric(relevant, relevant, { k })).to.be.closeTo(1, 1e-12);
          const j = 1 + (where % (list.length - 1));
          if (!rel.has(list[j]) || rel.has(list[j - 1])) return;
          const better = [...list];
          [better[j - 1], better[j]] = [better[j], better[j - 1]];
          for (const metric of ordered)
            expect(metric(better, relevant, { k })).to.be.at.least(
              metric(list, relevant, { k }) - 1e-12,
            );
        },
      ),
    );
  });

  it('divide precision by k even if fewer tracks are recommended', () => {
    expect(precisionAtK(['a'], ['a'], { k: 4 })).to.equal(0.25);
  });

  it('count a repeated relevant track once', () => {
    expect(recallAtK(['a'], ['a', 'a', 'b'])).to.equal(0.5);
  });

  it('refuse a wrong k, a list with a track twice, and a user without relevant tracks', () => {
    for (const k of [0, -1, 2.5, NaN])
      expect(() => ndcgAtK(['a'], ['a'], { k })).to.throw(
        ArgumentError,
        `k must be a positive whole number, got ${k}`,
      );
    expect(() => precisionAtK(['a', 'b', 'a'], ['a'])).to.throw(
      ArgumentError,
      '"a" is recommended twice',
    );
    expect(() => recallAtK(['a'], [])).to.throw(ArgumentError, 'no relevant track');
    expect(() => averagePrecisionAtK(['a'], ['a'], { over: 'all' as 'min' })).to.throw(
      ArgumentError,
      "got 'all'",
    );
  });

  it('take arrays and sets of any realm as relevant tracks, and nothing else that can be iterated over', () => {
    for (const relevant of [
      ['b'],
      new Set(['b']),
      runInNewContext("new Set(['b'])"),
      runInNewContext("['b']"),
    ]) {
      expect(hitAtK(['a', 'b'], relevant)).to.equal(1);
      expect(rankingMetrics([['a', 'b']], [relevant], { catalogueSize: 2 }).hitRate).to.equal(1);
    }
    expect(hitAtK([1, 2], Int32Array.of(2) as never)).to.equal(1);
    for (const [odd, what] of [
      [new Table({ track_id: ['b'] }), 'Table'],
      [new Map([['b', 1]]), 'Map'],
      ['b', 'a string'],
      [null, 'null'],
    ] as [never, string][]) {
      for (const metric of [
        precisionAtK,
        recallAtK,
        averagePrecisionAtK,
        ndcgAtK,
        reciprocalRankAtK,
        hitAtK,
      ]) {
        expect(() => metric(['a', 'b'], odd))
          .to.throw(ArgumentError, "an array or a set, such as table.column('track_id'), got")
          .with.property('message')
          .includes(what);
      }
      expect(() => rankingMetrics([['a', 'b']], [odd], { catalogueSize: 2 })).to.throw(
        ArgumentError,
        'an array or a set',
      );
    }
  });

  it('refuse means that do not exist', () => {
    expect(() => rankingMetrics([['a']], [], { catalogueSize: 1 })).to.throw(
      ArgumentError,
      '1 lists and 0 sets',
    );
    expect(() => rankingMetrics([['a']], [[]], { catalogueSize: 1 })).to.throw(
      ArgumentError,
      'nothing to average',
    );
    expect(() => coverageAtK([['a', 'b']], { catalogueSize: 1 })).to.throw(
      ArgumentError,
      '2 tracks are recommended',
    );
    expect(() => coverageAtK([['a']], { catalogueSize: 0 })).to.throw(
      ArgumentError,
      'catalogueSize',
    );
  });
});

/** Scores by a function of user and track. */
class Fixed extends Recommender {
  readonly name: string = 'Fixed';
  constructor(
    seen: Interactions,
    private readonly score: (user: string, track: string) => number,
  ) {
    super(seen);
  }
  scores(users: Int32Array, out: Float32Array): void {
    const n = this.tracks.length;
    for (let b = 0; b < users.length; b++)
      for (let t = 0; t < n; t++)
        out[b * n + t] = this.score(this.users.id(users[b]), this.tracks.id(t));
  }
}

function* permutations<T>(of: readonly T[]): Generator<T[]> {
  if (of.length === 0) yield [];
  for (const [i, first] of of.entries())
    for (const rest of permutations(of.filter((_, j) => j !== i))) yield [first, ...rest];
}

/** The mean of each metric over every order in which the scores descend. */
function overAllOrders(
  scores: ReadonlyMap<string, number>,
  relevant: ReadonlySet<string>,
  k: number,
): UserMetrics {
  const sums: UserMetrics = { precision: 0, recall: 0, hitRate: 0, map: 0, mrr: 0, ndcg: 0 };
  let n = 0;
  for (const order of permutations([...scores.keys()])) {
    if (order.some((id, j) => j > 0 && scores.get(id)! > scores.get(order[j - 1])!)) continue;
    const hits = Uint8Array.from(order.slice(0, k), (id) => (relevant.has(id) ? 1 : 0));
    const one = metricsOfHits(hits, relevant.size, k);
    for (const name of accuracyMetrics) sums[name] += one[name];
    n++;
  }
  for (const name of accuracyMetrics) sums[name] /= n;
  return sums;
}

const ids = [...'abcdef'];
/** One listener; all tracks of ids are known to training, through another. */
const training = Plays.fromRows([
  { user: 'u', track: 'z' },
  ...ids.map((track) => ({ user: 'v', track })),
]);
const held = (tracks: readonly string[]): Plays =>
  Plays.fromRows(tracks.map((track) => ({ user: 'u', track })));
const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

describe('Equal scores', () => {
  const cases = fc.record({
    scores: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 6, maxLength: 6 }),
    relevant: fc.subarray([...ids, 'new'], { minLength: 1 }),
    k: fc.integer({ min: 1, max: 7 }),
    longer: fc.integer({ min: 0, max: 3 }),
  });

  it('count as the mean over all their orders, in every evaluation and at every k of it', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ scores, relevant, k, longer }) => {
        const of = new Map(ids.map((id, i) => [id, scores[i]]));
        const fixed = new Fixed(Interactions.fromPlays(training), (_, track) => of.get(track) ?? 0);
        const expected = overAllOrders(of, new Set(relevant), k);
        const alone = evaluateRecommender(fixed, held(relevant), { k });
        const metrics = [
          ...accuracyMetrics,
          ...accuracyMetrics.map((name) => `${name}~100neg` as const),
        ];
        const table = await evaluate(
          [fixed],
          { train: training, test: held(relevant) },
          { k: [k, k + longer], metrics, samples: 1 },
        );
        const cold = evaluateColdTracks(
          fixed,
          held(relevant.some((id) => id !== 'new') ? relevant : ['a', ...relevant]),
          { k },
        );
        const among = [...of].filter(([id]) => relevant.includes(id));
        const expectedCold = overAllOrders(new Map(among), new Set(relevant), k);
        for (const name of accuracyMetrics) {
          expect(alone[name], name).to.be.closeTo(expected[name], 1e-12);
          expect(table.numbers(`${name}@${k}`)[0], `${name}, several k`).to.be.closeTo(
            expected[name],
            1e-12,
          );
          expect(table.numbers(`${name}@${k}~100neg`)[0], `${name}, sampled`).to.be.closeTo(
            expected[name],
            1e-12,
          );
          if (among.length > 0)
            expect(cold[name], `${name}, cold`).to.be.closeTo(expectedCold[name], 1e-12);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('count so for parts of the tracks as well', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.subarray(ids, { minLength: 1 }), async ({ scores, k }, part) => {
        const of = new Map(ids.map((id, i) => [id, scores[i]]));
        const fixed = new Fixed(Interactions.fromPlays(training), (_, track) => of.get(track) ?? 0);
        const table = await evaluate(
          [fixed],
          { train: training, test: held(ids) },
          { k, metrics: accuracyMetrics, samples: 1 },
        );
        const parts = table.bySegment({ tracks: (id) => (part.includes(id) ? 'part' : undefined) });
        const expected = overAllOrders(of, new Set(part), k);
        for (const name of accuracyMetrics)
          expect(parts.numbers(`${name}@${k}`)[0], name).to.be.closeTo(expected[name], 1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it('make a model that knows nothing as good as chance, whatever the ids', () => {
    const users = Array.from({ length: 10 }, (_, u) => `u${u}`);
    const train = Plays.fromRows([
      ...users.map((user) => ({ user, track: 'zz' })),
      ...Array.from({ length: 50 }, (_, t) => ({
        user: 'all',
        track: `t${String(t).padStart(2, '0')}`,
      })),
    ]);
    const nothing = new Fixed(Interactions.fromPlays(train), () => 0);
    for (const track of ['t00', 't25', 't49']) {
      const { recall, mrr, hitRate } = evaluateRecommender(
        nothing,
        Plays.fromRows(users.map((user) => ({ user, track }))),
        { k: 5 },
      );
      expect(recall).to.be.closeTo(5 / 50, 1e-12);
      expect(hitRate).to.be.closeTo(5 / 50, 1e-12);
      expect(mrr).to.be.closeTo((1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 50, 1e-12);
    }
  });

  it('are in an order of chance for metrics of one’s own, whose mean so comes near the expected value, and the same each time', async () => {
    const users = Array.from({ length: 400 }, (_, u) => `u${u}`);
    const train = Plays.fromRows([
      ...users.map((user) => ({ user, track: 'zz' })),
      ...ids.map((track) => ({ user: 'all', track })),
    ]);
    const test = Plays.fromRows(
      users.flatMap((user) => ['a', 'e'].map((track) => ({ user, track }))),
    );
    const scored: Record<string, number> = { a: 1, b: 1, c: 2 };
    const fixed = new Fixed(Interactions.fromPlays(train), (_, track) => scored[track] ?? 0); // c, then a and b, then d, e and f
    const own = {
      name: 'precision of mine',
      value: (list: readonly string[], right: ReadonlySet<string>, { k }: { k: number }) =>
        list.filter((id) => right.has(id)).length / k,
    };
    for (const k of [2, 4, 5]) {
      const alone = evaluateRecommender(fixed, test, { k, metrics: [own] });
      expect(alone['precision of mine'], `k ${k}`)
        .to.be.closeTo(alone.precision, 0.05)
        .and.not.equal(alone.precision);
      expect(evaluateRecommender(fixed, test, { k, metrics: [own] })).to.deep.equal(alone);
      expect(
        evaluateRecommender(fixed, test, { k, metrics: [own], seed: 1 })['precision of mine'],
      ).to.not.equal(alone['precision of mine']);
      const table = await evaluate(
        [fixed],
        { train, test },
        { k: [k, 6], metrics: [own, 'precision'], samples: 1 },
      );
      expect(table.numbers(`precision of mine@${k}`)[0], `k ${k}`).to.be.closeTo(
        alone.precision,
        0.05,
      );
      expect(table.numbers('precision of mine@6')[0]).to.be.closeTo(2 / 6, 1e-12);
    }
    const lists: string[] = [];
    evaluateRecommender(fixed, test, {
      k: 5,
      metrics: [{ name: 'seen', value: (list) => lists.push(list.join('')) }],
    });
    for (const list of lists) expect(list).to.match(/^c(ab|ba)(de|df|ed|ef|fd|fe)$/);
    expect(new Set(lists).size).to.equal(12);
  });

  it('leave what lists are like to the order of ids', async () => {
    const nothing = new Fixed(Interactions.fromPlays(training), () => 0);
    const split = splitPlays(
      Plays.fromRows([
        { user: 'u', track: 'z' },
        { user: 'u', track: 'c' },
        ...ids.map((track) => ({ user: 'v', track })),
      ]),
      {
        train: Int32Array.from([0, 2, 3, 4, 5, 6, 7]),
        valid: Int32Array.from([1]),
      },
    );
    const result = await evaluate([nothing], split, {
      k: 2,
      metrics: ['coverage', 'ndcg'],
      samples: 1,
    });
    expect(result.numbers('coverage@2')[0]).to.equal(2 / 7);
    expect(mean([...nothing.recommend('u', { n: 2 }).ids].map((id) => ids.indexOf(id)))).to.equal(
      0.5,
    ); // a and b
  });
});
