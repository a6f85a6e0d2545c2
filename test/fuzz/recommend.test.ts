import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { CollabDataLoader } from '../../lib/recital/data/batches.js';
import { CollabDataLoaders, type CollabPlaysOptions } from '../../lib/recital/data/collab.js';
import { Plays } from '../../lib/recital/data/plays.js';
import { type Cell, Table } from '../../lib/recital/data/table.js';
import { Tracks } from '../../lib/recital/data/tracks.js';
import { NumericError } from '../../lib/recital/errors.js';
import {
  evaluateRecommender,
  hitsAmong,
} from '../../lib/recital/evaluation/evaluate-recommender.js';
import {
  averagePrecisionAtK,
  coverageAtK,
  hitAtK,
  ndcgAtK,
  precisionAtK,
  rankingMetrics,
  recallAtK,
  reciprocalRankAtK,
} from '../../lib/recital/evaluation/metrics.js';
import { loadLearner } from '../../lib/recital/files/load.js';
import { BCEWithLogitsLossFlat } from '../../lib/recital/nn/losses.js';
import { Popularity } from '../../lib/recital/recommend/baselines/popularity.js';
import { RandomRecommender } from '../../lib/recital/recommend/baselines/random.js';
import { Interactions } from '../../lib/recital/recommend/interactions.js';
import { type CollabLearner, collabLearner } from '../../lib/recital/recommend/learners/collab.js';
import type { Id, Recommender } from '../../lib/recital/recommend/recommender.js';
import { TemporaryFolder } from '../recital/data/temporary.js';
import {
  answered,
  anything,
  asked,
  askedLater,
  expectFinite,
  mostly,
  numbers,
  runs,
  sparse,
  texts,
} from '../support/hostile.js';

const users = ['__proto__', 'constructor', 'toString', '', '0', 'é', '#na#', 'then'];
const songs = ['hasOwnProperty', '__proto__', 'length', '1', '🎵', "it's", 'valueOf', '#na#', ' '];
const catalogue = new Tracks(
  new Table({
    track_id: songs.filter((song) => song !== ' '),
    name: songs
      .filter((song) => song !== ' ')
      .map((_, i) => ['__proto__', null, 'Same', 'Same', ''][i % 5]),
    artist: songs.filter((song) => song !== ' ').map((_, i) => ['constructor', '<b>', null][i % 3]),
  }),
);
const rows = users.flatMap((user, u) =>
  songs
    .filter((_, t) => (u + t) % 3 > 0)
    .map((track, i) => ({ user, track, playcount: 1 + (i % 4) })),
);
const plays = Plays.fromRows(rows, { catalogue });
const id: fc.Arbitrary<Id> = mostly<Id>(
  [...users, ...songs, 0, 1],
  fc.oneof(texts, numbers) as fc.Arbitrary<Id>,
);
const ids = fc.array(id, { maxLength: 4 });
const user = mostly<Id>(users, id);
const track = mostly<Id>(songs, id);

