import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { ArgumentError, DataError, NumericError } from '../../../lib/recital/errors.js';
import { loadLearner } from '../../../lib/recital/files/load.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  type LossRows,
  MSELossFlat,
} from '../../../lib/recital/nn/losses.js';
import {
  CollabLearner,
  type CollabLearnerOptions,
  collabLearner,
} from '../../../lib/recital/recommend/learners/collab.js';
import { CollabNNLearner } from '../../../lib/recital/recommend/learners/collab-nn.js';
import type { Recommender } from '../../../lib/recital/recommend/recommender.js';
import { trainLearner, trainNetwork, wholeLoaders } from '../../support/exported.js';
import { warnings } from '../../support/saved.js';
import { TemporaryFolder } from '../data/temporary.js';
import { recommenderContract, smallPlays } from '../recommend/contract.js';

const folder = new TemporaryFolder();

const train = (plays: Plays, options: CollabLearnerOptions = {}): Promise<CollabLearner> =>
  trainLearner(plays, { path: folder.path, ...options });
const network = (plays: Plays): Promise<CollabNNLearner> =>
  trainNetwork(plays, { path: folder.path });

recommenderContract(
  'A CollabLearner from a file',
  async (plays) => loadLearner((await train(plays)).export('contract')),
  {
    checkerboard: 'graded',
    foldIn: true,
  },
);
recommenderContract(
  'A CollabNNLearner from a file',
  async (plays) =>
    loadLearner((await network(plays)).export('network-contract'), { type: CollabNNLearner }),
  { checkerboard: 'graded' },
);

/** The bytes of all scores. */
function scoresOf(learn: Recommender): Buffer {
  const users = Int32Array.from({ length: learn.users.length }, (_, u) => u);
  const out = new Float32Array(users.length * learn.tracks.length);
  learn.scores(users, out);
  return Buffer.from(out.buffer);
}

