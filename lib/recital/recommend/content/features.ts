import type { DenseMatrix } from '../../data/csr.js';
import { display } from '../../data/output.js';
import type { Table } from '../../data/table.js';
import { Tracks } from '../../data/tracks.js';
import { StandardScaler } from '../../decomposition/standard-scaler.js';
import { ArgumentError } from '../../errors.js';
import { given, said, whatIs } from '../../options.js';

/** The options of {@link contentFeatures}, with their defaults. */
export const CONTENT_FEATURES = {
  /** Columns of numbers; default: those of {@link audioFeatures} that there are. []: none. */
  features: undefined as readonly string[] | undefined,
  /**
   * Whether a track's tags count, from a column `tags` that separates them by commas; default
   * false. A number is their weight, see {@link contentFeatures}; `true` is 2, best on validation.
   */
  tags: false as boolean | number,
  /** The same for the column `genre`; default false. It helps where there are no tags. */
  genre: false as boolean | number,
};

/** Options of {@link contentFeatures}. */
export type ContentFeaturesOptions = Partial<typeof CONTENT_FEATURES>;

/** What is known of the tracks, as numbers that can be compared. */
export interface ContentFeatures {
  /** What the columns are: `danceability`, `tag: rock`, `genre: Jazz`. */
  readonly names: readonly string[];
  /** Tracks of the catalogue × names. What is missing is 0, the mean. */
  readonly matrix: DenseMatrix;
  /** 1 for each track of which anything is known. */
  readonly known: Uint8Array;
}

/** What `tags: true` and `genre: true` mean. */
const WEIGHT = 2;
/** Of more tags the most frequent ones are taken. */
const MAX_TAGS = 256;
/** A tag of a single track says nothing of any other. */
const MIN_TRACKS = 2;

/** Columns of one kind: rows × names, centred, missing values 0. */
interface Block {
  readonly names: string[];
  readonly columns: Float64Array[];
}

/**
 * What is known of the tracks as a matrix, for PCA or to compare tracks. Columns of numbers are
 * standardised: mean 0, standard deviation 1. Tags and genres are columns of 1 and 0, centred, then
 * multiplied by one number for all, so that their standard deviations, squared and added, come to
 * weight² times those of the columns of numbers (to weight² where there are none).
 *
 * Missing values become the mean, which says nothing; a track without tags (or genre) has the mean
 * of all tags (or genres). Columns that are the same for all tracks, or missing, are left out, and
 * a warning says so; so are tags and genres of a single track, and of more than 256 tags the rarer
 * ones.
 * @param tracks the catalogue
 * @throws ArgumentError if nothing is left; UnknownIdError for a column that the catalogue lacks;
 *   NumericError for infinity
 * @example
 * const { matrix, names } = contentFeatures(tracks, { tags: true });
 * const pca = await new PCA({ nComponents: 0.95 }).fit(matrix);
 */
