import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { CollabDataLoaders } from '../../lib/data/collab.js';
import { setDisplay } from '../../lib/data/display.js';
import { Plays } from '../../lib/data/plays.js';
import { readSafetensors, type Tensor, writeSafetensors } from '../../lib/data/safetensors.js';
import { ArgumentError, DataError, NumericError } from '../../lib/errors.js';
import { EmbeddingDotBias } from '../../lib/models/embedding-dot-bias.js';
import type { LossRows } from '../../lib/nn/losses.js';
import { BCEWithLogitsLossFlat, BPRLoss, MSELossFlat } from '../../lib/nn/losses.js';
import { CollabLearner, type CollabLearnerOptions, collabLearner } from '../../lib/recommend/collab.js';
import { registerCollabKind } from '../../lib/recommend/collab-kinds.js';
import { CollabNNLearner } from '../../lib/recommend/collab-nn.js';
import { CollabRecommender } from '../../lib/recommend/collab-recommender.js';
import { loadLearner } from '../../lib/recommend/load-learner.js';
import { TemporaryFolder } from '../data/temporary.js';
import { recommenderContract, smallPlays } from './contract.js';

const folder = new TemporaryFolder();

/** Loaders that train on every play. */
function loaders(plays: Plays): CollabDataLoaders {
  return CollabDataLoaders.fromPlays(plays, { bs: 16, split: { train: Array.from({ length: plays.length }, (_, i) => i), valid: [] } });
}

async function train(plays: Plays, options: CollabLearnerOptions = {}): Promise<CollabLearner> {
  const learn = collabLearner(loaders(plays), {
    nFactors: 6,
    lossFunc: new BCEWithLogitsLossFlat({ posWeight: 1.5 }),
    path: folder.path,
    ...options,
  });
  await learn.fitOneCycle(12, 0.03);
  return learn;
}

async function trainNetwork(plays: Plays): Promise<CollabNNLearner> {
  const config = { ps: [0.1, 0], embedP: 0.05, bnFinal: true };
  const learn = collabLearner(loaders(plays), { useNn: true, layers: [12, 5], embSzs: { user: 4 }, yRange: [0, 1.1], config, path: folder.path });
  await learn.fitOneCycle(40, 0.02);
  return learn;
}

recommenderContract('A CollabLearner from a file', async (plays) => loadLearner((await train(plays)).export('contract')), { checkerboard: 'graded' });
recommenderContract(
  'A CollabNNLearner from a file',
  async (plays) => loadLearner((await trainNetwork(plays)).export('network-contract'), { type: CollabNNLearner }),
  { checkerboard: 'graded' },
);

/** The bytes of all scores. */
function scoresOf(learn: CollabRecommender): Buffer {
  const users = Int32Array.from({ length: learn.users.length }, (_, u) => u);
  const out = new Float32Array(users.length * learn.tracks.length);
  learn.scores(users, out);
  return Buffer.from(out.buffer);
}