describe('learn.export and loadLearner', () => {
  const plays = smallPlays();
  let learn: CollabLearner;
  let file: string;
  before(async () => {
    learn = await train(plays, { yRange: [-0.2, 1.2], seed: 'seven' });
    file = learn.export();
  });

  it('gives the same lists, scores, similar tracks, biases and predictions, to the bit', async () => {
    expect(file).to.equal(path.join(folder.path, 'export.safetensors'));
    const loaded = loadLearner(file);
    expect(scoresOf(loaded).equals(scoresOf(learn))).to.equal(true);
    for (const user of learn.users.classes)
      expect(loaded.recommend(user)).to.deep.equal(learn.recommend(user));
    expect(loaded.similarTracks('Song 5')).to.deep.equal(learn.similarTracks('Song 5'));
    expect(loaded.bias()).to.deep.equal(learn.bias());
    expect(loaded.trackFactorsPca(['Song 4', 'Song 5', 'Song 6'])).to.deep.equal(
      learn.trackFactorsPca(['Song 4', 'Song 5', 'Song 6']),
    );
    const rows = [
      ...Array.from({ length: 40 }, (_, i) => ({
        user: plays.users.id(plays.user[i]),
        track: plays.tracks.id(plays.track[i]),
        playcount: 1 + (i % 3),
      })),
    ];
    const some = Plays.fromRows([...rows, { user: 'stranger', track: 'track00' }]);
    const options = { withLoss: true, withDecoded: true, withInput: true };
    expect(await loaded.getPreds({ dl: loaded.dls.testDl(some), ...options })).to.deep.equal(
      await learn.getPreds({ dl: learn.dls.testDl(some), ...options }),
    );
    expect([loaded.seed, loaded.epochsTrained, loaded.model.yRange]).to.deep.equal([
      'seven',
      12,
      [-0.2, 1.2],
    ]);
    expect(loaded.lossFunc).to.deep.equal(learn.lossFunc);
    expect(loaded.dls.target).to.deep.equal(learn.dls.target);
  });

  it('gives the same network: layers, batch norm and what it has gathered', async () => {
    const trained = await network(plays);
    const exported = trained.export('network');
    const loaded = loadLearner(exported, { type: CollabNNLearner });
    expect(scoresOf(loaded).equals(scoresOf(trained))).to.equal(true);
    expect(loaded.model.config).to.deep.equal(trained.model.config);
    expect(loaded.model.buffers).to.deep.equal(trained.model.buffers);
    expect(loadLearner(exported, { type: Learner })).to.be.instanceOf(CollabNNLearner);
    expect(() => loadLearner(exported)).to.throw(
      DataError,
      'it holds a CollabNNLearner, not a CollabLearner: loadLearner(file, { type: CollabNNLearner })',
    );
  });

  it('meets new listeners as before: foldIn needs no training rows', () => {
    const loaded = loadLearner(file);
    const history = ['Song 3', { track: 'Song 7', playcount: 4 }, 'track20'];
    expect(loaded.foldIn(history).recommend()).to.deep.equal(learn.foldIn(history).recommend());
    expect(loaded.foldIn(history).explain('Song 11')).to.deep.equal(
      learn.foldIn(history).explain('Song 11'),
    );
    expect(() => loaded.explain('user03', 'Song 11')).to.throw(
      ArgumentError,
      'these loaders have none',
    );
  });

  it('keeps how the loaders drew negatives and weighed their rows', async () => {
    const dls = CollabDataLoaders.fromPlays(plays, {
      bs: 16,
      seed: 1,
      negatives: { n: 3, sampling: 'popularity', power: 0.5 },
    });
    const ranked = collabLearner(dls, { nFactors: 4, lossFunc: new BPRLoss(), path: folder.path });
    await ranked.fit(1, 0.01);
    const loaded = loadLearner(ranked.export('ranked'));
    expect(loaded.foldIn(['Song 3']).recommend()).to.deep.equal(
      ranked.foldIn(['Song 3']).recommend(),
    );
    expect(loaded.dls.negatives).to.deep.equal({ n: 3, sampling: 'popularity', power: 0.5 });
    expect(loaded.recommend('user01')).to.deep.equal(ranked.recommend('user01'));
    const rows = Array.from({ length: 40 }, (_, i) => ({
      u: `u${i % 7}`,
      i: `i${i % 5}`,
      rating: i % 3,
      sure: 1 + (i % 2),
    }));
    const weighed = collabLearner(CollabDataLoaders.fromTable(rows, { bs: 8, weights: 'sure' }), {
      nFactors: 2,
      path: folder.path,
    });
    expect(loadLearner(weighed.export('weighed')).dls.weighedBy).to.equal('sure');
  });

  it('writes the same file again from the loaded learner', () => {
    const again = loadLearner(file).export(path.join(folder.path, 'again'));
    expect(readFileSync(again).equals(readFileSync(file))).to.equal(true);
  });

  it('is made of loaders of a table too, with numbers as ids and without a catalogue', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({
      listener: (i * 7) % 11,
      song: `s${i % 9}`,
      stars: 1 + (i % 5),
    }));
    const dls = CollabDataLoaders.fromTable(rows, { bs: 8 });
    const table = collabLearner(dls, { nFactors: 3, path: folder.path });
    await table.fit(2, 0.1);
    const loaded = loadLearner(table.export('table'));
    expect(loaded.dls.names).to.deep.equal({ user: 'listener', item: 'song', rating: 'stars' });
    expect(loaded.dls.classes.user.classes).to.deep.equal(dls.classes.user.classes);
    expect(loaded.recommend(3, { filterSeen: false })).to.deep.equal(
      table.recommend(3, { filterSeen: false }),
    );
    expect(loaded.catalogue).to.equal(undefined);
    const preds = await loaded.getPreds({ dl: loaded.dls.testDl([{ listener: 10, song: 's3' }]) });
    expect(preds.preds).to.deep.equal(
      (await table.getPreds({ dl: dls.testDl([{ listener: 10, song: 's3' }]) })).preds,
    );
    expect(preds.targets[0]).to.be.NaN;
  });

  it('says what is missing for training, and gives its weights to a learner that has it', async () => {
    const loaded = loadLearner(file);
    let error: unknown;
    await loaded.fit(1).catch((e) => {
      error = e;
    });
    expect(error).to.be.instanceOf(ArgumentError);
    expect(String(error)).to.contain('no training rows').and.to.contain('load(file');
    await loaded.getPreds().catch((e) => {
      error = e;
    });
    expect(String(error)).to.contain('no rows to predict');
    const fresh = collabLearner(wholeLoaders(plays), {
      nFactors: 6,
      yRange: [-0.2, 1.2],
      lossFunc: new BCEWithLogitsLossFlat(),
    });
    expect(warnings(() => fresh.load(file))).to.contain('optimizer');
    expect(warnings(() => fresh.load(file, { withOpt: false }))).to.equal('');
    expect(scoresOf(fresh).equals(scoresOf(learn))).to.equal(true);
    await fresh.fit(1);
  });

  it('keeps losses of the library with their options, and asks for one of your own', async () => {
    class Own extends MSELossFlat {
      override readonly name = 'Own';
      override losses(rows: LossRows, out: Float64Array): void {
        super.losses(rows, out);
        for (let i = 0; i < rows.size; i++) out[i] *= 2;
      }
    }
    const own = await train(plays, { lossFunc: new Own() });
    const exported = own.export('own');
    expect(() => loadLearner(exported)).to.throw(
      DataError,
      "trained with Own, which is not one of the library's losses",
    );
    const lossFunc = new Own();
    expect(loadLearner(exported, { lossFunc }).lossFunc).to.equal(lossFunc);
    expect(() => loadLearner(exported, { lossFunc: new MSELossFlat() })).to.throw(
      DataError,
      'trained with Own, but lossFunc is a MSELossFlat',
    );
  });

  it('finds the file with and without the extension, and refuses what is none', () => {
    expect(loadLearner(file.replace(/\.safetensors$/, '')).users.length).to.equal(20);
    const checkpoint = learn.save('checkpoint');
    expect(() => loadLearner(checkpoint)).to.throw(
      DataError,
      /checkpoint, written by learn.save\..*learn.export/,
    );
    expect(() => loadLearner(path.join(folder.path, 'never'))).to.throw(
      DataError,
      'There is no file',
    );
    expect(() => learn.export('../up')).to.throw(ArgumentError, 'is not a name');
    learn.model.iBias.value[2] = Infinity;
    expect(() => learn.export()).to.throw(NumericError, 'iBias holds Infinity');
    learn.load(file, { withOpt: false });
  });

  it('does not export a learner of an unknown class', () => {
    class Special extends CollabLearner {}
    const dls = wholeLoaders(plays);
    const special = new Special(dls, collabLearner(dls, { nFactors: 2 }).model);
    expect(() => special.export(path.join(folder.path, 'special'))).to.throw(
      ArgumentError,
      'Special is not known to export',
    );
  });
});
