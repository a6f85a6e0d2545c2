import type { Random } from '../../recital/compute/random.js';
import { GENRE_MISSING, GENRES, TAGS, TAGS_MISSING, TAGS_PER_TRACK } from '../calibration.js';
import { category, normal, ranks } from '../draw.js';
import { exactExp } from '../exact.js';
import type { Artist } from './artists.js';
import { balance } from './balance.js';
import { SCENES } from './communities.js';

const TAG_NAMES = Object.keys(TAGS) as (keyof typeof TAGS)[];
const GENRE_NAMES = Object.keys(GENRES) as (keyof typeof GENRES)[];

/** The years that a tag of an age stands for. */
const AGES: Record<string, readonly [number, number]> = {
  '60s': [1960, 1970],
  '70s': [1970, 1980],
  '80s': [1980, 1990],
  '90s': [1990, 2000],
  '00s': [2000, 2010],
  oldies: [1950, 1979],
};

/** Tags that name an origin; an artist from elsewhere hardly has them. */
const ORIGINS: Record<string, string> = {
  french: 'french',
  german: 'german',
  swedish: 'swedish',
  polish: 'polish',
  japanese: 'japanese',
  j_pop: 'japanese',
  russian: 'russian',
};

/** Parses `'rock 50, indie 73'` into numbers per name. */
function parse(text: string): Map<string, number> {
  return new Map(
    text.split(', ').map((entry) => {
      const at = entry.lastIndexOf(' ');
      return [entry.slice(0, at), Number(entry.slice(at + 1))];
    }),
  );
}

/**
 * Gives every track its tags, as Kaggle writes them (`'rock, indie, 90s'`), or '' where they are
 * missing. A track's tags follow its scene, its artist's leanings (shared by all tracks of the
 * artist), its artist's origin and its year; their frequencies and the number of tags of a track
 * are the dataset's.
 */
export function drawTags(
  random: Random,
  artist: Int32Array,
  artists: readonly Artist[],
  year: ArrayLike<number>,
): string[] {
  const n = artist.length;
  const m = TAG_NAMES.length;
  const counts = tagCounts(random.child('count'), artist, artists.length);
  const leanings = artistLeanings(random.child('leaning'), artists);
  const weights = new Float64Array(n * m);
  let total = 0;
  for (let t = 0; t < n; t++) {
    total += counts[t];
    for (let j = 0; j < m; j++) {
      const age = AGES[TAG_NAMES[j]];
      const fits =
        age === undefined
          ? 1
          : year[t] >= age[0] && year[t] < age[1]
            ? 8
            : year[t] >= age[0] - 2 && year[t] < age[1] + 2
              ? 1
              : 0.1;
      weights[t * m + j] = leanings[artist[t] * m + j] * fits;
    }
  }
  const frequency = TAG_NAMES.map((tag) => TAGS[tag]);
  const sum = frequency.reduce((a, b) => a + b, 0);
  balance(
    weights,
    counts,
    frequency.map((f) => (f * total) / sum),
    { rounds: 12, cap: 0.98 },
  );

  const sampling = random.child('sample');
  const tags = new Array<string>(n);
  for (let t = 0; t < n; t++) {
    const chosen =
      counts[t] === 0 ? [] : systematicSample(sampling, weights.subarray(t * m, (t + 1) * m));
    tags[t] = chosen.map((j) => TAG_NAMES[j]).join(', ');
  }
  return tags;
}

/** How many tags each track has: some artists are tagged at length, others hardly. */
function tagCounts(random: Random, artist: Int32Array, artists: number): Int32Array {
  const lean = new Float64Array(artists);
  for (let a = 0; a < artists; a++) lean[a] = normal(random);
  const score = new Float64Array(artist.length);
  for (let t = 0; t < artist.length; t++) score[t] = 0.8 * lean[artist[t]] + 0.6 * normal(random);
  const place = ranks(score);
  const counts = new Int32Array(artist.length);
  for (let t = 0; t < counts.length; t++)
    counts[t] =
      place[t] < TAGS_MISSING
        ? 0
        : 1 + category(TAGS_PER_TRACK, (place[t] - TAGS_MISSING) / (1 - TAGS_MISSING));
  return counts;
}

/** A weight for each artist and tag: the scene's, times what is the artist's own. */
function artistLeanings(random: Random, artists: readonly Artist[]): Float64Array {
  const m = TAG_NAMES.length;
  const all = Object.values(TAGS).reduce((a, b) => a + b, 0);
  const scenes = SCENES.map((scene) => {
    const listed = parse(scene.tags);
    return TAG_NAMES.map((tag) => (listed.get(tag) ?? 0) + (60 * TAGS[tag]) / all);
  });
  const out = new Float64Array(artists.length * m);
  artists.forEach((artist, a) => {
    for (let j = 0; j < m; j++) {
      const tag = TAG_NAMES[j];
      let weight = scenes[artist.scene][j] * exactExp(0.9 * normal(random));
      if (tag in ORIGINS) weight = artist.origin === ORIGINS[tag] ? 60 : 0.01;
      else if ((tag === 'british' || tag === 'american') && artist.origin !== undefined)
        weight *= 0.02;
      out[a * m + j] = weight;
    }
  });
  return out;
}

/**
 * Chooses indices with the inclusion probabilities given (each at most 1, their sum a whole
 * number), exactly as many as their sum (systematic sampling; Madow, 1949).
 */
function systematicSample(random: Random, probabilities: Float64Array): number[] {
  const chosen: number[] = [];
  const start = random.uniform();
  let sum = 0;
  for (let j = 0; j < probabilities.length; j++) {
    const before = Math.ceil(sum - start);
    sum += probabilities[j];
    if (Math.ceil(sum - start) > before) chosen.push(j);
  }
  return chosen;
}

/**
 * Gives every track its genre, or '' where it is missing (more often in some scenes, as in
 * reality), so that the genres' counts are the dataset's.
 */
export function drawGenres(
  random: Random,
  artist: Int32Array,
  artists: readonly Artist[],
): string[] {
  const m = GENRE_NAMES.length + 1;
  const sizes = new Float64Array(SCENES.length);
  for (let t = 0; t < artist.length; t++) sizes[artists[artist[t]].scene]++;
  const table = new Float64Array(SCENES.length * m);
  SCENES.forEach((scene, s) => {
    const listed = parse(scene.genres);
    GENRE_NAMES.forEach((genre, g) => {
      table[s * m + g] = (listed.get(genre) ?? 0) * (1 - GENRE_MISSING);
    });
    table[s * m + m - 1] = 100 * GENRE_MISSING;
  });
  const known = Object.values(GENRES).reduce((a, b) => a + b, 0);
  const columns = GENRE_NAMES.map(
    (genre) => (GENRES[genre] / known) * (1 - GENRE_MISSING) * artist.length,
  );
  balance(table, sizes, [...columns, GENRE_MISSING * artist.length]);
  // each scene deals its shares out to its tracks in random order, so that even a small catalogue
  // has the rare genres
  const genres = new Array<string>(artist.length);
  const dealt = new Int32Array(SCENES.length);
  for (const t of random.permutation(artist.length)) {
    const s = artists[artist[t]].scene;
    const row = Array.from(table.subarray(s * m, (s + 1) * m));
    genres[t] = GENRE_NAMES[category(row, (dealt[s]++ + 0.5) / sizes[s])] ?? '';
  }
  return genres;
}
