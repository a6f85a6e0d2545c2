import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { readSafetensors, writeSafetensors } from '../../../lib/recital/data/files/safetensors.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { SequenceDataLoaders } from '../../../lib/recital/data/sequence-loaders.js';
import { createSequences } from '../../../lib/recital/data/sequences.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { ArgumentError, DataError, UnknownIdError } from '../../../lib/recital/errors.js';
import { evaluateNextItem } from '../../../lib/recital/evaluation/next-track.js';
import { loadLearner } from '../../../lib/recital/files/load.js';
import { WeightedSum } from '../../../lib/recital/hybrid/hybrid.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { LSTMModel } from '../../../lib/recital/models/lstm.js';
import { CrossEntropyLossFlat } from '../../../lib/recital/nn/cross-entropy.js';
import {
  LSTMLearner,
  LSTMRecommender,
  lstmLearner,
  recommendSongs,
} from '../../../lib/recital/sequential/lstm.js';
import { Markov } from '../../../lib/recital/sequential/markov-and-rules.js';

import { trainLstm, wholeSequences } from '../../support/lstm.js';
import { warnings } from '../../support/saved.js';
import { chainSessions, sessionsOf } from '../../support/sequences.js';
import { plantedLoaders } from '../../support/synthetic.js';
import { TemporaryFolder } from '../data/temporary.js';
import { recommenderContract, smallPlays } from '../recommend/contract.js';
import { scoreBytes } from '../recommend/contract-support.js';

const folder = new TemporaryFolder();
const order = { checkerboard: 'none', foldIn: 'ordered' } as const; // what comes next is not what a user likes
recommenderContract('LSTMLearner', (plays) => trainLstm(plays), order);
recommenderContract(
  'LSTMRecommender of a GRU',
  async (plays) => new LSTMRecommender(await trainLstm(plays, { cell: 'gru', tied: true })),
  order,
);
recommenderContract(
  'An LSTMLearner from a file',
  async (plays) =>
    loadLearner((await trainLstm(plays, { path: folder.path })).export('contract'), {
      type: LSTMLearner,
    }),
  order,
);

/** Scores after a history. */
function scoresAfter(recommender: LSTMRecommender | LSTMLearner, ...history: number[]): number[] {
  const out = new Float32Array(recommender.tracks.length).fill(NaN);
  recommender.scoresOf(Int32Array.from(history), out);
  return [...out];
}

