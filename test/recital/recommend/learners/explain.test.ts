import { expect } from 'chai';
import { CollabDataLoaders, type CollabPlaysOptions } from '../../../../lib/recital/data/collab.js';
import { type PlayRecord, Plays } from '../../../../lib/recital/data/plays.js';
import { Table } from '../../../../lib/recital/data/table.js';
import { UnknownIdError } from '../../../../lib/recital/errors.js';
import { BCEWithLogitsLossFlat, BPRLoss } from '../../../../lib/recital/nn/losses.js';
import type { Explanation } from '../../../../lib/recital/recommend/explanation.js';
import {
  type CollabLearner,
  type CollabLearnerOptions,
  collabLearner,
} from '../../../../lib/recital/recommend/learners/collab.js';
import { fitUser } from '../../../../lib/recital/recommend/learners/collab-fold-in.js';
import { smallPlays } from '../contract.js';

async function train(
  plays: Plays,
  loader: CollabPlaysOptions = {},
  options: CollabLearnerOptions = {},
  epochs = 12,
): Promise<CollabLearner> {
  const dls = CollabDataLoaders.fromPlays(plays, {
    bs: 16,
    split: { train: [...plays.user.keys()], valid: [] },
    ...loader,
  });
  const learn = collabLearner(dls, { nFactors: 6, ...options });
  await learn.fitOneCycle(epochs, 0.03, { wd: 0.1 });
  return learn;
}

const contributions = (explanation: Explanation): number =>
  explanation.numbers('contribution').reduce((a, b) => a + b, 0);

const kinds: [string, CollabPlaysOptions, CollabLearnerOptions][] = [
  ['MSELossFlat', { target: 'log' }, {}],
  ['a range', { target: 'rank' }, { yRange: [-0.1, 1.1] }],
  ['BCEWithLogitsLossFlat', {}, { lossFunc: new BCEWithLogitsLossFlat() }],
  ['weights', { target: 'log', weights: 'playcount' }, {}],
  ['negatives', { negatives: { n: 2 } }, { lossFunc: new BCEWithLogitsLossFlat() }],
  ['BPRLoss', { negatives: { n: 1 } }, { lossFunc: new BPRLoss() }],
];