describe('hostile values in loaders', () => {
  const split = fc.record({
    train: fc.array(mostly([0, 1, 2, 3, 4], numbers), { maxLength: 6 }),
    valid: fc.array(mostly([5, 6], numbers), { maxLength: 3 }),
  });
  const options = sparse<CollabPlaysOptions>({
    validPct: mostly([0.2, 0.5], numbers),
    seed: fc.oneof(numbers, texts, fc.constantFrom(1, 2)),
    bs: mostly([1, 4, 16], numbers),
    valBs: mostly([1, 4], numbers),
    shuffle: mostly<'permutation' | 'replacement'>(
      ['permutation', 'replacement'],
      texts as fc.Arbitrary<'permutation'>,
    ),
    weights: mostly<string | number[]>(
      ['playcount', rows.map((_, i) => i + 1)],
      fc.oneof(texts, fc.array(numbers, { maxLength: 3 }), fc.constant(rows.map(() => 1e-46))),
    ),
    target: mostly<'binary' | 'log' | 'rank' | 'count'>(
      ['binary', 'log', 'rank', 'count'],
      texts as fc.Arbitrary<'rank'>,
    ),
    threshold: mostly([1, 2], numbers),
  });
  const more = sparse<CollabPlaysOptions>({
    split,
    negatives: sparse({
      n: mostly([1, 2], numbers),
      sampling: mostly<'uniform' | 'popularity'>(
        ['uniform', 'popularity'],
        texts as fc.Arbitrary<'uniform'>,
      ),
      power: mostly([0.75], numbers),
    }),
  });

  /**
   * Every batch of an epoch of both parts: indices in their vocabularies, targets that are numbers.
   */
  function expectBatches(dls: CollabDataLoaders): void {
    for (const loader of [dls.train, dls.valid, dls.train.inOrder()]) {
      let seen = 0;
      for (const { size, inputs, targets, weights } of loader.batches(1)) {
        seen += size;
        for (let i = 0; i < size; i++) {
          expect(inputs[0][i]).to.be.within(0, dls.classes.user.length - 1);
          expect(inputs[1][i]).to.be.within(0, dls.classes.item.length - 1);
        }
        expectFinite(targets.subarray(0, size));
        if (weights) expect(weights.subarray(0, size).every((w) => w > 0)).to.equal(true);
      }
      if (loader.length > 0) expect(seen).to.be.within(1, loader.n);
    }
  }

  it('plays with options of any kind: loaders whose batches are whole, or an error of ours', () => {
    fc.assert(
      fc.property(options, fc.option(more, { nil: {}, freq: 1 }), (given, extra) => {
        answered(
          asked(() => CollabDataLoaders.fromPlays(plays, { ...given, ...extra })),
          (dls) => {
            expectBatches(dls);
            if (dls.train.length > 0) expect(dls.oneBatch().size).to.equal(dls.train.bs);
          },
        );
      }),
      runs(300),
    );
  });

  it('tables of any kind', () => {
    const cell: fc.Arbitrary<Cell | undefined> = mostly<Cell | undefined>(
      ['a', 'b', 1, 2, 3],
      fc.oneof(numbers, texts, fc.constantFrom(null, undefined, true)),
    );
    const record = fc.record({
      user: cell,
      item: cell,
      rating: mostly<Cell>([1, 2, 3.5], fc.oneof(numbers, texts)),
    });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 12 }),
        sparse({
          userName: mostly(['user'], texts),
          itemName: mostly(['item'], texts),
          ratingName: mostly(['rating'], texts),
          bs: fc.constantFrom(1, 2),
        }),
        numbers,
        (records, names, n) => {
          answered(
            asked(() => CollabDataLoaders.fromTable(records, names)),
            (dls) => {
              expectBatches(dls);
              asked(() => dls.showBatch({ maxN: n }));
              asked(() => dls.testDl(records, { bs: n }));
              asked(() => dls.decode(dls.oneBatch(), n));
              asked(() => dls.train.inOrder({ bs: n }));
              asked(() => [...dls.train.batches(n)].length);
            },
          );
        },
      ),
      runs(300),
    );
  });

  it('values of the wrong type', () => {
    const dls = CollabDataLoaders.fromPlays(plays);
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        asked(() => CollabDataLoaders.fromPlays(a as Plays, b as object), { types: true });
        asked(() => CollabDataLoaders.fromTable(a as Table));
        asked(() => dls.testDl(a as Table));
        for (const name of [
          'validPct',
          'seed',
          'bs',
          'valBs',
          'split',
          'shuffle',
          'weights',
          'target',
          'threshold',
          'negatives',
        ]) {
          asked(() => CollabDataLoaders.fromPlays(plays, { [name]: a }), {
            types: name === 'weights',
          });
        }
        asked(() => new CollabDataLoader(a as never, { bs: 1 }), { types: true });
        asked(() => Table.fromRows(a as never));
        asked(() => new Table(a as never));
        asked(() => Plays.fromRows(a as never), { types: true });
        asked(() => collabLearner(a as CollabDataLoaders));
      }),
      runs(150),
    );
  });
});