describe('a network that recommends the next track', () => {
  const sessions = sessionsOf(chainSessions({ tracks: 20, sessions: 200, length: 9, follow: 0.9 }));
  let learn: LSTMLearner;
  before(async () => {
    learn = lstmLearner(wholeSequences(sessions, { length: 4, bs: 32 }), {
      embSz: 16,
      layers: [24],
    });
    await learn.fitOneCycle(12, 0.02);
  });

  it('has learnt what comes next', () => {
    expect(learn.recommend(['t04', 't05'], { n: 1 }).ids).to.deep.equal(['t06']);
    expect(learn.recommend(['t18', 't19'], { n: 1 }).ids).to.deep.equal(['t00']);
    const fresh = sessionsOf(chainSessions({ tracks: 20, sessions: 50, follow: 0.9, seed: 77 }));
    expect(evaluateNextItem(learn, fresh, { k: 5 }).accuracy).to.be.within(0.85, 0.96); // .9 + .1 / 20 is the most
  });

  it('reports probabilities, of all tracks together 1', () => {
    const list = learn.recommend(['t04', 't05'], { n: 20, filterSeen: false });
    expect([...list.scores].reduce((a, b) => a + b)).to.be.closeTo(1, 1e-5);
    expect(list.scores[0]).to.be.within(0.8, 0.97);
    const logits = scoresAfter(learn, 4, 5);
    const sum = logits.reduce((all, x) => all + Math.exp(x), 0);
    expect(list.scores[0]).to.be.closeTo(Math.exp(Math.max(...logits)) / sum, 1e-5);
    expect(
      learn.recommend(0, { n: 20, filterSeen: false }).scores.reduce((a, b) => a + b),
    ).to.be.closeTo(1, 1e-5);
  });

  it('reports scores where it was trained to rank', async () => {
    const negatives = { n: 5, counts: new Array(20).fill(1), loss: 'bprMax' as const };
    const ranker = lstmLearner(wholeSequences(sessions, { bs: 32 }), {
      embSz: 8,
      layers: [8],
      negatives,
      path: folder.path,
    });
    await ranker.fit(1, 0.01);
    const loaded = loadLearner(ranker.export('ranker'), { type: LSTMLearner });
    for (const each of [ranker, loaded]) {
      expect(each.prediction).to.equal(undefined);
      expect(each.recommend(['t04'], { n: 1, filterSeen: false }).scores[0]).to.equal(
        Math.max(...scoresAfter(each, 4)),
      );
    }
  });

  it('scores many histories at once as one by one, in blocks, to the bit', () => {
    const histories = Array.from({ length: 600 }, (_, i) =>
      Int32Array.from({ length: 1 + (i % 7) }, (_, j) => (3 * i + j) % 20),
    );
    const out = new Float32Array(600 * 20);
    learn.scoresOfMany(histories, out);
    for (const i of [0, 5, 255, 256, 599])
      expect([...out.subarray(i * 20, (i + 1) * 20)]).to.deep.equal(
        scoresAfter(learn, ...histories[i]),
      );
  });

  it('reads the last tracks of a history, as many as its windows have', () => {
    expect(scoresAfter(learn, 9, 9, 1, 2, 3, 4)).to.deep.equal(scoresAfter(learn, 1, 2, 3, 4));
    expect(scoresAfter(learn, 2, 3, 4)).to.not.deep.equal(scoresAfter(learn, 1, 2, 3, 4));
  });

  it('predicts what getPreds does', async () => {
    const { preds, targets } = await learn.getPreds({
      dl: learn.dls.testDl(sessionsOf([[3, 4, 5, 19]])),
    });
    expect([...targets]).to.deep.equal([4, 5, 19]);
    const list = learn.recommend(['t03', 't04', 't05'], { n: 20, filterSeen: false });
    list.ids.forEach((id, i) => {
      expect(list.scores[i]).to.be.closeTo(preds[2 * 20 + Number(id.slice(1))], 1e-6);
    });
  });

  it('shows at once what further training has changed', async () => {
    const further = lstmLearner(wholeSequences(sessions), { embSz: 4, layers: [4] });
    const before = scoresAfter(further, 1);
    await further.fit(1, 0.01);
    expect(scoresAfter(further, 1)).to.not.deep.equal(before);
  });

  it('stands wherever a recommender of the next track does', () => {
    const sum = new WeightedSum([learn, new Markov(learn.histories)]);
    expect(sum.recommend(['t04', 't05'], { n: 1 }).ids).to.deep.equal(['t06']);
    expect(sum.name).to.equal('LSTM + Markov');
    expect(new LSTMRecommender(learn).name).to.equal('LSTM');
  });
});

