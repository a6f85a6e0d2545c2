import { expect } from 'chai';
import { COLUMNS, GENRES, TAGS } from '../../lib/synthetic/calibration.js';
import { type Generated, generate, SIZES } from '../../lib/synthetic/kaggle.js';
import { shareAtLeast } from '../../lib/synthetic/listening/playcounts.js';
import {
  intraclass,
  mean,
  pcaRatios,
  pearson,
  quantileOf,
  shareOf,
  spearman,
  std,
} from './statistics.js';

type Column = (typeof COLUMNS)[number];

const MEDIUM = {
  users: 60_000,
  plays: 605_400,
  catalogue: 20_000,
  playable: 12_000,
  heard: 11_500,
};

/**
 * Real figures, and how far from them a dataset of each size may be (relative unless the real
 * figure is 0).
 */
const near = (ours: number, real: number, tolerance: number, what: string): void => {
  expect(Math.abs(ours - real), `${what}: ${ours}, really ${real}`).to.be.at.most(
    tolerance * Math.abs(real),
  );
};

for (const [name, size, slack] of [
  ['the sample', SIZES.sample, 2],
  ['a medium size', MEDIUM, 1],
] as const) {
  describe(`generate: statistics of ${name} are those of the real data`, () => {
    let data: Generated;
    let count: Float64Array;
    before(() => {
      data = generate(size, 1);
      count = new Float64Array(size.catalogue);
      for (const t of data.track) count[t]++;
    });

    it('plays per user', () => {
      const n = Array.from({ length: size.users }, (_, u) => data.start[u + 1] - data.start[u]);
      expect(quantileOf(n, 0.5)).to.equal(5);
      near(mean(n), 10.09, 0.05, 'mean');
      near(std(n), 14.56, 0.06, 'standard deviation');
      near(quantileOf(n, 0.9), 24, 0.06, '90th percentile');
      near(quantileOf(n, 0.99), 71, 0.06, '99th percentile');
      expect(Math.min(...n)).to.equal(1);
    });

    it('users per track, scaled to the size', () => {
      expect(count.filter((c) => c > 0).length).to.equal(size.heard);
      const playable = count.filter((_, t) => data.catalogue.users[t] > 0);
      expect(playable.length).to.equal(size.playable);
      // quantiles of the 30,459 real tracks, as shares of the mean
      const mean_ = mean(playable);
      near(quantileOf(playable, 0.9) / mean_, 738 / 318.83, 0.15 * slack, '90th percentile');
      near(quantileOf(playable, 0.99) / mean_, 3836 / 318.83, 0.15 * slack, '99th percentile');
      if (size === MEDIUM) near(quantileOf(playable, 0.5) / mean_, 57 / 318.83, 0.2, 'median');
      expect(Math.max(...count) / size.users, 'users of the best-known track').to.be.within(
        0.05,
        0.15,
      );
    });

    it('playcounts', () => {
      near(
        shareOf(data.playcount, (c) => c === 1),
        0.608,
        0.005,
        'counts of 1',
      );
      near(
        shareOf(data.playcount, (c) => c <= 2),
        0.764,
        0.005,
        'counts up to 2',
      );
      near(mean(data.playcount), 2.631, 0.02, 'mean');
      near(std(data.playcount), 5.71, 0.1, 'standard deviation');
      near(quantileOf(data.playcount, 0.9), 5, 0, '90th percentile');
      near(quantileOf(data.playcount, 0.99), 21, 0.05, '99th percentile');
      expect(quantileOf(data.playcount, 1)).to.be.greaterThan(250);
    });

    it('audio features: means, spreads, correlations, principal components', () => {
      const { audio } = data.catalogue;
      const real: [Column, number, number][] = [
        ['danceability', 0.4838, 0.1804],
        ['energy', 0.6956, 0.2519],
        ['loudness', -8.174, 4.539],
        ['speechiness', 0.077, 0.0763],
        ['acousticness', 0.2029, 0.2976],
        ['instrumentalness', 0.241, 0.3438],
        ['liveness', 0.214, 0.1802],
        ['valence', 0.419, 0.2563],
        ['tempo', 123.94, 29.74],
        ['duration_ms', 251_689, 107_356],
        ['year', 2004.07, 8.07],
      ];
      for (const [column, m, s] of real) {
        near(mean(audio[column]), m, 0.03, `mean ${column}`);
        near(std(audio[column]), s, 0.06, `spread of ${column}`);
      }
      const correlations: [Column, Column, number][] = [
        ['energy', 'loudness', 0.781],
        ['energy', 'acousticness', -0.729],
        ['loudness', 'acousticness', -0.616],
        ['danceability', 'valence', 0.543],
        ['energy', 'speechiness', 0.231],
        ['loudness', 'instrumentalness', -0.305],
        ['instrumentalness', 'valence', -0.263],
        ['loudness', 'year', 0.211],
        ['energy', 'tempo', 0.226],
        ['danceability', 'tempo', -0.11],
        ['danceability', 'time_signature', 0.157],
        ['key', 'mode', -0.163],
        ['duration_ms', 'tempo', 0],
      ];
      for (const [a, b, r] of correlations)
        expect(pearson(audio[a], audio[b]), `${a} and ${b}`).to.be.closeTo(r, 0.06);
      expect(spearman(audio.energy, audio.loudness)).to.be.closeTo(0.762, 0.06);
      expect(spearman(audio.danceability, audio.valence)).to.be.closeTo(0.539, 0.06);
      const ratios = pcaRatios(COLUMNS.filter((c) => c !== 'year').map((c) => audio[c]));
      [0.213, 0.135, 0.093, 0.086].forEach((ratio, i) => {
        expect(ratios[i]).to.be.closeTo(ratio, 0.01);
      });
      near(
        shareOf(audio.instrumentalness, (x) => x === 0),
        0.147,
        0.06,
        'instrumentalness of 0',
      );
      near(
        shareOf(audio.mode, (x) => x === 1),
        0.6244,
        0.01,
        'major',
      );
      near(
        shareOf(audio.time_signature, (x) => x === 4),
        0.8827,
        0.01,
        'four in the bar',
      );
      expect(new Set(audio.key).size).to.equal(12);
    });

    it('sound belongs to artists; popularity belongs to artists and not to sound', () => {
      const { audio, artist } = data.catalogue;
      expect(intraclass(audio.energy, artist)).to.be.closeTo(0.54, 0.08);
      expect(intraclass(audio.acousticness, artist)).to.be.closeTo(0.585, 0.08);
      expect(intraclass(audio.tempo, artist)).to.be.closeTo(0.09, 0.07);
      const heard = Array.from(count.keys()).filter((t) => count[t] > 0);
      const log = heard.map((t) => Math.log(count[t]));
      for (const column of COLUMNS) {
        const r = pearson(
          log,
          heard.map((t) => audio[column][t]),
        );
        expect(Math.abs(r), column).to.be.at.most(0.06 * slack);
      }
      expect(
        intraclass(
          log,
          heard.map((t) => artist[t]),
        ),
      ).to.be.greaterThan(0.2);
    });

    it('genres, tags, and how many tracks lack them', () => {
      const { genre, tags, length } = data.catalogue;
      near(genre.filter((g) => g === '').length / length, 0.559, 0.01, 'genre missing');
      near(tags.filter((t) => t === '').length / length, 0.0222, 0.1, 'tags missing');
      expect(new Set(genre.filter((g) => g !== ''))).to.deep.equal(new Set(Object.keys(GENRES)));
      const known = genre.filter((g) => g !== '').length;
      for (const g of ['Rock', 'Electronic', 'Metal', 'Pop'] as const) {
        near(genre.filter((x) => x === g).length / known, GENRES[g] / 22_348, 0.1, g);
      }
      const lists = tags.filter((t) => t !== '').map((t) => t.split(', '));
      for (const list of lists) expect(new Set(list).size).to.equal(list.length);
      near(mean(lists.map((list) => list.length)), 3.62, 0.04, 'tags of a track');
      const all = lists.flat();
      const total = Object.values(TAGS).reduce((a, b) => a + b, 0);
      expect(new Set(all).size).to.equal(100);
      for (const tag of [
        'rock',
        'indie',
        'electronic',
        'pop',
        'death_metal',
        'hip_hop',
        'country',
        '80s',
        'french',
        'oldies',
      ] as const) {
        near(
          all.filter((t) => t === tag).length / all.length,
          TAGS[tag] / total,
          0.08 * slack,
          tag,
        );
      }
    });

    it('artists, their tracks, and titles that several tracks share', () => {
      const { artist, artists, name, users } = data.catalogue;
      expect(new Set(artists.map((a) => a.name)).size).to.equal(artists.length);
      const tracks = new Float64Array(artists.length);
      artist.forEach((a, t) => {
        if (users[t] > 0) tracks[a]++;
      });
      const some = tracks.filter((n) => n > 0);
      near(some.length, (size.playable * 6207) / 30_459, 0.01, 'artists');
      near(
        shareOf(some, (n) => n === 1),
        2600 / 6207,
        0.05,
        'with one track',
      );
      near(quantileOf(some, 0.9), 13, 0.1, '90th percentile');
      expect(Math.max(...some)).to.be.within(45, 67);
      const shared = 1 - new Set(name).size / name.length;
      expect(shared).to.be.within(0.008, 0.05);
    });
  });
}

describe('generate: the table of playcounts', () => {
  it('gives the real maximum among the real number of plays', () => {
    expect(shareAtLeast(1)).to.equal(1);
    expect(shareAtLeast(2)).to.be.closeTo(0.392, 1e-12);
    expect(Math.round(shareAtLeast(2948) * 9_711_301)).to.equal(1);
    expect(Math.round(shareAtLeast(3000) * 9_711_301)).to.equal(0);
  });
});
