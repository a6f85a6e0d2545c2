import type { Tracks } from '../data/tracks.js';
import { StandardScaler } from '../decomposition/standard-scaler.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions, isNumbers, whatIs } from '../options.js';
import { checkN } from '../recommend/lookup.js';
import { type AtK, checkLists } from './metrics.js';

/**
 * What lists are like, whether right or wrong: whether they surprise, whether everybody gets the
 * hits, whether the tracks of a list differ. None of these is good by itself (random lists are
 * novel and diverse): they belong beside an accuracy.
 *
 * Ties: lists are taken as they stand, in `evaluate` too; recommenders order equal scores by track
 * index. An empty list has no such number and is left out of the means.
 */
export interface ListenersAtK<T> extends AtK {
  /** How many users have played a track in training. */
  listeners: (track: T) => number;
}

/**
 * How little known the recommended tracks are: the mean self-information −log2(listeners(t) /
 * users) of the first k, its mean over lists (Zhou et al., 2010). 0 for tracks that everybody
 * knows, log2(users) for those that one user knows; a track without a listener counts as if it had
 * one.
 * @param lists recommended tracks, one list a user
 * @param options `listeners` of a track in training, `users` in training, `k`
 * @example noveltyAtK([['a', 'b']], { k: 2, users: 8, listeners: (t) => ({ a: 8, b: 2 })[t] }) // (0 + 2) / 2 = 1
 */
export function noveltyAtK<T>(
  lists: readonly (readonly T[])[],
  options: ListenersAtK<T> & { users: number },
): number {
  checkLists(lists, 'noveltyAtK');
  checkOptions(options, ['listeners', 'users', 'k'], 'noveltyAtK');
  const { k = 10, listeners, users } = options;
  checkFunction(listeners, 'noveltyAtK');
  checkN(users, 'users');
  return meanOfLists(lists, k, (list) =>
    meanOf(list, (track) => selfInformation(counted(listeners, track, 'noveltyAtK'), users)),
  );
}

/**
 * Popularity bias as the average recommendation popularity, ARP: the mean number of listeners of
 * the first k, its mean over lists (Yin et al., 2012). Far above that of what users play, a
 * recommender pushes the hits.
 * @param lists recommended tracks, one list a user
 * @param options `listeners` of a track in training, `k`
 * @example popularityAtK([['a', 'b'], ['a']], { k: 2, listeners: (t) => ({ a: 8, b: 2 })[t] }) // ((8 + 2)/2 + 8) / 2 = 6.5
 */
export function popularityAtK<T>(
  lists: readonly (readonly T[])[],
  options: ListenersAtK<T>,
): number {
  checkLists(lists, 'popularityAtK');
  checkOptions(options, ['listeners', 'k'], 'popularityAtK');
  const { k = 10, listeners } = options;
  checkFunction(listeners, 'popularityAtK');
  return meanOfLists(lists, k, (list) =>
    meanOf(list, (track) => counted(listeners, track, 'popularityAtK')),
  );
}

/**
 * How unevenly recommendations fall on the catalogue, the Gini index: Σ (2i − n − 1)·x_i / (n · Σ
 * x_i), i from 1, with x ascending, where x_i is how often a track is among anybody's first k and n
 * is the size of the catalogue. 0 if all are recommended equally often, 1 − 1/n if only one ever
 * is.
 * @param lists recommended tracks, one list a user
 * @param options `catalogueSize`: tracks that could have been recommended; `k`
 * @example giniAtK([['a', 'b'], ['a', 'c']], { k: 2, catalogueSize: 4 }) // x = 0, 1, 1, 2: (0 − 1 + 1 + 6) / (4 · 4) = 0.375
 */
export function giniAtK<T>(
  lists: readonly (readonly T[])[],
  options: AtK & { catalogueSize: number },
): number {
  checkLists(lists, 'giniAtK');
  checkOptions(options, ['catalogueSize', 'k'], 'giniAtK');
  const { k = 10, catalogueSize } = options;
  checkN(k, 'k');
  checkN(catalogueSize, 'catalogueSize');
  const counts = new Map<T, number>();
  for (const list of lists)
    for (const track of list.slice(0, k)) counts.set(track, (counts.get(track) ?? 0) + 1);
  if (counts.size === 0)
    throw new ArgumentError('All lists are empty, so there is nothing to measure.');
  if (counts.size > catalogueSize)
    throw new ArgumentError(
      `${counts.size} distinct tracks are recommended, but catalogueSize is ${catalogueSize}. Give the size of the whole catalogue.`,
    );
  return giniOfCounts(Float64Array.from(counts.values()), catalogueSize);
}

/**
 * How different the tracks of a list are, intra-list diversity: the mean of 1 − cos(v_i, v_j) over
 * the pairs of the first k, its mean over lists (Ziegler et al., 2005, as a distance). 0 if all
 * sound alike, 1 if their vectors are unrelated, 2 if they are opposite. Tracks without a vector
 * are left out, and lists with less than two that have one.
 * @param lists recommended tracks, one list a user
 * @param options `vector` of a track, e.g. its standardised audio features, undefined if it has
 *   none; `k`
 * @example diversityAtK([['a', 'b', 'c']], { k: 3, vector: (t) => ({ a: [1, 0], b: [0, 2], c: [1, 0] })[t] }) // (1 + 0 + 1) / 3
 */