describe('hostile values in recommenders', () => {
  const recommenders: Recommender[] = [
    new Popularity(plays),
    new Popularity(plays, { by: 'plays' }),
    new RandomRecommender(plays, { seed: '__proto__' }),
  ];
  let learn: CollabLearner;
  before(async () => {
    const dls = CollabDataLoaders.fromPlays(plays, { bs: 8 });
    learn = collabLearner(dls, { nFactors: 4, lossFunc: new BCEWithLogitsLossFlat() });
    const network = collabLearner(dls, { useNn: true, layers: [4] });
    for (const one of [learn, network]) await one.fit(2, 1e-2);
    recommenders.push(learn, network);
  });
  const which = fc.nat(4);

  it('ids, lengths and filters of any kind: a list of known tracks, or an error that helps', () => {
    const options = sparse({
      n: mostly([1, 3, 100], numbers),
      filterSeen: fc.boolean(),
      among: ids,
      exclude: ids,
    });
    fc.assert(
      fc.property(which, user, track, ids, options, (i, u, t, many, given) => {
        const r = recommenders[i];
        const known = (list: {
          ids: readonly string[];
          scores: Float32Array;
          toString(): string;
        }): void => {
          expect(list.ids.every((one) => r.tracks.has(one))).to.equal(true);
          expect(new Set(list.ids).size).to.equal(list.ids.length);
          expectFinite(list.scores);
          expect(list.toString()).to.be.a('string');
          for (const one of given.exclude ?? []) expect(list.ids).to.not.include(String(one));
        };
        answered(
          asked(() => r.recommend(u, given)),
          known,
        );
        answered(
          asked(() => r.similarTracks(t, given)),
          known,
        );
        answered(
          asked(() => r.recommendBatch(many, given)),
          (batch) => {
            expect(batch.length).to.equal(many.length);
            expect(batch.toTable().length).to.equal(batch.counts.reduce((a, b) => a + b, 0));
          },
        );
        asked(() => r.knows(u));
        asked(() => r.foldIn?.(many as string[]));
        asked(() => learn.bias(many));
        asked(() => learn.trackFactorsPca(many, given.n));
        asked(() => learn.mostLiked(given.n));
        asked(() => learn.explain(u, t));
      }),
      runs(300),
    );
  });

  it('arguments of the wrong type', () => {
    fc.assert(
      fc.property(which, anything, anything, (i, a, b) => {
        const r = recommenders[i];
        asked(() => r.recommend(a as Id));
        asked(() => r.recommend('é', b as object), { types: true });
        asked(() => r.recommendBatch(a as Id[]));
        asked(() => r.similarTracks(a as Id));
        asked(() => r.recommend('é', { among: a as Id[] }), { types: true });
        asked(() => r.recommend('é', { n: a as number, filterSeen: b as boolean }));
        asked(() => new Popularity(plays, { by: a as 'plays' }));
        asked(() => new Popularity(a as Plays), { types: true });
        asked(() => new RandomRecommender(plays, { seed: a as number }));
      }),
      runs(200),
    );
  });

  it('measures on any lists and held-out plays: between 0 and 1, or an error of ours', () => {
    const list = fc.array(id, { maxLength: 5 });
    fc.assert(
      fc.property(
        which,
        list,
        list,
        mostly([1, 3, 10], numbers),
        fc.option(ids, { nil: undefined }),
        mostly([3, 12], numbers),
        (i, recommended, relevant, k, some, size) => {
          const share = (x: number): void =>
            void expect(x >= 0 && x <= 1, String(x)).to.equal(true);
          for (const metric of [
            precisionAtK,
            recallAtK,
            hitAtK,
            averagePrecisionAtK,
            reciprocalRankAtK,
            ndcgAtK,
          ]) {
            answered(
              asked(() => metric(recommended, relevant, { k })),
              share,
            );
          }
          answered(
            asked(() => coverageAtK([recommended, relevant], { k, catalogueSize: size })),
            share,
          );
          answered(
            asked(() =>
              rankingMetrics([recommended, []], [relevant, recommended], {
                k,
                catalogueSize: size,
              }),
            ),
            (all) =>
              [
                all.precision,
                all.recall,
                all.hitRate,
                all.map,
                all.mrr,
                all.ndcg,
                all.coverage,
              ].forEach(share),
          );
          const heldOut = asked(() =>
            Plays.fromRows(relevant.map((t) => ({ user: recommended[0] ?? 'é', track: t }))),
          );
          if ('error' in heldOut) return;
          answered(
            asked(() => evaluateRecommender(recommenders[i], heldOut.value, { k, users: some })),
            (all) =>
              [
                all.precision,
                all.recall,
                all.hitRate,
                all.map,
                all.mrr,
                all.ndcg,
                all.coverage,
              ].forEach(share),
          );
          answered(
            asked(() =>
              hitsAmong(recommenders[i], heldOut.value, { user: recommended[0] ?? 'é', n: k }),
            ),
            ({ accuracy }) => share(accuracy),
          );
        },
      ),
      runs(300),
    );
  });

  it('pairs of any indices', () => {
    const index = fc
      .array(mostly([0, 1, 2], numbers), { maxLength: 6 })
      .map((v) => Int32Array.from(v));
    fc.assert(
      fc.property(
        index,
        index,
        fc.option(
          fc.array(numbers, { maxLength: 6 }).map((v) => Float32Array.from(v)),
          { nil: undefined },
        ),
        (u, t, playcount) => {
          answered(
            asked(() =>
              Interactions.fromPairs({
                users: plays.users,
                tracks: plays.tracks,
                user: u,
                track: t,
                playcount,
              }),
            ),
            (x) => {
              expect(x.length).to.be.at.most(u.length);
              expectFinite(x.playcount);
            },
          );
        },
      ),
      runs(200),
    );
  });
});

