import { expect } from 'chai';
import { Plays } from '../../../lib/recital/data/plays.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import {
  type ColdTracksEvaluation,
  coldTrackSplit,
  evaluateColdTracks,
} from '../../../lib/recital/evaluation/cold-tracks.js';
import { ndcgAtK, recallAtK } from '../../../lib/recital/evaluation/metrics.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { ContentRecommender } from '../../../lib/recital/recommend/content/content.js';
import { plantedPlays, withShuffledTracks } from '../recommend/content-support.js';

const planted = plantedPlays();

async function measured(plays: Plays, seed: number): Promise<ColdTracksEvaluation> {
  const { train, valid } = coldTrackSplit(plays, { seed });
  return evaluateColdTracks(
    await ContentRecommender.fit(plays.take(train), plays.catalogue!),
    plays.take(valid),
  );
}

describe('coldTrackSplit', () => {
  it('hides all plays of a tenth of the tracks, the same for the same seed', () => {
    const { train, valid } = coldTrackSplit(planted);
    const tracksOf = (rows: Int32Array): Set<number> =>
      new Set(Array.from(rows, (i) => planted.track[i]));
    expect(tracksOf(valid).size).to.equal(Math.trunc(0.1 * planted.tracks.length));
    expect([...tracksOf(valid)].some((t) => tracksOf(train).has(t))).to.equal(false);
    expect(Int32Array.of(...train, ...valid).sort()).to.deep.equal(
      Int32Array.from(planted.track.keys()),
    );
    expect(coldTrackSplit(planted, { seed: 42 }).valid).to.deep.equal(valid);
    expect(coldTrackSplit(planted, { seed: 43 }).valid).to.not.deep.equal(valid);
    expect(tracksOf(coldTrackSplit(planted, { trackPct: 0.5 }).valid).size).to.equal(
      planted.tracks.length / 2,
    );
  });

  it('counts tracks that are played only', () => {
    const few = planted.take([0, 1, 2, 3]);
    expect(coldTrackSplit(few, { trackPct: 0.5 }).valid).to.have.length(2);
  });

  it('refuses what leaves a part empty', () => {
    for (const trackPct of [0, 1, NaN])
      expect(() => coldTrackSplit(planted, { trackPct })).to.throw(
        ArgumentError,
        'trackPct must be between 0 and 1',
      );
    expect(() => coldTrackSplit(planted, { trackPct: 0.001 })).to.throw(
      ArgumentError,
      'leaves 0 to hide and 240 to train on',
    );
    expect(() => coldTrackSplit(Plays.fromRows([]))).to.throw(ArgumentError, 'leaves 0 to hide');
    expect(() => coldTrackSplit(planted, { pct: 0.1 } as never)).to.throw(
      ArgumentError,
      'has no option "pct"',
    );
    expect(() => coldTrackSplit(planted.catalogue as never)).to.throw(
      ArgumentError,
      'coldTrackSplit needs plays',
    );
  });
});

describe('evaluateColdTracks', () => {
  it('finds what is planted, and nothing where the tracks are shuffled', async () => {
    const shuffled = withShuffledTracks(planted, 1);
    let chance = 0;
    let found = 0;
    for (let seed = 0; seed < 5; seed++) {
      const { recall, tracks, users } = await measured(planted, seed);
      expect(tracks).to.equal(24);
      expect(users).to.be.greaterThan(70);
      expect(recall, `seed ${seed}`).to.be.greaterThan(0.65);
      found += recall / 5;
      chance += (await measured(shuffled, seed)).recall / 5;
    }
    expect(found).to.be.greaterThan(0.75);
    expect(chance).to.be.within(10 / 24 - 0.07, 10 / 24 + 0.07); // 10 of 24 at random
  });

  it('ranks the hidden tracks alone, by the same metrics as everywhere', async () => {
    const { train, valid } = coldTrackSplit(planted, { seed: 7 });
    const content = await ContentRecommender.fit(planted.take(train), planted.catalogue!);
    const heldOut = planted.take(valid).compact();
    const result = evaluateColdTracks(content, heldOut, { k: 5 });
    const sums = { ndcg: 0, recall: 0 };
    const recommended = new Set<string>();
    heldOut.users.classes.forEach((user, u) => {
      const right = Array.from(
        heldOut.track.filter((_, i) => heldOut.user[i] === u),
        (t) => heldOut.tracks.id(t),
      );
      const { ids } = content.recommend(user, { n: 5, among: heldOut.tracks.classes });
      for (const id of ids) recommended.add(id);
      sums.ndcg += ndcgAtK(ids, right, { k: 5 }) / heldOut.users.length;
      sums.recall += recallAtK(ids, right, { k: 5 }) / heldOut.users.length;
    });
    expect(result).to.include({
      recommender: 'Content',
      k: 5,
      tracks: 24,
      users: heldOut.users.length,
      unknownUsers: 0,
    });
    expect(result.ndcg).to.be.closeTo(sums.ndcg, 1e-12);
    expect(result.recall).to.be.closeTo(sums.recall, 1e-12);
    expect(result.coverage).to.equal(recommended.size / 24);
  });

  it('counts users that are not known, and tracks that cannot be scored as missed', async () => {
    const { train, valid } = coldTrackSplit(planted, { seed: 7 });
    const content = await ContentRecommender.fit(planted.take(train), planted.catalogue!);
    const heldOut = Plays.fromRows([
      { user: 'nobody', track: planted.tracks.id(planted.track[valid[0]]) },
      { user: planted.users.id(0), track: planted.tracks.id(planted.track[valid[0]]) },
      { user: planted.users.id(0), track: 'elsewhere' },
    ]);
    expect(evaluateColdTracks(content, heldOut)).to.include({
      users: 1,
      unknownUsers: 1,
      tracks: 2,
      recall: 0.5,
      coverage: 0.5,
    });
  });

  it('refuses recommenders that cannot score such tracks, unknown users, and wrong arguments', async () => {
    const { train, valid } = coldTrackSplit(planted);
    const heldOut = planted.take(valid);
    expect(() => evaluateColdTracks(new Popularity(planted.take(train)), heldOut)).to.throw(
      ArgumentError,
      'Popularity has none of the 24 hidden tracks',
    );
    const content = await ContentRecommender.fit(planted.take(train), planted.catalogue!);
    const others = Plays.fromRows([{ user: 'nobody', track: heldOut.tracks.id(heldOut.track[0]) }]);
    expect(() => evaluateColdTracks(content, others)).to.throw(
      ArgumentError,
      'knows none of the 1 users',
    );
    expect(() => evaluateColdTracks(content, heldOut, { k: 0 })).to.throw(
      ArgumentError,
      'k must be a positive whole number',
    );
    expect(() => evaluateColdTracks(content, heldOut, { n: 3 } as never)).to.throw(
      ArgumentError,
      'has no option "n"',
    );
    expect(() => evaluateColdTracks(content, [] as never)).to.throw(
      ArgumentError,
      'evaluateColdTracks needs plays',
    );
  });
});