export function diversityAtK<T>(
  lists: readonly (readonly T[])[],
  options: AtK & { vector: (track: T) => ArrayLike<number> | undefined },
): number {
  checkLists(lists, 'diversityAtK');
  checkOptions(options, ['vector', 'k'], 'diversityAtK');
  const { k = 10, vector } = options;
  checkArgument(
    typeof vector === 'function',
    vector,
    'diversityAtK',
    'vector, a function from a track to its vector',
  );
  return meanOfLists(lists, k, (list) => {
    const vectors = list
      .map((track) => checkedVector(vector(track), track))
      .flatMap((v) => unit(v) ?? []);
    return diversityOf(vectors.length, (j) => vectors[j]);
  });
}

function checkFunction(listeners: unknown, of: string): void {
  checkArgument(
    typeof listeners === 'function',
    listeners,
    of,
    'listeners, a function from a track to the number of its listeners in training',
  );
}

/**
 * What a function says of a track: were it no number, the list would be left out as if it were
 * empty.
 */
function counted<T>(listeners: (track: T) => number, track: T, of: string): number {
  const n: unknown = listeners(track);
  if (typeof n === 'number' && n >= 0 && n < Infinity) return n;
  throw new ArgumentError(
    `${of}: listeners(${String(track)}) must be the number of its listeners in training, 0 if none, got ${typeof n === 'number' ? n : whatIs(n)}.`,
  );
}

function checkedVector<T>(
  vector: ArrayLike<number> | undefined,
  track: T,
): ArrayLike<number> | undefined {
  if (vector === undefined) return undefined;
  checkArgument(
    isNumbers(vector),
    vector,
    'diversityAtK',
    `a vector of track ${String(track)}, numbers, or undefined if it has none`,
  );
  if (!Array.from(vector).every(Number.isFinite))
    throw new ArgumentError(
      `diversityAtK: the vector of track ${String(track)} has a number that is NaN or infinite.`,
    );
  return vector;
}

/** −log2 of a track's share of the users. */
export function selfInformation(listeners: number, users: number): number {
  return -Math.log2(Math.max(1, listeners) / users);
}

/**
 * The Gini index of counts, to which as many zeros are added as a catalogue of n tracks needs. The
 * counts are sorted in place.
 */
export function giniOfCounts(counts: Float64Array, n: number): number {
  counts.sort();
  const zeros = n - counts.length;
  let [weighted, sum] = [0, 0];
  counts.forEach((x, j) => {
    weighted += (2 * (zeros + j + 1) - n - 1) * x;
    sum += x;
  });
  return weighted / (n * sum);
}

/** A vector at length 1; undefined for none, and for one of length 0. */
export function unit(vector: ArrayLike<number> | undefined): Float64Array | undefined {
  if (!vector) return undefined;
  const out = Float64Array.from(vector);
  const length = Math.hypot(...out);
  return length > 0 ? out.map((x) => x / length) : undefined;
}

/**
 * 1 − the mean cosine over the pairs of n vectors of length 1; NaN for less than two. The cosines
 * of all pairs add up to (|Σ v|² − n) / 2.
 */
export function diversityOf(n: number, vector: (j: number) => Float64Array): number {
  if (n < 2) return NaN;
  const sum = new Float64Array(vector(0).length);
  for (let j = 0; j < n; j++) {
    vector(j).forEach((x, c) => {
      sum[c] += x;
    });
  }
  const square = sum.reduce((total, x) => total + x * x, 0);
  return Math.min(2, Math.max(0, 1 - (square - n) / (n * (n - 1))));
}

function meanOf<T>(list: readonly T[], value: (track: T) => number): number {
  let sum = 0;
  for (const track of list) sum += value(track);
  return sum / list.length;
}

/** The mean over the lists that have a value; NaN if none has. */
function meanOfLists<T>(
  lists: readonly (readonly T[])[],
  k: number,
  value: (list: readonly T[]) => number,
): number {
  checkN(k, 'k');
  const values = lists.map((list) => value(list.slice(0, k))).filter((x) => !Number.isNaN(x));
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/**
 * What tracks sound like, for comparing by the cosine: their audio features, standardised over the
 * catalogue, a missing one at its mean, at length 1.
 * @returns a function from a track's id to its vector; undefined for a track that the catalogue
 *   lacks
 */
export function audioVectors(
  catalogue: Tracks | undefined,
): (track: string) => Float64Array | undefined {
  if (!catalogue || catalogue.audioFeatures.length === 0) {
    throw new ArgumentError(
      'diversity compares tracks by their audio features, but the plays have no catalogue with any. plays.withCatalogue(await readTracks(path)) adds one; else leave diversity out.',
    );
  }
  const names = catalogue.audioFeatures;
  const { data } = new StandardScaler().fitTransform(catalogue.table.select(names));
  const vectors: (Float64Array | undefined)[] = [];
  return (track) => {
    const row = catalogue.ids.indexOf(track);
    if (row < 0) return undefined;
    if (!(row in vectors))
      vectors[row] = unit(Float64Array.from(names, (_, j) => data[row * names.length + j] || 0));
    return vectors[row];
  };
}
