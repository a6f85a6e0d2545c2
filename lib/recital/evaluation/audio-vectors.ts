import type { Tracks } from '../data/tracks.js';
import { StandardScaler } from '../decomposition/standard-scaler.js';
import { ArgumentError } from '../errors.js';
import { unit } from './beyond-accuracy.js';

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
