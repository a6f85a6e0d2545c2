import { expect } from 'chai';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import { Plays } from '../../../../lib/recital/data/plays.js';
import { ArgumentError, NumericError, UnknownIdError } from '../../../../lib/recital/errors.js';
import { BCEWithLogitsLossFlat } from '../../../../lib/recital/nn/losses.js';
import {
  type CollabLearner,
  type CollabLearnerOptions,
  collabLearner,
} from '../../../../lib/recital/recommend/learners/collab.js';
import { recommenderContract, smallPlays } from '../contract.js';

/** Loaders that train on every play. */
function wholeLoaders(plays: Plays): CollabDataLoaders {
  return CollabDataLoaders.fromPlays(plays, {
    bs: 16,
    split: { train: Array.from({ length: plays.length }, (_, i) => i), valid: [] },
  });
}

async function train(plays: Plays, options: CollabLearnerOptions = {}): Promise<CollabLearner> {
  const learn = collabLearner(wholeLoaders(plays), {
    nFactors: 6,
    lossFunc: new BCEWithLogitsLossFlat(),
    ...options,
  });
  await learn.fitOneCycle(12, 0.03);
  return learn;
}

recommenderContract('CollabLearner', (plays) => train(plays), {
  checkerboard: 'graded',
  foldIn: true,
});
recommenderContract(
  'CollabLearner with a range',
  (plays) => train(plays, { yRange: [-0.1, 1.1], lossFunc: undefined, nFactors: 4 }),
  {
    checkerboard: 'graded',
    foldIn: true,
  },
);

