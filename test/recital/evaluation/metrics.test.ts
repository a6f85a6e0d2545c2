import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { Table } from '../../../lib/recital/data/table.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import {
  averagePrecisionAtK,
  coverageAtK,
  hitAtK,
  ndcgAtK,
  precisionAtK,
  rankingMetrics,
  recallAtK,
  reciprocalRankAtK,
} from '../../../lib/recital/evaluation/metrics.js';

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
      '2 distinct tracks',
    );
    expect(() => coverageAtK([['a']], { catalogueSize: 0 })).to.throw(
      ArgumentError,
      'catalogueSize',
    );
  });
});
