import type { Column } from '../data/table.js';
import type { Tracks } from '../data/tracks.js';

/**
 * The columns that tell a person which tracks are meant: their ids, and `title`, `artist` and
 * `year` as far as the catalogue has them.
 * @param ids track ids, one a row
 * @param of the recommender that they come from: its catalogue, and what it calls ids of tracks
 */
export function trackInfo(
  ids: readonly string[],
  { catalogue, names }: { catalogue?: Tracks; names?: { readonly item: string } },
): Record<string, Column> {
  const columns: Record<string, Column> = { [names?.item ?? 'track_id']: ids };
  if (catalogue?.table.has('name')) columns.title = ids.map((id) => catalogue.title(id) ?? null);
  if (catalogue?.table.has('artist'))
    columns.artist = ids.map((id) => catalogue.artist(id) ?? null);
  if (catalogue?.table.has('year'))
    columns.year = Float64Array.from(ids, (id) => catalogue.year(id) ?? NaN);
  return columns;
}