describe('what a network knows of users and tracks', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const catalogue = new Tracks(
    Table.fromRows(names.map((id) => ({ track_id: id, name: `Song ${id}`, artist: 'X' }))),
  );
  const histories = { u1: 'abcd', u2: 'bcda', u3: 'cde', u4: 'ab', u5: 'f' };
  const rows = Object.entries(histories).flatMap(([user, tracks]) =>
    [...tracks].map((track) => ({ user, track })),
  );
  const plays = Plays.fromRows(rows, { catalogue });
  const make = (options: Parameters<typeof SequenceDataLoaders.fromPlays>[1]): LSTMLearner =>
    lstmLearner(SequenceDataLoaders.fromPlays(plays, { bs: 2, length: 3, ...options }), {
      embSz: 3,
      layers: [4],
      seed: 1,
    });
  const known = (learn: LSTMLearner): Record<string, string> =>
    Object.fromEntries(
      learn.users.classes.map((user, u) => [
        user,
        learn.tracks.decode(learn.histories.history(u)).join(''),
      ]),
    );

  for (const everyPosition of [false, true]) {
    it(`is what training has of them${everyPosition ? ', at every position' : ''}`, () => {
      expect(known(make({ split: 'last', everyPosition }))).to.deep.equal({
        u1: 'abc',
        u2: 'bcd',
        u3: 'cd',
        u4: 'ab',
        u5: 'f',
      });
      const some = make({ split: { train: [0, 3], valid: [1, 2] }, everyPosition });
      expect(known(some)).to.deep.equal({ u1: 'abcd', u4: 'ab', u5: 'f' }); // u5 has a single track, of which there is no next one
      expect(some.tracks.classes).to.deep.equal(['a', 'b', 'c', 'd', 'f']);
    });
  }

  it('with a split by window has what lies in a training window', () => {
    const learn = make({ split: 'window', validPct: 0.4, seed: 3 });
    const { dls } = learn;
    const trained = new Set(
      [...dls.split.train].flatMap((i) =>
        Array.from({ length: dls.dataset.size[i] + 1 }, (_, j) => dls.dataset.start[i] + j),
      ),
    );
    const { item, items } = dls.histories;
    expect(learn.histories.item.length).to.equal(trained.size + 1); // and u5's
    expect(learn.tracks.classes).to.deep.equal(
      items.classes.filter((_, t) => t === 5 || [...trained].some((i) => item[i] === t)),
    );
    expect(learn.tracks.length).to.equal(5); // so that some are not
  });

  it('maps its tracks to the classes of the model, if some are not trained', () => {
    const learn = make({ split: { train: [0, 1], valid: [2] } }); // nobody plays e
    expect(learn.tracks.classes).to.deep.equal(['a', 'b', 'c', 'd', 'f']);
    const { value } = learn.model.itemVectors; // 4 numbers each
    expect([...learn.trackVectors().values.slice(16, 20)]).to.deep.equal([...value.slice(20, 24)]);
    const batch = {
      size: 1,
      inputs: [Int32Array.of(3, 5), Int32Array.of(2)],
      targets: new Float32Array(1),
      rows: new Int32Array(1),
    };
    const logits = learn.model.forward(batch, false).slice();
    expect(scoresAfter(learn, 3, 4)).to.deep.equal([0, 1, 2, 3, 5].map((c) => logits[c])); // d, f
    expect(() => learn.recommend(['Song e'])).to.throw(
      UnknownIdError,
      'nobody plays it in the training data',
    );
    expect(learn.recommend(['Song a', 'song b by x']).column('title')).to.have.members([
      'Song c',
      'Song d',
      'Song f',
    ]);
  });

  it('knows sessions by their numbers, also when some are held out', () => {
    const dls = SequenceDataLoaders.fromSessions(
      sessionsOf([
        [0, 1],
        [2, 3],
        [1, 0, 2],
      ]),
      { split: { train: [2], valid: [0] }, bs: 1 },
    );
    const learn = lstmLearner(dls, { embSz: 3, layers: [4] });
    expect(learn.users.classes).to.deep.equal(['2']);
    expect(learn.recommend(2, { filterSeen: false }).length).to.equal(3);
  });

  it('serves recommendSongs, for a learner of any making', async () => {
    const dls = SequenceDataLoaders.fromPlays(plays, { bs: 2, split: 'last' });
    const model = new LSTMModel(dls.classes, { embSz: 3, layers: [4], random: new Random(1) });
    const learn = new Learner(dls, model, { lossFunc: new CrossEntropyLossFlat() });
    const list = recommendSongs(learn, 'u1', { n: 2 });
    expect(list.ids).to.deep.equal(new LSTMRecommender(learn).recommend('u1', { n: 2 }).ids);
    expect(list.ids)
      .to.not.include.members(['a'])
      .and.not.include.members(['b'])
      .and.not.include.members(['c']);
    expect(recommendSongs(learn, ['Song a', 'b'], { n: 1 }).column('title')[0]).to.match(
      /^Song [cdef]$/,
    );
    expect(recommendSongs(make({ split: 'last' }), 'u1', { n: 1 }).length).to.equal(1);
  });
});

