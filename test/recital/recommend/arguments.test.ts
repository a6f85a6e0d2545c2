import { inspect } from 'node:util';
import { expect } from 'chai';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import type { Table } from '../../../lib/recital/data/table.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import {
  evaluateRecommender,
  hitsAmong,
} from '../../../lib/recital/evaluation/evaluate-recommender.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { RandomRecommender } from '../../../lib/recital/recommend/baselines/random.js';
import {
  type CollabLearner,
  collabLearner,
} from '../../../lib/recital/recommend/learners/collab.js';
import type { CollabNNLearner } from '../../../lib/recital/recommend/learners/collab-nn.js';
import { rejection } from '../../support/learner.js';
import { shown } from '../../support/shown.js';
import { plantedRatings } from '../../support/synthetic.js';
import { smallPlays } from './contract.js';

// What JavaScript, or a cell that has lost its types, may hand over.
const odd = (value: unknown): never => value as never;

/** Ratings whose columns have names of their own. */
function ratings(): Table {
  const { user, item, rating } = { user: 'userId', item: 'movieId', rating: 'stars' };
  const planted = plantedRatings({ users: 12, items: 10, rows: 90 });
  return planted
    .select([])
    .withColumn(user, planted.column('user'))
    .withColumn(item, planted.column('item'))
    .withColumn(rating, planted.column('rating'));
}

describe('tables of a recommender', () => {
  const learn = collabLearner(CollabDataLoaders.fromTable(ratings(), { bs: 16 }), { nFactors: 4 });
  const [user] = learn.users.classes;
  const tracks = learn.tracks.classes.slice(0, 3);

  it('call ids what the data call them', async () => {
    const heads = (table: Table): readonly string[] => table.columnNames;
    expect(heads(learn.recommend(user, { n: 2 }))).to.deep.equal(['rank', 'movieId', 'score']);
    expect(heads(learn.recommendBatch([user]).toTable())).to.deep.equal([
      'userId',
      'rank',
      'movieId',
      'score',
    ]);
    expect(heads(learn.recommendBatch([user]).at(0))).to.deep.equal(['rank', 'movieId', 'score']);
    expect(heads(learn.similarTracks(tracks[0]))).to.deep.equal(['rank', 'movieId', 'similarity']);
    expect(heads(learn.bias())).to.deep.equal(['movieId', 'bias', 'users']);
    expect(heads(learn.trackFactorsPca(tracks))).to.deep.equal(['movieId', 'pc1', 'pc2']);
    expect(heads(learn.explain(user, tracks[0]))).to.deep.equal([
      'movieId',
      'stars',
      'contribution',
    ]);
    expect(heads(learn.foldIn(tracks).recommend({ n: 2 }))).to.deep.equal([
      'rank',
      'movieId',
      'score',
    ]);
    const { tables } = shown(() => learn.dls.showBatch({ maxN: 2 }));
    expect(heads(tables[0].table)).to.deep.equal(['userId', 'movieId', 'stars']);
  });

  it('of plays have the names of plays', () => {
    const popular = new Popularity(smallPlays());
    expect(popular.recommendBatch(['user01']).toTable().columnNames).to.include.members([
      'user_id',
      'track_id',
      'title',
    ]);
  });

  it('loaders print how many rows, of whom, and their names', () => {
    const text =
      'CollabDataLoaders: 72 training rows in 4 batches of 16, 18 validation rows; 12 users × 10 items (userId, movieId, stars)';
    expect(inspect(learn.dls)).to.equal(text);
    expect(String(learn.dls)).to.equal(text);
    expect(inspect(learn)).to.match(
      /^CollabLearner: 0 epochs trained\n {2}model {6}EmbeddingDotBias/,
    );
  });
});

