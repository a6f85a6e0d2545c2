import { Csr } from '../../../lib/recital/data/csr.js';
import type { Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { checkArgument, checkOptions, said } from '../../../lib/recital/options.js';

import type { SideRows } from '../../../lib/recital/recommend/neighbours/ease.js';

/** Options of {@link tagRows}. */
export interface TagRowsOptions {
  /** Column with the tag; default 'tag'. */
  tag?: string;
  /** Tags that were given fewer times are left out; default 3. */
  minCount?: number;
  /**
   * Plays that are held out: what a user called a track that is held out for that very user is left
   * out, for it says that they know it. Default: none.
   */
  heldOut?: Plays;
}

/**
 * Tags as {@link SideRows}: a row a tag, ln(1 + times given) for each track.
 * @param tags a row for each time a tag was given, with a column track_id and one with the tag;
 *   with `heldOut` also user_id
 * @example tagRows((await readHetRec(file)).tags, { heldOut: split.test })
 */
export function tagRows(tags: Table, options: TagRowsOptions = {}): SideRows {
  checkOptions(options, ['tag', 'minCount', 'heldOut'], 'tagRows');
  const { tag = 'tag', minCount = 3, heldOut } = options;
  if (!(Number.isInteger(minCount) && minCount >= 1))
    throw new ArgumentError(`minCount must be a positive whole number, got ${said(minCount)}.`);
  checkArgument(
    tags instanceof Table,
    tags,
    'tagRows',
    'a table of tags with the columns tag and track_id, such as (await readHetRec(folder)).tags',
  );
  const names = tags.strings(tag);
  const ids = tags.strings('track_id');
  const given = Array.from({ length: tags.length }, (_, i) => i).filter(
    (i) => names[i] !== null && ids[i] !== null,
  );
  const kept = heldOut ? withoutHeldOut(given, tags, heldOut) : given;
  const counts = new Map<string, number>();
  for (const i of kept) counts.set(names[i]!, (counts.get(names[i]!) ?? 0) + 1);
  const used = kept.filter((i) => counts.get(names[i]!)! >= minCount);
  if (used.length === 0)
    throw new ArgumentError(`No tag was given ${minCount} times. Lower minCount.`);
  const [tagOf, trackOf] = [used.map((i) => names[i]!), used.map((i) => ids[i]!)];
  const rows = Vocabulary.fromValues(tagOf, { kind: 'tag' });
  const tracks = Vocabulary.fromValues(trackOf, { kind: 'track' });
  const pairs = { row: rows.encode(tagOf), column: tracks.encode(trackOf) };
  const matrix = Csr.fromPairs([rows.length, tracks.length], pairs, Float32Array);
  matrix.data.forEach((times, j) => {
    matrix.data[j] = Math.log1p(times);
  });
  return { rows, tracks, matrix };
}

function withoutHeldOut(given: readonly number[], tags: Table, heldOut: Plays): number[] {
  const users = tags.strings('user_id');
  const ids = tags.strings('track_id');
  const pairs = new Set<number>();
  const pair = (user: number, track: number): number => user * heldOut.tracks.length + track;
  for (let i = 0; i < heldOut.length; i++) pairs.add(pair(heldOut.user[i], heldOut.track[i]));
  const [userOf, trackOf] = [heldOut.users, heldOut.tracks].map(
    ({ classes }) => new Map(classes.map((id, i) => [id, i])),
  );
  return given.filter((i) => {
    const user = userOf.get(users[i] ?? '');
    const track = trackOf.get(ids[i]!);
    return user === undefined || track === undefined || !pairs.has(pair(user, track));
  });
}
