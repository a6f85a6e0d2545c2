import { unknownId } from '../data/vocabulary.js';
import { ArgumentError, UnknownIdError } from '../errors.js';
import { checkArgument, whatIs } from '../options.js';
import type { Id, Recommender } from './recommender.js';

/** The index of a user. */
export function userIndex(recommender: Recommender, user: Id): number {
  checkId(user, 'user');
  const index = recommender.users.indexOf(user);
  if (index >= 0) return index;
  const hint =
    recommender.users.length === 0 && recommender.seen.totals
      ? 'It was exported without listening histories ({ seen: false }): foldIn(history) recommends from a history.'
      : recommender.canFoldIn
        ? 'A listener without plays in the training data is not in the model: foldIn(history) recommends from a history.'
        : 'A listener without plays in the training data has no scores: add their plays and train again.';
  throw unknownId(recommender.users, user, hint);
}

/** Throws for what is no id, but has a text that may be one: that of ['u1'] is u1. */
function checkId(id: unknown, kind: string): void {
  if (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint') return;
  const folded =
    typeof id === 'object' && id !== null && 'recommend' in id
      ? ' What is folded in recommends by itself: foldIn(history).recommend().'
      : '';
  throw new ArgumentError(
    `A ${kind} is given by an id, a text or a number, got ${whatIs(id)}.${folded}`,
  );
}

/**
 * The index of a track that a person names by id, title or "title by artist".
 * @returns −1 for a track that the catalogue has and training has not
 */
function findTrack({ tracks, catalogue }: Recommender, track: Id): number {
  checkId(track, 'track');
  const index = tracks.indexOf(track);
  if (index >= 0 || !catalogue) return index >= 0 ? index : tracks.index(track);
  let id: string;
  try {
    id = catalogue.find(typeof track === 'number' ? String(track) : track);
  } catch (error) {
    if (
      error instanceof UnknownIdError &&
      (typeof track === 'number' || error.suggestions.length === 0)
    )
      tracks.index(track); // perhaps a mistyped id, or an index
    throw error;
  }
  return tracks.indexOf(id);
}

/** The index of a track, which must have been played in training. */
export function trackIndex(recommender: Recommender, track: Id): number {
  const index = findTrack(recommender, track);
  if (index >= 0) return index;
  const hint =
    'The catalogue has it, but nobody plays it in the training data, so the model knows nothing about it.';
  throw new UnknownIdError('track', String(track), recommender.tracks.classes, hint);
}

/** The indices of tracks, which must have been played in training. */
export function trackIndices(
  recommender: Recommender,
  tracks: readonly Id[],
  method: string,
): number[] {
  checkList(tracks, method);
  return tracks.map((track) => trackIndex(recommender, track));
}

/** Throws unless these are an array. */
function checkList(tracks: readonly Id[], name: string): void {
  if (Array.isArray(tracks)) return;
  const one =
    typeof tracks === 'string' || typeof tracks === 'number'
      ? ` For one track: [${JSON.stringify(tracks)}].`
      : '';
  throw new ArgumentError(
    `${name} needs an array of tracks (ids, titles, or "title by artist"), got ${whatIs(tracks)}.${one}`,
  );
}

/**
 * Throws unless these are users, and `out` has room for their scores: once a call, since a number
 * beyond the end would be NaN, or lost.
 */
export function checkScores(
  { users: { length }, tracks }: Recommender,
  users: Int32Array,
  out: Float32Array,
): void {
  checkArgument(
    users instanceof Int32Array,
    users,
    'scores',
    "users' indices, such as Int32Array.of(recommender.users.index(user))",
  );
  for (let b = 0; b < users.length; b++) {
    if (!(users[b] >= 0 && users[b] < length))
      throw new ArgumentError(`There is no user ${users[b]}; there are ${length}, counted from 0.`);
  }
  checkOut(out, users.length * tracks.length, 'users × tracks');
}

/**
 * Throws unless this is a history, or several are, and `out` has room for the scores after them.
 */
export function checkHistories(
  { tracks }: Recommender,
  histories: readonly Int32Array[],
  out: Float32Array,
): void {
  checkArgument(
    Array.isArray(histories),
    histories,
    'scoresOfMany',
    'an array of histories, an Int32Array of track indices each',
  );
  for (const history of histories) {
    checkArgument(
      history instanceof Int32Array,
      history,
      'A score',
      'a history of track indices, such as Int32Array.of(recommender.tracks.index(track))',
    );
  }
  checkOut(out, histories.length * tracks.length, 'histories × tracks');
}

function checkOut(out: Float32Array, n: number, sizes: string): void {
  checkArgument(
    out instanceof Float32Array,
    out,
    'A score',
    `a Float32Array to write to, ${sizes} = ${n}`,
  );
  if (out.length < n)
    throw new ArgumentError(
      `A Float32Array of ${sizes} = ${n} numbers was expected to write to, got one of ${out.length}.`,
    );
}

/**
 * The tracks that must not be recommended to anybody, ascending. Tracks that the catalogue has and
 * training has not are no candidates anyway.
 */
export function blockedTracks(
  recommender: Recommender,
  { among, exclude }: { among?: readonly Id[]; exclude?: readonly Id[] },
): Int32Array {
  if (among === undefined && exclude === undefined) return new Int32Array(0);
  if (among !== undefined) checkList(among, 'among');
  if (exclude !== undefined) checkList(exclude, 'exclude');
  const blocked = new Uint8Array(recommender.tracks.length);
  if (among) {
    if (among.length === 0)
      throw new ArgumentError(
        'among is empty: there is nothing to choose from. Leave it out to choose from all tracks.',
      );
    blocked.fill(1);
    let allowed = 0;
    for (const track of among) {
      const index = findTrack(recommender, track);
      if (index < 0) continue;
      blocked[index] = 0;
      allowed++;
    }
    if (allowed === 0)
      throw new ArgumentError(
        `None of the ${among.length} tracks of among is played in the training data, so none has a score.`,
      );
  }
  for (const track of exclude ?? []) {
    const index = findTrack(recommender, track);
    if (index >= 0) blocked[index] = 1;
  }
  const list = new Int32Array(blocked.length);
  let n = 0;
  for (let t = 0; t < blocked.length; t++) if (blocked[t]) list[n++] = t;
  return list.slice(0, n);
}

/** The error of a recommender that cannot fold listeners in. */
export function cannotFoldIn({ name }: { readonly name: string }): ArgumentError {
  return new ArgumentError(
    `${name} cannot fold in a listener whom it was not trained on (canFoldIn is false). Add their plays and train again, or fold them into a model of factors, of ` +
      'neighbours, of content or of the next track.',
  );
}
