import type { Tracks } from '../data/tracks.js';
import { StandardScaler } from '../decomposition/standard-scaler.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkCount, checkOptions, isNumbers, whatIs } from '../options.js';
import { type AtK, checkLists, countRecommended } from './metrics.js';

/**
 * Options of metrics beyond accuracy, which describe lists whatever is relevant: whether they are
 * novel, whether they favour popular tracks, whether their tracks differ. None of these is good by
 * itself (random lists are novel and diverse): read them beside an accuracy. They take one list of
 * recommended tracks per user, best first.
 *
 * Ties: lists are taken as they are, in `evaluate` too; recommenders order equal scores by track
 * index. An empty list has no such number and is left out of the means.
 */
export interface ListenersAtK<T> extends AtK {
  /** Number of users who have played a track in training. */
  listeners: (track: T) => number;
}

/**
 * Novelty: the mean self-information −log2(listeners(t) / users) of the first k, averaged over
 * lists (Zhou et al., 2010). 0 for tracks that all users have played, log2(users) for tracks that
 * one user has played; a track without listeners counts as if it had one.
 * @param options `listeners` of a track in training, `users` in training, `k`
 * @example noveltyAtK([['a', 'b']], { k: 2, users: 8, listeners: (t) => (t === 'a' ? 8 : 2) }) // (0 + 2) / 2 = 1
 */
export function noveltyAtK<T>(
  lists: readonly (readonly T[])[],
  options: ListenersAtK<T> & { users: number },
): number {
  checkOptions(options, ['listeners', 'users', 'k'], 'noveltyAtK');
  const { users, ...rest } = options;
  checkCount(users, 'users');
  return meanOfTracks('noveltyAtK', lists, rest, (listeners) => selfInformation(listeners, users));
}

/**
 * Average recommendation popularity, ARP: the mean number of listeners of the first k, averaged
 * over lists (Yin et al., 2012). A recommender with a much higher value than what users play
 * favours popular tracks.
 * @param options `listeners` of a track in training, `k`
 * @example popularityAtK([['a', 'b'], ['a']], { k: 2, listeners: (t) => (t === 'a' ? 8 : 2) }) // ((8 + 2)/2 + 8) / 2 = 6.5
 */
export function popularityAtK<T>(
  lists: readonly (readonly T[])[],
  options: ListenersAtK<T>,
): number {
  return meanOfTracks('popularityAtK', lists, options, (listeners) => listeners);
}

/**
 * Gini index: how unevenly recommendations are spread over the catalogue, Σ (2i − n − 1)·x_i /
 * (n · Σ x_i), i from 1, where x (ascending) is how often each track is among anybody's first k and
 * n is the size of the catalogue. 0 if all tracks are recommended equally often, 1 − 1/n if only
 * one ever is.
 * @param options `catalogueSize`: number of tracks that could have been recommended; `k`
 * @example giniAtK([['a', 'b'], ['a', 'c']], { k: 2, catalogueSize: 4 }) // x = 0, 1, 1, 2: (0 − 1 + 1 + 6) / (4 · 4) = 0.375
 */
export function giniAtK<T>(
  lists: readonly (readonly T[])[],
  options: AtK & { catalogueSize: number },
): number {
  const counts = countRecommended('giniAtK', lists, options);
  if (counts.size === 0)
    throw new ArgumentError('All lists are empty, so there is nothing to measure.');
  return giniOfCounts(Float64Array.from(counts.values()), options.catalogueSize);
}

/**
 * Intra-list diversity: the mean of 1 − cos(v_i, v_j) over the pairs of the first k, averaged over
 * lists (Ziegler et al., 2005, as a distance). 0 if all vectors point the same way, 1 if they are
 * unrelated, 2 if they are opposite. Left out are tracks without a vector, and lists with fewer
 * than two that have one.
 * @param options `vector` of a track, e.g. its standardised audio features, undefined if it has
 *   none; `k`
 * @example diversityAtK([['a', 'b', 'c']], { k: 3, vector: (t) => ({ a: [1, 0], b: [0, 2], c: [1, 0] })[t] }) // (1 + 0 + 1) / 3
 */
