import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { readPlays } from '../../../../lib/recital/data/files/read-plays.js';
import { setDisplay } from '../../../../lib/recital/data/output.js';
import { Plays } from '../../../../lib/recital/data/plays.js';
import { Table } from '../../../../lib/recital/data/table.js';
import { Tracks } from '../../../../lib/recital/data/tracks.js';
import { StandardScaler } from '../../../../lib/recital/decomposition/standard-scaler.js';
import { ArgumentError, UnknownIdError } from '../../../../lib/recital/errors.js';
import {
  coldTrackSplit,
  evaluateColdTracks,
} from '../../../../lib/recital/evaluation/evaluate-recommender.js';
import { loadRecommender } from '../../../../lib/recital/files/load.js';
import {
  ContentRecommender,
  type ContentRecommenderOptions,
} from '../../../../lib/recital/recommend/content/content.js';

import { Interactions } from '../../../../lib/recital/recommend/interactions.js';
import type { Recommender } from '../../../../lib/recital/recommend/recommender.js';
import { plantedPlays, withSound } from '../content-support.js';
import { recommenderContract } from '../contract.js';
import { scoreBytes } from '../contract-support.js';

const make =
  (options: ContentRecommenderOptions) =>
  (plays: Plays): Promise<ContentRecommender> => {
    const heard = withSound(plays);
    return ContentRecommender.fit(heard, heard.catalogue!, options);
  };

/** Scores of one user. */
function scoresOf(recommender: Recommender, user: string): Float32Array {
  const out = new Float32Array(recommender.tracks.length);
  recommender.scores(Int32Array.of(recommender.users.index(user)), out);
  return out;
}

const cosine = (a: readonly number[], b: readonly number[]): number => {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, v, j) => sum + v * y[j], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

/**
 * Six tracks: a, b and c are played; d sounds like a, e like c; of c2 nothing is known, of none
 * neither.
 */
const tracks = new Tracks(
  new Table({
    track_id: ['a', 'b', 'c', 'c2', 'd', 'e', 'none'],
    name: ['Song A', 'Song B', 'Song C', 'Song C2', 'Song D', 'Song E', 'Song None'],
    energy: [0.9, 0.7, 0.1, null, 0.88, 0.12, null],
    tempo: [150, 120, 70, null, 152, 68, null],
    valence: [0.5, null, 0.4, null, 0.5, 0.3, null],
  }),
);
const plays = Plays.fromRows(
  [
    { user: 'fast', track: 'a', playcount: 9 },
    { user: 'fast', track: 'b' },
    { user: 'slow', track: 'c', playcount: 2 },
    { user: 'both', track: 'a' },
    { user: 'both', track: 'c', playcount: 8 },
    { user: 'blind', track: 'c2' },
  ],
  { catalogue: tracks },
);

