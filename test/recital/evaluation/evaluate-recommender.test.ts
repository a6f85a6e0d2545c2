import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { type PlayRecord, Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';
import {
  type ColdTracksEvaluation,
  coldTrackSplit,
  evaluateColdTracks,
  evaluateRecommender,
  hitsAmong,
} from '../../../lib/recital/evaluation/evaluate-recommender.js';
import { ndcgAtK, rankingMetrics, recallAtK } from '../../../lib/recital/evaluation/metrics.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { RandomRecommender } from '../../../lib/recital/recommend/baselines/random.js';
import { ContentRecommender } from '../../../lib/recital/recommend/content/content.js';
import { collabLearner } from '../../../lib/recital/recommend/learners/collab.js';
import { plantedPlays, withShuffledTracks } from '../recommend/content-support.js';

const plays = (rows: Record<string, string>): Plays =>
  Plays.fromRows(
    Object.entries(rows).flatMap(([user, tracks]) => [...tracks].map((track) => ({ user, track }))),
  );

// listeners: a 3, b 2, c 2, d 1, e 1
const train = plays({ u1: 'abc', u2: 'ab', u3: 'acd', u4: 'e' });

describe('evaluateRecommender', () => {
  it('is what can be worked out by hand', () => {
    // unseen, by popularity: u1 d e · u2 c d e · u3 b e · u4 a b c d
    const heldOut = plays({ u1: 'e', u2: 'dz', u3: 'a', u4: 'cb', u5: 'a' });
    const result = evaluateRecommender(new Popularity(train), heldOut, { k: 2 });
    expect(result).to.include({ recommender: 'Popularity', k: 2, users: 3, unknownUsers: 1 });
    // u1: {e}, in place 1 or 2, as d and e are tied · u2: {d, z}, d in place 2 or behind e, z
    // unknown · u3: a is known from training, so nothing is relevant · u4: {b, c}, one of which is
    // in place 2
    expect(result.precision).to.be.closeTo((0.5 + 0.25 + 0.5) / 3, 1e-12);
    expect(result.recall).to.be.closeTo((1 + 0.25 + 0.5) / 3, 1e-12);
    expect(result.hitRate).to.be.closeTo((1 + 0.5 + 1) / 3, 1e-12);
    expect(result.mrr).to.be.closeTo((0.75 + 0.25 + 0.5) / 3, 1e-12);
    expect(result.map).to.be.closeTo((0.75 + 0.25 / 2 + 0.5 / 2) / 3, 1e-12);
    expect(result.coverage).to.equal(1); // d e, c d, b e (u3 counts here), a b
  });

  it('equals the metrics of the lists that recommend gives', () => {
    const random = new Random(3);
    const rows: PlayRecord[] = [];
    for (let u = 0; u < 60; u++)
      for (let j = 0; j < 15; j++) rows.push({ user: `u${u}`, track: `t${random.int(40)}` });
    const all = Plays.fromRows(rows);
    const order = random.permutation(all.length);
    const [part, heldOut] = [all.take(order.slice(0, 400)), all.take(order.slice(400))];
    const recommender = new RandomRecommender(part);
    const users = recommender.users.classes.filter((user) => heldOut.compact().users.has(user));
    const relevant = users.map((user) =>
      heldOut
        .toTable()
        .rows()
        .filter((r) => r.user_id === user)
        .map((r) => String(r.track_id)),
    );
    const expected = rankingMetrics(
      users.map((user) => recommender.recommend(user, { n: 5 }).ids),
      relevant,
      { k: 5, catalogueSize: recommender.tracks.length },
    );
    const result = evaluateRecommender(recommender, heldOut, { k: 5 });
    for (const [name, value] of Object.entries(expected))
      expect(result[name as keyof typeof expected], name).to.be.closeTo(value, 1e-12);
  });

  it('evaluates the given users only', () => {
    const heldOut = plays({ u1: 'e', u2: 'd' });
    const popularity = new Popularity(train);
    expect(
      evaluateRecommender(popularity, heldOut, { k: 1, users: ['u1', 'u4', 'u1'] }),
    ).to.include({ users: 1, precision: 0.5, coverage: 2 / 5 }); // d or e
    expect(() => evaluateRecommender(popularity, heldOut, { users: ['u9'] })).to.throw(
      UnknownIdError,
      'Unknown user "u9"',
    );
  });

  it('makes rows of one table', () => {
    const heldOut = plays({ u1: 'e', u2: 'd' });
    const table = Table.fromRows(
      [new Popularity(train), new RandomRecommender(train)].map((r) =>
        evaluateRecommender(r, heldOut),
      ),
    );
    expect(table.strings('recommender')).to.deep.equal(['Popularity', 'Random']);
    expect(table.numbers('ndcg').length).to.equal(2);
  });

  it('refuses held-out plays that nobody can be measured by, and a wrong k', () => {
    const popularity = new Popularity(train);
    expect(() => evaluateRecommender(popularity, plays({ u9: 'a' }))).to.throw(
      ArgumentError,
      'nothing to measure',
    );
    expect(() => evaluateRecommender(popularity, train)).to.throw(
      ArgumentError,
      'nothing to measure',
    );
    expect(() => evaluateRecommender(popularity, train, { k: 0 })).to.throw(
      ArgumentError,
      'k must be a positive whole number',
    );
  });

  it('finds a learner that has seen two tastes better than popularity', async () => {
    // Users of two tastes come back to the tracks of their own and try the other's once. Of the
    // held-out tracks half are liked: whoever knows the taste has an NDCG of 1, whoever does not
    // one of a half.
    const random = new Random('tastes');
    const rows: PlayRecord[] = [];
    for (let u = 0; u < 60; u++) {
      const order = random.permutation(60);
      for (const t of order)
        rows.push({ user: `u${u}`, track: `t${t}`, playcount: t % 2 === u % 2 ? 5 : 1 });
    }
    const all = Plays.fromRows(rows);
    const dls = CollabDataLoaders.fromPlays(all, { validPct: 0.2, bs: 32 });
    const learn = collabLearner(dls, { nFactors: 8 });
    await learn.fitOneCycle(6, 0.03);
    const liked = all.take(dls.split.valid.filter((i) => all.playcount[i] === 5));
    const ours = evaluateRecommender(learn, liked, { k: 5 });
    const theirs = evaluateRecommender(new Popularity(all.take(dls.split.train)), liked, { k: 5 });
    expect(ours.users).to.equal(theirs.users);
    expect(ours.ndcg).to.be.above(0.9);
    expect(theirs.ndcg).to.be.below(0.7);
  });
});

describe('hitsAmong', () => {
  const heldOut = plays({ u2: 'dza', u4: 'cb' });

  it('counts the held-out tracks among n recommended ones, divided by n', () => {
    expect(hitsAmong(new Popularity(train), heldOut, { user: 'u2', n: 2 })).to.deep.equal({
      hits: 1,
      n: 2,
      accuracy: 0.5,
      relevant: 2,
      ids: ['d'],
    });
  });

  it('recommends 30 by default, and divides by 30 even if there are fewer', () => {
    expect(hitsAmong(new Popularity(train), heldOut, { user: 'u4' })).to.deep.equal({
      hits: 2,
      n: 30,
      accuracy: 2 / 30,
      relevant: 2,
      ids: ['b', 'c'],
    });
  });

  it('is 0 for a user without held-out plays and fails for an unknown one', () => {
    expect(hitsAmong(new Popularity(train), heldOut, { user: 'u1' })).to.include({
      hits: 0,
      relevant: 0,
    });
    expect(() => hitsAmong(new Popularity(train), heldOut, { user: 'u7' })).to.throw(
      UnknownIdError,
    );
  });
});

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