function warnings(work: () => void): string[] {
  const lines: string[] = [];
  const before = setDisplay({ table() {}, chart() {}, text() {}, warn: (line) => lines.push(line) });
  try {
    work();
  } finally {
    setDisplay(before);
  }
  return lines;
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
    for (const user of learn.users.classes) expect(loaded.recommend(user)).to.deep.equal(learn.recommend(user));
    expect(loaded.similarTracks('Song 5')).to.deep.equal(learn.similarTracks('Song 5'));
    expect(loaded.bias()).to.deep.equal(learn.bias());
    expect(loaded.trackFactorsPca(['Song 4', 'Song 5', 'Song 6'])).to.deep.equal(learn.trackFactorsPca(['Song 4', 'Song 5', 'Song 6']));
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
    expect([loaded.seed, loaded.epochsTrained, loaded.model.yRange]).to.deep.equal(['seven', 12, [-0.2, 1.2]]);
    expect(loaded.lossFunc).to.deep.equal(learn.lossFunc);
    expect(loaded.dls.target).to.deep.equal(learn.dls.target);
  });

  it('gives the same network: layers, batch norm and what it has gathered', async () => {
    const network = await trainNetwork(plays);
    const exported = network.export('network');
    const loaded = loadLearner(exported, { type: CollabNNLearner });
    expect(scoresOf(loaded).equals(scoresOf(network))).to.equal(true);
    expect(loaded.model.config).to.deep.equal(network.model.config);
    expect(loaded.model.buffers).to.deep.equal(network.model.buffers);
    expect(loadLearner(exported, { type: CollabRecommender })).to.be.instanceOf(CollabNNLearner);
    expect(() => loadLearner(exported)).to.throw(
      DataError,
      'it holds a CollabNNLearner, not a CollabLearner: loadLearner(file, { type: CollabNNLearner })',
    );
  });

  it('meets new listeners as before: foldIn needs no training rows', () => {
    const loaded = loadLearner(file);
    const history = ['Song 3', { track: 'Song 7', playcount: 4 }, 'track20'];
    expect(loaded.foldIn(history).recommend()).to.deep.equal(learn.foldIn(history).recommend());
    expect(loaded.foldIn(history).explain('Song 11')).to.deep.equal(learn.foldIn(history).explain('Song 11'));
    expect(() => loaded.explain('user03', 'Song 11')).to.throw(ArgumentError, 'these loaders have none');
  });

  it('keeps how the loaders drew negatives and weighed their rows', async () => {
    const dls = CollabDataLoaders.fromPlays(plays, { bs: 16, seed: 1, negatives: { n: 3, sampling: 'popularity', power: 0.5 } });
    const ranked = collabLearner(dls, { nFactors: 4, lossFunc: new BPRLoss(), path: folder.path });
    await ranked.fit(1, 0.01);
    const loaded = loadLearner(ranked.export('ranked'));
    expect(loaded.foldIn(['Song 3']).recommend()).to.deep.equal(ranked.foldIn(['Song 3']).recommend());
    expect(loaded.dls.negatives).to.deep.equal({ n: 3, sampling: 'popularity', power: 0.5 });
    expect(loaded.recommend('user01')).to.deep.equal(ranked.recommend('user01'));
    const rows = Array.from({ length: 40 }, (_, i) => ({ u: `u${i % 7}`, i: `i${i % 5}`, rating: i % 3, sure: 1 + (i % 2) }));
    const weighed = collabLearner(CollabDataLoaders.fromTable(rows, { bs: 8, weights: 'sure' }), { nFactors: 2, path: folder.path });
    expect(loadLearner(weighed.export('weighed')).dls.weighedBy).to.equal('sure');
  });

  it('writes the same file again from the loaded learner', () => {
    const again = loadLearner(file).export(path.join(folder.path, 'again'));
    expect(readFileSync(again).equals(readFileSync(file))).to.equal(true);
  });

  it('is made of loaders of a table too, with numbers as ids and without a catalogue', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ listener: (i * 7) % 11, song: `s${i % 9}`, stars: 1 + (i % 5) }));
    const dls = CollabDataLoaders.fromTable(rows, { bs: 8 });
    const table = collabLearner(dls, { nFactors: 3, path: folder.path });
    await table.fit(2, 0.1);
    const loaded = loadLearner(table.export('table'));
    expect(loaded.dls.names).to.deep.equal({ user: 'listener', item: 'song', rating: 'stars' });
    expect(loaded.dls.classes.user.classes).to.deep.equal(dls.classes.user.classes);
    expect(loaded.recommend(3, { filterSeen: false })).to.deep.equal(table.recommend(3, { filterSeen: false }));
    expect(loaded.catalogue).to.equal(undefined);
    const preds = await loaded.getPreds({ dl: loaded.dls.testDl([{ listener: 10, song: 's3' }]) });
    expect(preds.preds).to.deep.equal((await table.getPreds({ dl: dls.testDl([{ listener: 10, song: 's3' }]) })).preds);
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
    const fresh = collabLearner(loaders(plays), { nFactors: 6, yRange: [-0.2, 1.2], lossFunc: new BCEWithLogitsLossFlat() });
    expect(warnings(() => fresh.load(file))).to.have.length(1); // no state of an optimizer
    expect(warnings(() => fresh.load(file, { withOpt: false }))).to.have.length(0);
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
    expect(() => loadLearner(exported)).to.throw(DataError, "trained with Own, which is not one of the library's losses");
    const lossFunc = new Own();
    expect(loadLearner(exported, { lossFunc }).lossFunc).to.equal(lossFunc);
    expect(() => loadLearner(exported, { lossFunc: new MSELossFlat() })).to.throw(DataError, 'trained with Own, but lossFunc is a MSELossFlat');
  });

  it('finds the file with and without the extension, and refuses what is none', () => {
    expect(loadLearner(file.replace(/\.safetensors$/, '')).users.length).to.equal(20);
    const checkpoint = learn.save('checkpoint');
    expect(() => loadLearner(checkpoint)).to.throw(DataError, /checkpoint, written by learn.save\..*learn.export/);
    expect(() => loadLearner(path.join(folder.path, 'never'))).to.throw(DataError, 'There is no file');
    expect(() => learn.export('../up')).to.throw(ArgumentError, 'is not a name');
    learn.model.iBias.value[2] = Infinity;
    expect(() => learn.export()).to.throw(NumericError, 'iBias holds Infinity');
    learn.load(file, { withOpt: false });
  });

  it('does not export a learner of an unknown class', () => {
    class Special extends CollabLearner {}
    const dls = loaders(plays);
    const special = new Special(dls, collabLearner(dls, { nFactors: 2 }).model);
    expect(() => special.export(path.join(folder.path, 'special'))).to.throw(ArgumentError, 'Special is not known to export, which knows');
  });

  it('exports and loads a learner of your own, once it is registered', () => {
    class Own extends CollabLearner {
      override readonly name = 'Own';
      offset = 0;
      override prediction(score: number): number {
        return super.prediction(score) + this.offset;
      }
    }
    registerCollabKind<Own>({
      name: 'Own',
      type: Own,
      config: ({ model: { nFactors }, offset }) => ({ nFactors, offset }),
      parameterCount: (config, { user, item }) => (user.length + item.length) * (config.count('nFactors') + 1),
      make: (config, classes) => new EmbeddingDotBias(config.count('nFactors'), classes),
      learner: (dls, model, options, config) => Object.assign(new Own(dls, model, options), { offset: config.number('offset') }),
    });
    const dls = loaders(plays);
    const own = new Own(dls, collabLearner(dls, { nFactors: 2 }).model);
    own.offset = 5;
    const loaded = loadLearner(own.export(path.join(folder.path, 'own-kind')), { type: Own });
    expect(loaded).to.be.instanceOf(Own);
    expect(loaded.recommend('user03')).to.deep.equal(own.recommend('user03'));
    expect(loaded.recommend('user03').scores[0]).to.be.above(4);
  });

  interface Described {
    loaders: string;
    model: Record<string, unknown>;
    loss: Record<string, unknown>;
    target: Record<string, unknown>;
    bs: unknown;
    names: Record<string, unknown>;
    negatives?: unknown;
  }

  /** A file with changes. */
  function changed(change: (tensors: Map<string, Tensor>, config: Described) => void): () => CollabLearner {
    const { tensors, metadata } = readSafetensors(file);
    const copy = new Map(tensors);
    const config = JSON.parse(metadata.config) as Described;
    change(copy, config);
    const bad = path.join(folder.path, 'bad.safetensors');
    writeSafetensors(bad, copy, { metadata: { ...metadata, config: JSON.stringify(config) } });
    return () => loadLearner(bad);
  }

  it('refuses descriptions that make no sense, and takes no memory for models that the file does not hold', () => {
    const bad: [(config: Described, tensors: Map<string, Tensor>) => void, string][] = [
      [(c) => (c.model.name = 'constructor'), 'its model is "constructor"; known are EmbeddingNN, EmbeddingDotBias'],
      [(c) => (c.model.name = '__proto__'), 'its model is "__proto__"'],
      [(c) => (c.loaders = 'other'), 'loaders should be collab, got "other"'],
      [(c) => (c.model.nFactors = 1e9), 'it holds 364 weights, a EmbeddingDotBias such as it describes has 52000000052'],
      [(c) => (c.model.nFactors = 0), 'such as it describes has 52'],
      [(c) => (c.model.nFactors = '6'), 'nFactors should be a whole number'],
      [(c) => (c.model.yRange = [1, 0]), 'yRange'],
      [(c) => (c.model.prior = { strength: [1], liked: 1, weight: 1 }), 'strength should be 7 numbers'],
      [(c) => (c.model.prior = { strength: 'all', liked: 1, weight: 1 }), 'strength should be'],
      [(c) => (c.model.yRange = [1]), 'yRange should be 2 numbers'],
      [(c) => (c.loss = { name: 'BCEWithLogitsLossFlat', posWeight: -1 }), 'posWeight must be positive'],
      [(c) => (c.loss = { name: 'BCEWithLogitsLossFlat', run: 'me' }), 'unknown field "run"'],
      [(c) => (c.loss = { name: 'toString' }), "not one of the library's losses"],
      [(c) => (c.target.target = 'length'), 'target should be binary, log, rank, count'],
      [(c) => (c.bs = 0), 'bs = 0'],
      [(c) => (c.negatives = { n: 0 }), 'negatives.n should be 1 or more'],
      [(c) => (c.negatives = { sampling: 'all' }), "sampling should be 'uniform' or 'popularity'"],
      [(c) => (c.names.user = null), 'names.user should be text'],
      [(_, t) => t.delete('classes.item.offsets'), 'no tensor "classes.item.offsets"'],
      [(_, t) => t.delete('seen.indices'), 'no tensor "seen.indices"'],
      [(_, t) => (t.get('seen.indices')!.data[0] = 31), 'Row 1 has the number 31'],
      [(_, t) => (t.get('seen.indptr')!.data[1] = -1), 'Row 0 has less than no numbers'],
      [(_, t) => t.set('catalogue.year', { shape: [1], data: new Float64Array(1) }), 'catalogue.year'],
      [(_, t) => t.set('catalogue.artist.offsets', { shape: [1], data: new Uint32Array(1) }), 'catalogue.artist is damaged'],
      [(_, t) => t.set('catalogue.name.bytes', { shape: [0], data: new Uint8Array(0) }), 'catalogue.name is damaged'],
      [(_, t) => (t.get('model.uBias')!.data[4] = NaN), 'model.uBias" holds NaN'],
      [(_, t) => t.set('model.more', { shape: [1], data: new Float32Array(1) }), 'it holds 365 weights'],
    ];
    for (const [change, message] of bad)
      expect(
        changed((tensors, config) => void change(config, tensors)),
        message,
      ).to.throw(DataError, message);
  });

  it('refuses networks that make no sense', async () => {
    const { tensors, metadata } = readSafetensors((await trainNetwork(plays)).export('network'));
    const bad: [Record<string, unknown>, string][] = [
      [{ layers: [12] }, 'it holds'],
      [{ layers: [0, 1e15] }, 'it holds'],
      [{ layers: 12 }, 'layers should be a list of numbers'],
      [{ layers: [12.5, 5] }, 'layers should be whole numbers'],
      [{ embSzs: { user: 4 } }, 'embSzs.item should be a whole number'],
      [{ ps: [0.1] }, 'ps has 1 probabilities for 2 hidden layers'],
      [{ ps: [1, 0] }, 'probability of dropout must be'],
      [{ embedP: -1 }, 'probability of dropout must be'],
      [{ embedP: 0 }, 'unexpected: buffers.emb_drop.step'],
      [{ useBn: 'yes' }, 'useBn should be true or false'],
      [{ useBn: false }, 'it holds'],
      [{ yRange: [1, 1] }, 'yRange'],
    ];
    const file = path.join(folder.path, 'bad-network.safetensors');
    for (const [change, message] of bad) {
      const config = JSON.parse(metadata.config) as { model: Record<string, unknown> };
      Object.assign(config.model, change);
      writeSafetensors(file, tensors, { metadata: { ...metadata, config: JSON.stringify(config) } });
      expect(() => loadLearner(file, { type: CollabNNLearner }), message).to.throw(DataError, message);
    }
  });

  it('answers any change of a file with a DataError or a learner (fuzz)', () => {
    const good = readFileSync(file);
    const header = 8 + Number(good.readBigUInt64LE());
    const bad = path.join(folder.path, 'fuzz.safetensors');
    const change = fc.record({
      place: fc.oneof(fc.integer({ min: 8, max: header - 1 }), fc.integer({ min: header, max: good.length - 1 })),
      value: fc.constantFrom(...Buffer.from('0123456789"{}[]:,-eE.ntf\\'), 0, 0x7f, 0x80, 255),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const copy = Buffer.from(good);
        for (const { place, value } of changes) copy[place] = value;
        writeFileSync(bad, copy);
        try {
          const loaded = loadLearner(bad);
          loaded.recommend(loaded.users.id(0));
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
        }
      }),
      { numRuns: 400 },
    );
    for (let n = 0; n < good.length; n += 37) {
      writeFileSync(bad, good.subarray(0, n));
      expect(() => loadLearner(bad), `cut off after ${n} bytes`).to.throw(DataError);
    }
  });
});