export function contentFeatures(
  tracks: Tracks,
  options: ContentFeaturesOptions = {},
): ContentFeatures {
  if (!(tracks instanceof Tracks))
    throw new ArgumentError(
      `The catalogue was expected, such as readTracks reads or plays.catalogue holds, got ${whatIs(tracks)}.`,
    );
  const all = given(CONTENT_FEATURES, options, 'contentFeatures');
  const { table } = tracks;
  const { features = tracks.audioFeatures, tags, genre } = all;
  if (!Array.isArray(features))
    throw new ArgumentError(`features must be a list of columns, got ${whatIs(features)}.`);
  const weights = { tags: weightOf('tags', tags), genre: weightOf('genre', genre) };
  if (features.length === 0 && weights.tags === 0 && weights.genre === 0)
    throw new ArgumentError(
      `The catalogue has no audio features; its columns are: ${table.columnNames.join(', ')}. Name columns of numbers as features, or set tags or genre to true.`,
    );
  const known = new Uint8Array(tracks.length);
  const numbers = numberBlock(table, [...new Set(features)], known);
  const blocks = [numbers];
  const asked = [...features];
  const addLabels = (
    column: 'tags' | 'genre',
    kind: string,
    labels: (text: string) => string[],
  ): void => {
    const weight = weights[column];
    if (weight === 0) return;
    asked.push(column);
    const lists = table.strings(column).map((text) => (text ? labels(text) : []));
    blocks.push(indicators(kind, lists, { known, weight, beside: numbers.names.length }));
  };
  addLabels('tags', 'tag', (text) => text.split(',').flatMap((tag) => tag.trim() || []));
  addLabels('genre', 'genre', (name) => [name]);
  const names = blocks.flatMap((block) => block.names);
  if (names.length === 0)
    throw new ArgumentError(
      `No column tells any of the ${tracks.length} tracks from another: ${asked.join(', ')} are missing, or the same for all.`,
    );
  const data = new Float64Array(tracks.length * names.length);
  blocks
    .flatMap((block) => block.columns)
    .forEach((column, c) => {
      for (let row = 0; row < column.length; row++) data[row * names.length + c] = column[row];
    });
  return { names, matrix: { shape: [tracks.length, names.length], data }, known };
}

function weightOf(name: string, value: boolean | number): number {
  if (typeof value === 'boolean') return value ? WEIGHT : 0;
  if (typeof value === 'number' && value > 0 && value < Infinity) return value;
  throw new ArgumentError(`${name} must be true, false or a positive number, got ${said(value)}.`);
}

/** The columns of numbers that differ, standardised. Marks the tracks that have any number. */
function numberBlock(table: Table, features: readonly string[], known: Uint8Array): Block {
  const used = features.filter((name) => varies(table.numbers(name)));
  const left = features.filter((name) => !used.includes(name)).join(', ');
  if (left)
    display().warn(`${left}: the same for all tracks, or missing: left out of the features.`);
  if (used.length === 0) return { names: [], columns: [] };
  const { data } = new StandardScaler().fitTransform(table.select(used));
  const columns = used.map((_, c) => {
    const column = new Float64Array(table.length);
    for (let row = 0; row < column.length; row++) {
      const value = data[row * used.length + c];
      if (Number.isNaN(value)) continue; // 0, the mean
      column[row] = value;
      known[row] = 1;
    }
    return column;
  });
  return { names: used, columns };
}

/** Whether two of the values differ. */
function varies(column: Float64Array): boolean {
  const first = column.find((v) => !Number.isNaN(v));
  return first !== undefined && column.some((v) => !Number.isNaN(v) && v !== first);
}

/**
 * A column for each label that some of the tracks have, and others have not. Marks the tracks that
 * have any.
 */
function indicators(
  kind: string,
  lists: readonly (readonly string[])[],
  { known, weight, beside }: { known: Uint8Array; weight: number; beside: number },
): Block {
  const sets = lists.map((list) => (list.length ? new Set(list) : undefined));
  const labelled = sets.filter((set) => set).length;
  const counts = new Map<string, number>();
  for (const set of sets)
    for (const label of set ?? []) counts.set(label, (counts.get(label) ?? 0) + 1);
  const labels = [...counts]
    .filter(([, n]) => n >= MIN_TRACKS && n < labelled)
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, MAX_TAGS);
  let squares = 0;
  const columns = labels.map(([label, n]) => {
    const share = n / labelled;
    squares += n * (1 - share) ** 2 + (labelled - n) * share ** 2;
    return Float64Array.from(sets, (set) => (set ? Number(set.has(label)) - share : 0));
  });
  const factor = weight * Math.sqrt((Math.max(1, beside) * sets.length) / squares);
  for (const column of columns) for (let row = 0; row < column.length; row++) column[row] *= factor;
  if (labels.length) for (let row = 0; row < sets.length; row++) if (sets[row]) known[row] = 1;
  if (!labels.length)
    display().warn(`No ${kind} is shared by some of the tracks and not by all: left out.`);
  return { names: labels.map(([label]) => `${kind}: ${label}`), columns };
}