describe('hostile values in collabLearner', () => {
  const dls = CollabDataLoaders.fromPlays(plays, { bs: 8 });

  it('options of any kind: a learner that trains, or an error of ours', async () => {
    const size = mostly([1, 4], numbers);
    const options = sparse({
      nFactors: size,
      yRange: fc.tuple(mostly([0, -1], numbers), mostly([1, 5], numbers)),
      seed: fc.oneof(numbers, texts, fc.constant(1)),
      useNn: fc.boolean() as fc.Arbitrary<true>,
      layers: fc.array(size, { maxLength: 2 }),
      embSzs: sparse({ user: size, item: size }),
      config: sparse({
        ps: mostly([0, 0.5], numbers),
        embedP: mostly([0, 0.5], numbers),
        useBn: fc.boolean(),
        bnFinal: fc.boolean(),
      }),
    });
    await fc.assert(
      fc.asyncProperty(options, async (given) => {
        const answer = asked(() => collabLearner(dls, given as { useNn: true }));
        if ('error' in answer) return;
        const trained = await askedLater(() => answer.value.fit(1, 1e-3));
        if ('error' in trained)
          expect(trained.error, String(trained.error)).to.be.instanceOf(NumericError);
        else for (const p of answer.value.model.parameters) expectFinite(p.value);
      }),
      runs(120),
    );
  });

  it('options of the wrong type', () => {
    const names = ['nFactors', 'yRange', 'seed', 'layers', 'embSzs', 'config', 'lossFunc', 'lr'];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.boolean(), anything, (name, useNn, value) => {
        asked(() => collabLearner(dls, { useNn, [name]: value } as object), {
          types: name === 'layers' || name === 'embSzs' || name === 'config',
        });
      }),
      runs(300),
    );
  });

  const folder = new TemporaryFolder();

  it('names of files: one in its folder that can be loaded again, or an error of ours', () => {
    const learn = collabLearner(dls, { nFactors: 2, path: '.' });
    fc.assert(
      fc.property(
        texts.filter((name) => !/^\.?\//.test(name)),
        anything.filter(
          (name) => !(typeof name === 'string' && /^\.?\//.test(name)) && name !== undefined,
        ),
        (name, wrong) => {
          learn.path = folder.path;
          answered(
            asked(() => learn.export(name)),
            (file) => {
              expect(path.relative(folder.path, file).startsWith('..')).to.equal(false);
              expect(loadLearner(file).users.classes).to.deep.equal(learn.users.classes);
            },
          );
          asked(() => learn.export(wrong as string));
          asked(() => loadLearner(path.join(folder.path, `${name}?`)));
          asked(() => loadLearner(wrong as string));
        },
      ),
      runs(30),
    );
    expect(
      readdirSync(folder.path, { recursive: true })
        .map(String)
        .filter((name) => !name.endsWith('.safetensors') && /\./.test(name)),
    ).to.deep.equal([]);
  });
});