describe('wrong input for a network of the next track', () => {
  let learn: LSTMLearner;
  before(async () => {
    learn = await trainLstm(smallPlays());
  });

  it('is refused: unknown tracks and users, with a suggestion; empty histories', () => {
    expect(() => learn.recommend(['Sonk 12'])).to.throw(UnknownIdError, 'did you mean "Song 12"?');
    expect(() => recommendSongs(learn, 'user 05')).to.throw(
      UnknownIdError,
      'did you mean "user05"?',
    );
    expect(() => learn.recommend([])).to.throw(ArgumentError, 'history is empty');
    expect(() => scoresAfter(learn)).to.throw(
      ArgumentError,
      'LSTM needs a history of at least one track, got none',
    );
    expect(() => scoresAfter(learn, -1)).to.throw(
      ArgumentError,
      'has index -1; the table has rows 0 to 29',
    );
    expect(() => scoresAfter(learn, 30)).to.throw(ArgumentError, 'has index 30');
  });

  it('is refused: lengths, sessions of one song, empty parts', () => {
    const plays = smallPlays();
    for (const length of [0, -1, 1.5, NaN])
      expect(() => wholeSequences(plays, { length })).to.throw(ArgumentError, `got ${length}`);
    expect(() => createSequences(sessionsOf([[0], [1]]))).to.throw(
      DataError,
      'A single track has no next one',
    );
    expect(() => wholeSequences(plays, { split: { train: [], valid: [1] } })).to.throw(
      ArgumentError,
      'no training row',
    );
    expect(() =>
      wholeSequences(sessionsOf([[0], [1, 2]]), { split: { train: [1], valid: [0] } }),
    ).to.throw(ArgumentError, 'single track');
  });

  it('trains without validation where that part is empty, and says that there is nothing to predict', async () => {
    expect(learn.recorder.values[0].slice(1)).to.deep.equal([null]);
    let error: unknown;
    await learn.getPreds().catch((e) => {
      error = e;
    });
    expect(error)
      .to.be.instanceOf(ArgumentError)
      .with.property('message')
      .that.includes('no rows to predict');
  });

  it('is refused: other models and other loaders', () => {
    const ratings = plantedLoaders();
    const collab = new Learner(ratings, new EmbeddingDotBias(3, ratings.classes));
    expect(() => new LSTMRecommender(collab)).to.throw(
      ArgumentError,
      'needs a learner of an LSTMModel, got one of EmbeddingDotBias',
    );
    expect(() => recommendSongs(collab, 'u1')).to.throw(
      ArgumentError,
      'needs a learner of an LSTMModel',
    );
    expect(() => new LSTMRecommender({} as Learner)).to.throw(ArgumentError, 'needs a learner');
    expect(() => lstmLearner(ratings as never)).to.throw(
      ArgumentError,
      'SequenceDataLoaders.fromPlays',
    );
    expect(() => lstmLearner(learn.dls, { embSize: 3 } as never)).to.throw(
      ArgumentError,
      'did you mean "embSz"',
    );
    const small = new LSTMModel({ item: learn.dls.classes.item.subset([0, 1]) });
    const odd = new Learner(learn.dls, small, { lossFunc: new CrossEntropyLossFlat() });
    expect(() => new LSTMRecommender(odd)).to.throw(
      ArgumentError,
      'The model is for 2 tracks, the loaders have 30',
    );
  });
});