describe('CollabLearner.explain', () => {
  const plays = smallPlays();

  for (const [name, loader, options] of kinds) {
    it(`adds up to the user's score exactly: ${name}`, async () => {
      const learn = await train(plays, loader, options);
      const scores = new Float32Array(learn.tracks.length);
      for (const user of ['user00', 'user07', 'user19']) {
        const u = learn.users.indexOf(user);
        learn.scores(Int32Array.of(u), scores);
        for (const track of [0, 8, 29]) {
          const explanation = learn.explain(user, learn.tracks.id(track));
          const { trackBias, userBias, unplayed, remainder, total } = explanation;
          expect(
            trackBias + userBias + contributions(explanation) + unplayed + remainder,
          ).to.be.closeTo(total, 1e-12);
          expect(total).to.be.closeTo(scores[track], 1e-5);
          expect(trackBias).to.equal(learn.model.bias([learn.tracks.id(track)])[0]);
          expect(userBias).to.equal(learn.model.bias([user], { isItem: false })[0]);
          if (name !== 'negatives') expect(unplayed).to.equal(0);
          expect([...explanation.strings('track_id')].sort()).to.deep.equal(
            learn.tracks.decode(learn.seen.row(u)),
          );
        }
      }
    });

    it(`leaves nothing over for a listener who was folded in: ${name}`, async () => {
      const folded = (await train(plays, loader, options)).foldIn([
        'track03',
        { track: 'Song 20', playcount: 1 },
        { track: 'track11', playcount: 4 },
      ]);
      for (const track of [5, 20]) {
        const explanation = folded.explain(`Song ${track}`);
        expect(explanation.remainder).to.equal(0);
        expect(explanation.total).to.be.closeTo(folded.scores[track], 1e-5);
        expect(explanation.userBias).to.equal(folded.bias);
      }
    });
  }

  it('says by how much the score would be less if a play had told nothing new', async () => {
    const learn = await train(plays, { target: 'log' });
    const u = learn.users.indexOf('user04');
    const track = learn.seen.row(u).slice();
    const targets = new Map<number, number>();
    const { data } = learn.dls.train;
    for (let i = 0; i < data.user.length; i++)
      if (data.user[i] === u + 1) targets.set(data.item[i] - 1, data.target[i]);
    const target = Array.from(track, (t) => targets.get(t)!);
    const [v] = learn.model.weight(['track08']);
    const taste = (y: readonly number[]): number => {
      const played = y.map((each, i) => ({ track: track[i], target: each, weight: 1 }));
      return fitUser(learn, played).theta.reduce((s, x, j) => s + x * (v[j] ?? 0), 0);
    };
    const explanation = learn.explain('user04', 'track08');
    explanation.strings('track_id').forEach((id, r) => {
      const i = track.indexOf(learn.tracks.indexOf(id as string));
      const without = target.slice();
      without[i] = learn.model.bias([id as string])[0];
      expect(taste(target) - taste(without)).to.be.closeTo(
        explanation.numbers('contribution')[r],
        1e-6,
      );
    });
  });

  it('finds that even tracks speak for even tracks and against odd ones, where that is the taste', async () => {
    const rows: PlayRecord[] = [];
    for (let u = 0; u < 24; u++) {
      for (let t = 0; t < 24; t++) {
        if ((5 * u + 3 * t) % 7 === 0) continue;
        if (u % 2 === t % 2) rows.push({ user: `u${u}`, track: `t${t}`, playcount: 5 });
        else if ((u + t) % 3 === 0) rows.push({ user: `u${u}`, track: `t${t}`, playcount: 1 });
      }
    }
    const learn = await train(Plays.fromRows(rows), {}, { lossFunc: new BCEWithLogitsLossFlat() });
    for (let u = 0; u < 24; u++) {
      const [best] = learn.recommend(`u${u}`, { n: 1 }).ids;
      const explanation = learn.explain(`u${u}`, best);
      const speaks = explanation.numbers('contribution');
      expect([...speaks]).to.deep.equal([...speaks].sort((a, b) => b - a));
      const liked = speaks.filter((_, r) => explanation.numbers('rating')[r] === 1);
      expect(liked.filter((c) => c > 0).length).to.be.above(0.8 * liked.length);
      // To a track of the other kind, what the user likes says the opposite.
      const other = learn.explain(`u${u}`, learn.recommend(`u${u}`, { n: 24 }).ids.slice(-1)[0]);
      const against = other
        .numbers('contribution')
        .filter((_, r) => other.numbers('rating')[r] === 1);
      expect(against.filter((c) => c < 0).length).to.be.above(0.8 * against.length);
    }
  });

  it('is a table with titles and ratings, and prints its sum', async () => {
    const learn = await train(plays, { target: 'log' });
    const explanation = learn.explain('user02', 'Song 10');
    expect(explanation).to.be.instanceOf(Table);
    expect(explanation.name).to.equal('Song 10 by Artist 3');
    expect(explanation.columnNames).to.deep.equal([
      'track_id',
      'title',
      'artist',
      'year',
      'rating',
      'contribution',
    ]);
    const row = explanation.row(0);
    const { data } = learn.dls.train;
    const at = [...data.user.keys()].find(
      (i) => data.user[i] === 3 && learn.dls.classes.item.id(data.item[i]) === row.track_id,
    )!;
    expect(row.rating).to.equal(data.target[at]);
    expect(explanation.toString()).to.match(
      /\nSong 10 by Artist 3: the track's bias -?\d+\.\d{4} \+ the user's bias .* \+ their tracks .* \+ remainder -?\d+\.\d{4} = -?\d+\.\d{4}$/,
    );
    expect(explanation.head(2)).to.have.length(2);
  });

  it('refuses unknown users and tracks', async () => {
    const learn = await train(plays);
    expect(() => learn.explain('user77', 'Song 4')).to.throw(
      UnknownIdError,
      'foldIn(history) recommends from a history',
    );
    expect(() => learn.explain('user07', 'Sonk 4')).to.throw(
      UnknownIdError,
      'did you mean "Song 4"?',
    );
    expect(() => learn.foldIn(['track01']).explain('Song 31')).to.throw(
      UnknownIdError,
      'nobody plays it',
    );
  });
});
