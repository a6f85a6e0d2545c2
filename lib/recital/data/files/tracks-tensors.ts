import { DataError } from '../../errors.js';
import { readStrings, stringTensors } from '../packed-strings.js';
import { type Column, Table } from '../table.js';
import { Tracks } from '../tracks.js';
import type { Tensor, TensorSource } from './safetensors.js';

const texts = ['track_id', 'name', 'artist'] as const;

/**
 * What lists show of tracks, as tensors: strings `catalogue.track_id` and, as far as the catalogue
 * has them, `catalogue.name` (titles), `catalogue.artist`, both empty where unknown, and
 * `catalogue.year` (F64, NaN where unknown).
 */
export function tracksTensors({ table }: Tracks): [string, Tensor][] {
  const tensors: [string, Tensor][] = [];
  for (const name of texts) {
    if (!table.has(name)) continue;
    const values = table.strings(name).map((v) => v ?? '');
    tensors.push(...stringTensors(`catalogue.${name}`, values));
  }
  if (table.has('year'))
    tensors.push(['catalogue.year', { shape: [table.length], data: table.numbers('year') }]);
  return tensors;
}

/** The catalogue in a file; undefined if there is none. */
export function readTracks(st: TensorSource): Tracks | undefined {
  if (!st.tensors.has('catalogue.track_id.bytes')) return undefined;
  const columns: Record<string, Column> = {};
  let length = 0;
  for (const name of texts) {
    if (!st.tensors.has(`catalogue.${name}.bytes`)) continue;
    const values = readStrings(st, `catalogue.${name}`);
    if (name === 'track_id') length = values.length;
    if (values.length !== length)
      throw new DataError(`catalogue.${name} has ${values.length} texts for ${length} tracks.`);
    columns[name] = values.map((v) => v || null);
  }
  if (st.tensors.has('catalogue.year')) columns.year = st.read('catalogue.year', 'F64', [length]);
  return new Tracks(new Table(columns));
}
