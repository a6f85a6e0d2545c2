import type { Random } from '../../recital/compute/random.js';
import {
  ARTIST_SHARE,
  COLUMNS,
  FEATURES,
  FIRST_YEAR,
  KEYS,
  LATENT,
  MODES,
  PROBABILITIES,
  TIME_SIGNATURE_VALUES,
  TIME_SIGNATURES,
  YEAR_1900,
  YEARS,
} from '../calibration.js';
import { category, normal, quantile, ranks } from '../draw.js';
import { SCENES, SOUND } from './communities.js';

/** The numeric columns of a catalogue, by Kaggle's names. */
export type Audio = Record<(typeof COLUMNS)[number], Float64Array>;

/**
 * Draws the audio features, year, key, mode and time signature of every track.
 *
 * A track's normal scores are the mean of its scene, plus what is its artist's, plus what is its
 * own; the three covariances add up to the correlations of the real columns. Each column's scores
 * are then ranked and read off the column's quantiles, so the marginal distributions are exact
 * whatever the size (a Gaussian copula).
 *
 * @param artist the artist of each track
 * @param scene the scene of each artist
 */
export function drawAudio(random: Random, artist: Int32Array, scene: ArrayLike<number>): Audio {
  const k = COLUMNS.length;
  const factor = cholesky(withinScenes(), k);
  const means = SCENES.map((s) => COLUMNS.map((column) => sceneMean(s.sound, column)));
  const artistRandom = random.child('artist');
  const shared = new Float64Array(scene.length * k);
  for (let a = 0; a < scene.length; a++)
    correlated(artistRandom, factor, shared.subarray(a * k, (a + 1) * k));

  const trackRandom = random.child('track');
  const scores = COLUMNS.map(() => new Float64Array(artist.length));
  const own = new Float64Array(k);
  for (let t = 0; t < artist.length; t++) {
    correlated(trackRandom, factor, own);
    const a = artist[t];
    for (let c = 0; c < k; c++) {
      scores[c][t] =
        means[scene[a]][c] +
        Math.sqrt(ARTIST_SHARE[c]) * shared[a * k + c] +
        Math.sqrt(1 - ARTIST_SHARE[c]) * own[c];
    }
  }
  const audio: Partial<Audio> = {};
  COLUMNS.forEach((column, c) => {
    const values = ranks(scores[c]);
    for (let t = 0; t < values.length; t++) values[t] = readOff(column, values[t]);
    audio[column] = values;
  });
  return audio as Audio;
}

function sceneMean(sound: readonly number[], column: string): number {
  const i = (SOUND as readonly string[]).indexOf(column);
  return i < 0 ? 0 : sound[i];
}

/**
 * The covariance of the scores within a scene: all of it less what lies between the scenes. The
 * artist's and the track's own part mix with different shares in each column, which weakens the
 * correlation of columns whose shares differ; the entries are raised by as much.
 */
function withinScenes(): Float64Array {
  const k = COLUMNS.length;
  const covariance = new Float64Array(k * k);
  const share = SCENES.reduce((sum, s) => sum + s.share, 0);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) {
      let between = 0;
      for (const s of SCENES)
        between +=
          (s.share / share) * sceneMean(s.sound, COLUMNS[i]) * sceneMean(s.sound, COLUMNS[j]);
      const a = ARTIST_SHARE[i];
      const b = ARTIST_SHARE[j];
      const value = (LATENT[i][j] - between) / (Math.sqrt(a * b) + Math.sqrt((1 - a) * (1 - b)));
      covariance[i * k + j] = value;
      covariance[j * k + i] = value;
    }
  }
  return covariance;
}

/** The lower triangle L with L·Lᵀ = A; a pivot that rounding made too small becomes 0.01. */
function cholesky(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let m = 0; m < j; m++) sum -= l[i * n + m] * l[j * n + m];
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 0.01)) : sum / l[j * n + j];
    }
  }
  return l;
}

/** Fills `out` with a normal vector of covariance L·Lᵀ. */
function correlated(random: Random, l: Float64Array, out: Float64Array): void {
  const n = out.length;
  const z = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    z[i] = normal(random);
    let sum = 0;
    for (let j = 0; j <= i; j++) sum += l[i * n + j] * z[j];
    out[i] = sum;
  }
}

/** The value of a column at probability p, with as many digits as the real data has. */
function readOff(column: (typeof COLUMNS)[number], p: number): number {
  switch (column) {
    case 'key':
      return category(KEYS, p);
    case 'mode':
      return category(MODES, p);
    case 'time_signature':
      return TIME_SIGNATURE_VALUES[category(TIME_SIGNATURES, p)];
    case 'year': {
      const i = category([YEAR_1900, ...YEARS], p);
      return i === 0 ? 1900 : FIRST_YEAR + i - 1;
    }
    case 'duration_ms':
      return Math.round(quantile(PROBABILITIES, FEATURES.duration_ms, p));
    case 'loudness':
    case 'tempo':
      return Number(quantile(PROBABILITIES, FEATURES[column], p).toFixed(3));
    default: {
      const value = quantile(PROBABILITIES, FEATURES[column], p);
      return value < 1e-6 ? 0 : Number(value.toPrecision(3)); // smaller numbers are written as 0 in the source
    }
  }
}