describe('a network of the next track in a file', () => {
  const plays = smallPlays();
  let learn: LSTMLearner;
  let file: string;
  before(async () => {
    learn = await trainLstm(plays, { tied: true, dropout: 0.1, seed: 'seven', path: folder.path });
    file = learn.export();
  });

  it('recommends the same, to the bit, to users and to whoever types a history', () => {
    expect(file).to.equal(path.join(folder.path, 'export.safetensors'));
    const loaded = loadLearner(file, { type: LSTMLearner });
    expect(scoreBytes(loaded).equals(scoreBytes(learn))).to.equal(true);
    expect(loaded.recommend('user03')).to.deep.equal(learn.recommend('user03'));
    expect(loaded.recommend(['Song 3', 'track07'])).to.deep.equal(
      learn.recommend(['Song 3', 'track07']),
    );
    expect(loaded.similarTracks('Song 5')).to.deep.equal(learn.similarTracks('Song 5'));
    expect([loaded.seed, loaded.epochsTrained, loaded.model.config]).to.deep.equal([
      'seven',
      4,
      learn.model.config,
    ]);
    expect(
      readFileSync(loaded.export(path.join(folder.path, 'again'))).equals(readFileSync(file)),
    ).to.equal(true);
  });

  it('holds no held-out play', () => {
    const dls = SequenceDataLoaders.fromPlays(plays, { split: 'user', bs: 4, length: 5 });
    const part = lstmLearner(dls, { embSz: 3, layers: [4], cell: 'gru', path: folder.path });
    const loaded = loadLearner(part.export('part'), { type: LSTMLearner });
    expect(loaded.users.classes).to.deep.equal(part.users.classes);
    expect(loaded.users.length).to.equal(16);
    expect(loaded.tracks.classes).to.deep.equal(part.tracks.classes);
    expect(loaded.dls.histories.item.length).to.equal(part.histories.item.length);
    expect([loaded.dls.dataset.windowLength, loaded.dls.train.bs, loaded.name]).to.deep.equal([
      5,
      4,
      'GRU',
    ]);
  });

  it('goes on training there, on the histories in the file, and gives its weights to other learners', async () => {
    const loaded = loadLearner(file, { type: LSTMLearner });
    await loaded.fit(1, 0.01);
    expect(scoreBytes(loaded).equals(scoreBytes(learn))).to.equal(false);
    const fresh = lstmLearner(wholeSequences(plays), {
      embSz: 8,
      layers: [12],
      tied: true,
      dropout: 0.1,
    });
    expect(warnings(() => fresh.load(file, { withOpt: false }))).to.equal('');
    expect(scoreBytes(fresh).equals(scoreBytes(learn))).to.equal(true);
    const saved = learn.save('weights');
    expect(
      scoreBytes(
        lstmLearner(wholeSequences(plays), {
          embSz: 8,
          layers: [12],
          tied: true,
          dropout: 0.1,
        }).load(saved),
      ).equals(scoreBytes(learn)),
    ).to.equal(true);
  });

  it('is of its own kind', () => {
    expect(() => loadLearner(file)).to.throw(
      DataError,
      'it holds a LSTMLearner, not a CollabLearner: loadLearner(file, { type: LSTMLearner })',
    );
  });

  it('is refused where its parts do not fit', () => {
    const {
      tensors,
      metadata: { sha256: _, ...metadata },
    } = readSafetensors(file);
    const changed = (from: string, to: string): string => {
      const bad = path.join(folder.path, 'bad.safetensors');
      const config = metadata.config.replace(from, to);
      expect(config).to.not.equal(metadata.config);
      writeSafetensors(bad, tensors, { metadata: { ...metadata, config } });
      return bad;
    };
    const load = (bad: string) => () => loadLearner(bad, { type: LSTMLearner });
    expect(load(changed('"layers":[12]', '"layers":[13]'))).to.throw(
      DataError,
      'such as it describes has',
    );
    expect(load(changed('"cell":"lstm"', '"cell":"lstn"'))).to.throw(
      DataError,
      "cell should be 'lstm' or 'gru'",
    );
    expect(load(changed('"length":10', '"length":00'))).to.throw(DataError);
    expect(load(changed('"bs":8', '"bs":0'))).to.throw(DataError, 'bs should be 1 or more');
    expect(load(changed('"dropout":0.1', '"dropout":9.1'))).to.throw(
      DataError,
      'a probability less than 1',
    );
  });
});