describe('ContentRecommender', () => {
  recommenderContract('ContentRecommender', make({}), { foldIn: true });
  recommenderContract('ContentRecommender, counts', make({ value: 'count', nComponents: 3 }), {
    foldIn: true,
  });

  for (const value of ['log', 'count', 'binary'] as const) {
    it(`scores by the cosine of the features where no component is left out: ${value}`, async () => {
      const heard = plantedPlays();
      const catalogue = heard.catalogue!;
      const scaled = new StandardScaler().fitTransform(
        catalogue.table.select(catalogue.audioFeatures),
      ).data;
      const row = (id: string): number[] => [
        ...scaled.subarray(3 * catalogue.ids.index(id), 3 * catalogue.ids.index(id) + 3),
      ];
      const user = heard.users.id(5);
      const own = Array.from(heard.user.keys()).filter((i) => heard.user[i] === 5);
      const worth = own.map(
        (i) =>
          ({ log: Math.log1p(heard.playcount[i]), count: heard.playcount[i], binary: 1 })[value],
      );
      const rows = own.map((i) => row(heard.tracks.id(heard.track[i])));
      const profile = [0, 1, 2].map((j) => rows.reduce((sum, r, i) => sum + worth[i] * r[j], 0));
      const byProfile = await ContentRecommender.fit(heard, catalogue, { nComponents: 3, value });
      const scores = scoresOf(byProfile, user);
      byProfile.tracks.classes.forEach((id, t) => {
        expect(scores[t]).to.be.closeTo(cosine(profile, row(id)), 2e-6);
      });
    });
  }

  it('recommends tracks that nobody has played, to users and to new listeners', async () => {
    const content = await ContentRecommender.fit(plays, tracks, { nComponents: 2 });
    expect(content.tracks.classes).to.deep.equal(['a', 'b', 'c', 'c2', 'd', 'e']); // of "none" neither a play nor a feature is known
    expect(content.recommend('fast', { n: 1 }).ids).to.deep.equal(['d']);
    expect(content.recommend('slow', { n: 1 }).ids).to.deep.equal(['e']);
    expect(content.foldIn(['Song D']).recommend({ n: 2 }).ids).to.deep.equal(['a', 'b']);
    expect(content.similarTracks('Song E', { n: 1 }).ids).to.deep.equal(['c']);
    expect(content.knowsTrack('d')).to.equal(true);
    expect(
      [...content.seen.row(content.users.index('both'))].map((t) => content.tracks.id(t)),
    ).to.deep.equal(['a', 'c']);
  });

  it('takes interactions as well as plays', async () => {
    const [a, b] = [
      await ContentRecommender.fit(plays, tracks),
      await ContentRecommender.fit(Interactions.fromPlays(plays), tracks),
    ];
    expect(scoreBytes(a).equals(scoreBytes(b))).to.equal(true);
  });

  it('works without any plays: similar tracks, and listeners who are folded in', async () => {
    const content = await ContentRecommender.fit(Plays.fromRows([]), tracks, { nComponents: 3 });
    expect(content.users.length).to.equal(0);
    expect(content.tracks.classes).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    expect(content.similarTracks('a', { n: 1 }).ids).to.deep.equal(['d']);
    expect(content.foldIn(['c', { track: 'a', playcount: 1 }]).recommend().length).to.equal(3);
    expect(() => content.foldIn(['none'])).to.throw(UnknownIdError, 'nobody plays it');
  });

  it('weighs tracks by what their plays are worth', async () => {
    const mixed = Plays.fromRows([
      { user: 'rather fast', track: 'a', playcount: 8 },
      { user: 'rather fast', track: 'c' },
      { user: 'rather slow', track: 'a' },
      { user: 'rather slow', track: 'c', playcount: 8 },
    ]);
    for (const value of ['log', 'count'] as const) {
      const content = await ContentRecommender.fit(mixed, tracks, { value, nComponents: 3 });
      expect(content.recommend('rather fast', { n: 1 }).ids).to.deep.equal(['d']);
      expect(content.recommend('rather slow', { n: 1 }).ids).to.deep.equal(['e']);
    }
    const content = await ContentRecommender.fit(mixed, tracks, { value: 'binary' });
    expect(scoresOf(content, 'rather fast')).to.deep.equal(scoresOf(content, 'rather slow'));
  });

  it('gives a track without features the score 0, and nothing that is like it', async () => {
    const content = await ContentRecommender.fit(plays, tracks);
    for (const user of ['fast', 'slow', 'both'])
      expect(scoresOf(content, user)[content.tracks.index('c2')]).to.equal(0);
    expect(() => content.similarTracks('Song C2')).to.throw(
      ArgumentError,
      'Nothing is known of the features of "Song C2"',
    );
  });

  it('takes a user without any known features for the average listener', async () => {
    {
      const content = await ContentRecommender.fit(plays, tracks, { nComponents: 3 });
      expect(['fast', 'blind', 'nobody'].map((user) => content.knows(user))).to.deep.equal([
        true,
        false,
        false,
      ]);
      const scores = scoresOf(content, 'blind');
      const profiles = await ContentRecommender.fit(plays, tracks, { nComponents: 3 });
      const { values, width } = profiles.trackVectors();
      const vector = (id: string): number[] => [
        ...values.subarray(
          content.tracks.index(id) * width,
          (content.tracks.index(id) + 1) * width,
        ),
      ];
      const mean = (parts: [string, number][]): number[] =>
        vector('a').map(
          (_, j) =>
            parts.reduce((sum, [id, n]) => sum + Math.log1p(n) * vector(id)[j], 0) /
            parts.reduce((sum, [, n]) => sum + Math.log1p(n), 0),
        );
      const users: [string, number][][] = [
        [
          ['a', 9],
          ['b', 1],
        ],
        [['c', 2]],
        [
          ['a', 1],
          ['c', 8],
        ],
      ];
      const average = vector('a').map((_, j) =>
        users.reduce((sum, parts) => sum + mean(parts)[j], 0),
      );
      for (const id of ['a', 'b', 'c', 'd', 'e'])
        expect(scores[content.tracks.index(id)]).to.be.closeTo(cosine(average, vector(id)), 2e-6);
      const { remainder, total } = content.explain('blind', 'd');
      expect(remainder).to.equal(total).and.to.be.closeTo(scores[content.tracks.index('d')], 1e-6);
    }
  });

  it('says so when the average user stands for one who is folded in', async () => {
    const content = await ContentRecommender.fit(plays, tracks);
    const said: string[] = [];
    const before = setDisplay({
      table() {},
      chart() {},
      text() {},
      warn: (line) => void said.push(line),
    });
    try {
      expect(content.foldIn(['c2']).scores).to.deep.equal(scoresOf(content, 'blind'));
    } finally {
      setDisplay(before);
    }
    expect(said).to.deep.equal([
      'Nothing is known of the features of the 1 tracks of the history: the average user stands for this one.',
    ]);
    const unheard = await ContentRecommender.fit(
      Plays.fromRows([{ user: 'u', track: 'c2' }]),
      tracks,
    );
    expect(() => unheard.foldIn(['c2'])).to.throw(ArgumentError, 'Name a track that has features');
  });

  const explained: ContentRecommenderOptions[] = [{}, { value: 'count' }];
  for (const options of explained) {
    it(`explains a score by the user's tracks, ${JSON.stringify(options)}`, async () => {
      const heard = plantedPlays();
      const content = await ContentRecommender.fit(heard, heard.catalogue!, options);
      const user = heard.users.id(3);
      const [best] = content.recommend(user, { n: 1 }).ids;
      const explanation = content.explain(user, best);
      expect(explanation.total).to.be.closeTo(
        scoresOf(content, user)[content.tracks.index(best)],
        2e-6,
      );
      expect(explanation.columnNames).to.deep.equal([
        'track_id',
        'playcount',
        'similarity',
        'contribution',
      ]);
      const { ids, scores } = content.similarTracks(best, {
        n: 1,
        among: explanation.strings('track_id') as string[],
      });
      const similarity = explanation.numbers('similarity');
      const at = similarity.indexOf(Math.max(...similarity));
      expect(explanation.strings('track_id')[at]).to.equal(ids[0]); // the nearest of the user's tracks
      expect(similarity[at]).to.be.closeTo(scores[0], 2e-6);
    });
  }

  it('finds on the sample what chance does not (NDCG@10 among 300 hidden tracks, chance .016)', async () => {
    const sample = await readPlays(path.resolve(__dirname, '../../../../data/sample'));
    const { train, valid } = coldTrackSplit(sample, { seed: 0 });
    const measure = async (options: ContentRecommenderOptions): Promise<number> =>
      evaluateColdTracks(
        await ContentRecommender.fit(sample.take(train), sample.catalogue!, options),
        sample.take(valid),
      ).ndcg;
    const audio = await measure({});
    expect(audio).to.be.greaterThan(0.035);
    expect(await measure({ tags: true })).to.be.greaterThan(3 * audio);
  });

  it('keeps what it is made of: features, components and their share', async () => {
    const content = await ContentRecommender.fit(plays, tracks, { nComponents: 2 });
    expect(content.state.features).to.deep.equal(['energy', 'valence', 'tempo']);
    expect(content.state.components.shape).to.deep.equal([2, 3]);
    expect(inspect(content)).to.match(
      /^Content: 6 tracks by 2 components of 3 features \(9\d\.\d % of the variance\), 4 users$/,
    );
    expect(content.name).to.equal('Content');
  });

  it('comes back from a file with the tracks that nobody has played', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'recital-'));
    try {
      const content = await ContentRecommender.fit(plays, tracks, { nComponents: 2 });
      const loaded = loadRecommender(content.export(path.join(dir, 'content')), {
        type: ContentRecommender,
      });
      expect(loaded.tracks.classes).to.deep.equal(content.tracks.classes);
      expect(loaded.recommend('fast').toString()).to.equal(content.recommend('fast').toString());
      expect(loaded.knows('blind')).to.equal(false);
      expect(inspect(loaded)).to.equal(inspect(content));
      expect(loaded.explain('both', 'd').toString()).to.equal(
        content.explain('both', 'd').toString(),
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('refuses arguments that make no sense', async () => {
    const refused = async (run: () => Promise<unknown>, message: string): Promise<void> => {
      await run().then(
        () => expect.fail('should not fit'),
        (e) =>
          expect(e).to.be.instanceOf(ArgumentError).with.property('message').that.includes(message),
      );
    };
    await refused(
      () => ContentRecommender.fit(plays, undefined as never),
      'The catalogue was expected, such as readTracks reads',
    );
    await refused(() => ContentRecommender.fit(tracks as never, tracks), 'Plays were expected');
    await refused(
      () => ContentRecommender.fit(plays, tracks, { weight: 'log' } as never),
      'ContentRecommender.fit has no option "weight"',
    );
    await refused(
      () => ContentRecommender.fit(plays, tracks, { value: 'plays' as never }),
      "value must be 'count', 'binary' or 'log'",
    );
    await refused(
      () => ContentRecommender.fit(plays, tracks, { nComponents: 4 }),
      'at most 3 components',
    );
    await refused(
      () => ContentRecommender.fit(plays, tracks, { nComponents: 0 }),
      'nComponents must be a whole number',
    );
    const { state } = await ContentRecommender.fit(plays, tracks);
    expect(() => new ContentRecommender(Interactions.fromPlays(plays), state)).to.throw(
      ArgumentError,
      'they belong to others',
    );
  });
});