describe('CollabLearner', () => {
  const plays = smallPlays();
  let learn: CollabLearner;
  before(async () => {
    learn = await train(plays);
  });

  it('reports the predictions of getPreds, a probability for a loss on logits', async () => {
    const { preds } = await learn.getPreds({ dsIdx: 0 });
    for (const i of [0, 17, 99]) {
      const user = plays.users.id(plays.user[i]);
      const track = plays.tracks.id(plays.track[i]);
      const [score] = learn.recommend(user, { n: 1, among: [track], filterSeen: false }).scores;
      expect(score).to.be.within(0, 1).and.closeTo(preds[i], 1e-6);
    }
  });

  it('reports predictions inside the range of the model', async () => {
    const ranged = await train(plays, { yRange: [2, 3], lossFunc: undefined });
    const { preds } = await ranged.getPreds({ dsIdx: 0 });
    const [score] = ranged.recommend(plays.users.id(plays.user[5]), {
      n: 1,
      among: [plays.tracks.id(plays.track[5])],
      filterSeen: false,
    }).scores;
    expect(score).to.be.within(2, 3).and.closeTo(preds[5], 1e-6);
  });

  it('scores by factors and biases', () => {
    const out = new Float32Array(2 * learn.tracks.length);
    learn.scores(Int32Array.of(3, 11), out);
    const { model } = learn;
    for (const [b, user] of ['user03', 'user11'].entries()) {
      const [u] = model.weight([user], { isItem: false });
      const [bias] = model.bias([user], { isItem: false });
      learn.tracks.classes.forEach((track, t) => {
        const [v] = model.weight([track]);
        const expected = u.reduce((sum, x, f) => sum + x * v[f], 0) + bias + model.bias([track])[0];
        expect(out[b * learn.tracks.length + t]).to.be.closeTo(expected, 1e-5);
      });
    }
  });

  it('does not recommend a track that occurs in validation only, nor know such a user', () => {
    const dls = CollabDataLoaders.fromPlays(
      Plays.fromRows([
        { user: 'u1', track: 'a', playcount: 3 },
        { user: 'u1', track: 'b' },
        { user: 'u2', track: 'a' },
        { user: 'u2', track: 'c', playcount: 5 },
        { user: 'u3', track: 'a' },
      ]),
      { bs: 1, split: { train: [0, 1, 2], valid: [3, 4] } },
    );
    const small = collabLearner(dls, { nFactors: 2 });
    expect(small.tracks.classes).to.deep.equal(['a', 'b']);
    expect(small.users.classes).to.deep.equal(['u1', 'u2']);
    expect(small.knows('u3')).to.equal(false);
    expect(small.knowsTrack('c')).to.equal(false);
    expect(small.recommend('u2').ids).to.deep.equal(['b']);
    expect(() => small.recommend('u3')).to.throw(UnknownIdError, 'plays in the training data');
  });

  it('lists tracks by bias, with their users', () => {
    const all = learn.bias();
    expect(all.columnNames).to.deep.equal(['track_id', 'title', 'artist', 'year', 'bias', 'users']);
    expect(all.length).to.equal(30);
    const bias = all.numbers('bias');
    for (let i = 1; i < 30; i++) expect(bias[i]).to.be.at.most(bias[i - 1]);
    for (const { track_id, bias: value, users } of all.rows()) {
      expect(value).to.equal(learn.model.bias([String(track_id)])[0]);
      const track = plays.tracks.indexOf(String(track_id));
      expect(users).to.equal(plays.track.filter((t) => t === track).length);
    }
    expect(learn.mostLiked(3).strings('track_id')).to.deep.equal(all.head(3).strings('track_id'));
    expect(learn.leastLiked(3).strings('track_id')).to.deep.equal(
      [29, 28, 27].map((i) => all.strings('track_id')[i]),
    );
    expect(learn.leastLiked(99).length).to.equal(30);
    expect(() => learn.leastLiked(0)).to.throw(ArgumentError, 'positive whole number');
  });

  it('looks up biases by title', () => {
    const two = learn.bias(['Song 4', 'track11']);
    expect([...two.strings('title')].sort()).to.deep.equal(['Song 11', 'Song 4']);
    expect(() => learn.bias(['Song 44'])).to.throw(UnknownIdError, 'did you mean "Song 4"?');
  });

  it('draws the factors of given tracks by their principal components', () => {
    const picture = learn.trackFactorsPca(['Song 4', 'track11', 'Song 20'], 3);
    expect(picture.columnNames).to.deep.equal([
      'track_id',
      'title',
      'artist',
      'year',
      'pc1',
      'pc2',
      'pc3',
    ]);
    expect(picture.strings('title')).to.deep.equal(['Song 4', 'Song 11', 'Song 20']);
    // all components of the centred factors keep the distances of the tracks
    const [a, b] = learn.model.weight(['track04', 'track11']);
    const distance = Math.hypot(...a.map((x, f) => x - b[f]));
    const drawn = Math.hypot(
      ...['pc1', 'pc2', 'pc3'].map((c) => picture.numbers(c)[0] - picture.numbers(c)[1]),
    );
    expect(drawn).to.be.closeTo(distance, 1e-6);
    expect(() => learn.trackFactorsPca(['Song 4'])).to.throw(ArgumentError, 'at least 2 rows');
    expect(() => learn.trackFactorsPca(['Song 4', 'Song 5'], 7)).to.throw(
      ArgumentError,
      'from 1 to 6',
    );
  });

  it('hands out copies of its factors', () => {
    const { values, width } = learn.trackVectors();
    expect(width).to.equal(6);
    expect(values.subarray(0, 6)).to.deep.equal(learn.model.weight(['track00'])[0]);
    values.fill(7);
    expect(learn.model.weight(['track00'])[0][0]).to.not.equal(7);
  });

  it('fails to rank when weights are NaN, and says whose', () => {
    const bad = collabLearner(wholeLoaders(plays), { nFactors: 2 });
    bad.model.iBias.value[7] = NaN; // row 7: track 6
    expect(() => bad.recommend('user01', { filterSeen: false })).to.throw(
      NumericError,
      /EmbeddingDotBias, user "user01": the score of track "track06" is NaN/,
    );
  });

  it('starts from other weights with another seed, and from the same with the same', () => {
    const start = (seed: number): Float32Array =>
      collabLearner(wholeLoaders(plays), { nFactors: 2, seed }).trackVectors().values;
    expect(start(1)).to.deep.equal(start(1));
    expect(start(1)).to.not.deep.equal(start(2));
  });

  it('has 50 factors by default, and refuses none', () => {
    expect(collabLearner(wholeLoaders(plays)).model.nFactors).to.equal(50);
    expect(() => collabLearner(wholeLoaders(plays), { nFactors: 0 })).to.throw(
      ArgumentError,
      'nFactors must be a positive whole number',
    );
  });
});