export function diversityAtK<T>(
  lists: readonly (readonly T[])[],
  options: AtK & { vector: (track: T) => ArrayLike<number> | undefined },
): number {
  checkOptions(options, ['vector', 'k'], 'diversityAtK');
  const { k, vector } = options;
  const wanted = 'vector, a function from a track to its vector';
  checkArgument(typeof vector === 'function', vector, 'diversityAtK', wanted);
  return meanOfLists('diversityAtK', lists, k, (list) =>
    diversityOf(list.flatMap((track) => unit(checkedVector(vector(track), track)) ?? [])),
  );
}

/** The mean over tracks of a number that depends on their listeners, averaged over lists. */
function meanOfTracks<T>(
  of: string,
  lists: readonly (readonly T[])[],
  options: ListenersAtK<T>,
  value: (listeners: number) => number,
): number {
  checkOptions(options, ['listeners', 'k'], of);
  const { k, listeners } = options;
  const wanted = 'listeners, a function from a track to the number of its listeners in training';
  checkArgument(typeof listeners === 'function', listeners, of, wanted);
  return meanOfLists(of, lists, k, (list) => {
    let sum = 0;
    for (const track of list) {
      const n: unknown = listeners(track);
      if (!(typeof n === 'number' && n >= 0 && n < Infinity))
        throw new ArgumentError(
          `${of}: listeners(${String(track)}) must be the number of its listeners in training, 0 if none, got ${typeof n === 'number' ? n : whatIs(n)}.`,
        );
      sum += value(n);
    }
    return sum / list.length;
  });
}

/** The mean over the lists that have a value; NaN if none has. */
function meanOfLists<T>(
  of: string,
  lists: readonly (readonly T[])[],
  k = 10,
  value: (list: readonly T[]) => number,
): number {
  checkLists(lists, of);
  checkCount(k, 'k');
  const values = lists.map((list) => value(list.slice(0, k))).filter((x) => !Number.isNaN(x));
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

function checkedVector<T>(
  vector: ArrayLike<number> | undefined,
  track: T,
): ArrayLike<number> | undefined {
  if (vector === undefined) return undefined;
  const wanted = `a vector of track ${String(track)}, finite numbers, or undefined if it has none`;
  checkArgument(isNumbers(vector), vector, 'diversityAtK', wanted);
  if (Array.from(vector).every(Number.isFinite)) return vector;
  throw new ArgumentError(`diversityAtK needs ${wanted}; one of its numbers is NaN or infinite.`);
}

/** −log2 of the share of users who have played a track. */
export function selfInformation(listeners: number, users: number): number {
  return -Math.log2(Math.max(1, listeners) / users);
}

/**
 * The Gini index of counts and as many zeros as a catalogue of n tracks needs. Sorts the counts.
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

/** A vector scaled to length 1; undefined for none, and for one of length 0. */
function unit(vector: ArrayLike<number> | undefined): Float64Array | undefined {
  if (!vector) return undefined;
  const out = Float64Array.from(vector);
  const length = Math.hypot(...out);
  return length > 0 ? out.map((x) => x / length) : undefined;
}

/**
 * 1 − the mean cosine over the pairs of vectors of length 1; NaN for fewer than two. The cosines of
 * all pairs add up to (|Σ v|² − n) / 2.
 */
export function diversityOf(vectors: readonly Float64Array[]): number {
  const n = vectors.length;
  if (n < 2) return NaN;
  const sum = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let c = 0; c < vector.length; c++) sum[c] += vector[c];
  const square = sum.reduce((total, x) => total + x * x, 0);
  return Math.min(2, Math.max(0, 1 - (square - n) / (n * (n - 1))));
}

/**
 * Vectors of audio features for comparison by the cosine: standardised over the catalogue, a
 * missing feature at its mean, scaled to length 1.
 * @returns a function from a track's id to its vector; undefined for a track outside the catalogue
 */
export function audioVectors(
  catalogue: Tracks | undefined,
): (track: string) => Float64Array | undefined {
  if (!catalogue?.audioFeatures.length)
    throw new ArgumentError(
      'diversity compares tracks by their audio features, but the plays have no catalogue with any. plays.withCatalogue(await readTracks(path)) adds one; else leave diversity out.',
    );
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