describe('arguments that make no sense', () => {
  const plays = smallPlays();
  const dls = CollabDataLoaders.fromPlays(plays, { bs: 16 });
  const learn = collabLearner(dls, { nFactors: 2 });
  const popular = new Popularity(plays);
  const refused = (cases: [() => unknown, string][]): void => {
    for (const [work, message] of cases) expect(work).to.throw(ArgumentError, message);
  };

  it('options that there are not are refused, with the nearest', async () => {
    refused([
      [
        () => CollabDataLoaders.fromPlays(plays, odd({ valid_pct: 0.1 })),
        'fromPlays has no option "valid_pct"; did you mean "validPct"?',
      ],
      [
        () => CollabDataLoaders.fromPlays(plays, odd({ userName: 'u' })),
        'fromPlays has no option "userName"',
      ],
      [
        () => CollabDataLoaders.fromTable(ratings(), odd({ item_name: 'x' })),
        'fromTable has no option "item_name"; did you mean "itemName"?',
      ],
      [
        () => CollabDataLoaders.fromTable(ratings(), odd({ delimiter: ';' })),
        'fromTable has no option "delimiter"',
      ],
      [
        () => dls.showBatch(odd({ max_n: 3 })),
        'showBatch has no option "max_n"; did you mean "maxN"?',
      ],
      [
        () => collabLearner(dls, odd({ n_factors: 5 })),
        'collabLearner has no option "n_factors"; did you mean "nFactors"?',
      ],
      [
        () => collabLearner(dls, odd({ y_range: [0, 1] })),
        'collabLearner has no option "y_range"; did you mean "yRange"?',
      ],
      [() => collabLearner(dls, odd(5)), 'The options of collabLearner must be an object'],
      [
        () => collabLearner(dls, { useNn: true, config: odd({ use_bn: false }) }),
        'EmbeddingNN has no option "use_bn"; did you mean "useBn"?',
      ],
      [
        () => new EmbeddingDotBias(2, dls.classes, odd({ yrange: [0, 1] })),
        'EmbeddingDotBias has no option "yrange"; did you mean "yRange"?',
      ],
      [
        () => learn.recommend('user01', odd({ filter_seen: false })),
        'recommend has no option "filter_seen"; did you mean "filterSeen"?',
      ],
      [
        () => learn.recommend('user01', odd(5)),
        'The options of recommend must be an object, such as { n: … }, got a number',
      ],
      [
        () => popular.recommendBatch(['user01'], odd({ k: 5 })),
        'recommend has no option "k". Its options: n, among, exclude, filterSeen.',
      ],
      [
        () => learn.similarTracks('track01', odd({ filterSeen: true })),
        'similarTracks has no option "filterSeen"',
      ],
      [
        () => learn.foldIn(['track01'], odd({ L2: 3 })),
        'foldIn has no option "L2"; did you mean "l2"?',
      ],
      [
        () => evaluateRecommender(popular, plays, odd({ n: 5 })),
        'evaluateRecommender has no option "n"',
      ],
      [
        () => hitsAmong(popular, plays, odd({ user: 'user01', k: 5 })),
        'hitsAmong has no option "k"',
      ],
      [
        () => new Popularity(plays, odd({ measure: 'plays' })),
        'Popularity has no option "measure"',
      ],
      [
        () => new RandomRecommender(plays, odd({ sead: 1 })),
        'RandomRecommender has no option "sead"; did you mean "seed"?',
      ],
    ]);
    expect(
      await rejection(CollabDataLoaders.fromCsv('none.csv', odd({ ratingname: 'r' }))),
    ).to.contain('did you mean "ratingName"?');
  });

  it('a table where plays were expected, and other things, are refused with what to do', () => {
    const table = ratings();
    refused([
      [
        () => evaluateRecommender(popular, odd(table)),
        'needs plays, such as split.valid or Plays.fromRows(rows), got an object of Table.',
      ],
      [
        () => evaluateRecommender(popular, odd(undefined)),
        'needs plays, such as split.valid or Plays.fromRows(rows), got nothing',
      ],
      [
        () => evaluateRecommender(odd(plays), plays),
        'needs a recommender, such as new Popularity(train) or a collabLearner, got an object of Plays',
      ],
      [
        () => evaluateRecommender(odd([popular]), plays),
        'recommenders.map((r) => evaluateRecommender(r, heldOut))',
      ],
      [
        () => evaluateRecommender(popular, plays, { users: odd('user01') }),
        'needs users, an array of ids, got a string',
      ],
      [() => hitsAmong(popular, odd(table), { user: 'user01' }), 'hitsAmong needs plays'],
      [
        () => new Popularity(odd(table)),
        'Plays were expected, such as readPlays reads or Plays.fromRows(',
      ],
      [
        () => new RandomRecommender(odd([])),
        'Plays were expected, such as readPlays reads or Plays.fromRows([{',
      ],
      [
        () => CollabDataLoaders.fromPlays(odd(table)),
        'fromTable takes a table of ratings, got an object of Table.',
      ],
      [
        () => CollabDataLoaders.fromTable(odd(plays)),
        'got Plays: fromPlays makes loaders of them.',
      ],
      [
        () => collabLearner(odd(plays)),
        'such as CollabDataLoaders.fromPlays(plays) makes, got an object of Plays',
      ],
      [
        () => learn.bias(odd('track01')),
        'bias needs an array of tracks (ids, titles, or "title by artist"), got a string. For one track: ["track01"].',
      ],
      [
        () => learn.trackFactorsPca(odd(null)),
        'trackFactorsPca needs an array of tracks (ids, titles, or "title by artist"), got null.',
      ],
      [
        () => learn.recommend('user01', { among: odd('track01') }),
        'among needs an array of tracks',
      ],
      [() => learn.recommend('user01', { exclude: odd('') }), 'exclude needs an array of tracks'],
      [
        () => learn.recommendBatch(odd('user01')),
        'recommendBatch needs an array of user ids, got a string. For one user there is recommend.',
      ],
    ]);
    const example = table.rows().map((r) => ({ user: String(r.userId), track: String(r.movieId) })); // what the first message says to do
    expect(() => evaluateRecommender(popular, Plays.fromRows(example))).to.throw(
      ArgumentError,
      'nothing to measure',
    );
  });

  it('collabLearner returns the learner of the model that was asked for, by its type too', () => {
    const plain: CollabLearner = collabLearner(dls);
    const network: CollabNNLearner = collabLearner(dls, { useNn: true, layers: [4] });
    const either: CollabLearner | CollabNNLearner = collabLearner(dls, { useNn: Boolean(dls) });
    expect([plain.name, network.name, either.name]).to.deep.equal([
      'EmbeddingDotBias',
      'EmbeddingNN',
      'EmbeddingNN',
    ]);
    // @ts-expect-error no such option, and TypeScript says which one is meant
    expect(() => collabLearner(dls, { nFactor: 3 })).to.throw(
      ArgumentError,
      'did you mean "nFactors"?',
    );
    refused([
      [
        () => collabLearner(dls, { layers: [4] }),
        'layers is an option of the network: it needs useNn: true',
      ],
    ]);
  });
});
