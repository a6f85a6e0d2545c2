import { closest, distance } from 'fastest-levenshtein';
import { visible } from './printed.js';

/**
 * Base class of every error that the library raises on purpose, so that a notebook can tell them from defects.
 * @example
 * try {
 *   await readPlays('nowhere.csv');
 * } catch (error) {
 *   if (error instanceof RecitalError) console.log(error.message);
 * }
 */
export class RecitalError extends Error {
  constructor(message: string) {
    super(typeof message === 'string' ? visible(message, '\n\t') : message);
    this.name = new.target.name;
  }
}

/**
 * An argument has a wrong value, type or shape. The message says what was expected, what came and what to do.
 * @example
 * try {
 *   randomSplit(10, { validPct: 2 });
 * } catch (error) {
 *   if (error instanceof ArgumentError) console.log(error.message); // what was expected, and what came
 * }
 */
export class ArgumentError extends RecitalError {}

/**
 * A file or table cannot be used: missing, malformed, truncated, or of another kind than expected.
 * @example
 * try {
 *   await readTable('nowhere.csv');
 * } catch (error) {
 *   if (error instanceof DataError) console.log(error.message);
 * }
 */
export class DataError extends RecitalError {}

/**
 * A number went bad during training (NaN or infinity), or a matrix cannot be solved.
 * @example
 * try {
 *   await learn.fit(1, 1e30);
 * } catch (error) {
 *   if (error instanceof NumericError) console.log(error.message); // epoch, batch and learning rate
 * }
 */
export class NumericError extends RecitalError {}

/**
 * Work was stopped, by Ctrl-C or a notebook's stop button, before it had a result. Work that can keep what it has so far ends without an error instead.
 * @example
 * try {
 *   await learn.validate();
 * } catch (error) {
 *   if (error instanceof InterruptedError) console.log('stopped');
 * }
 */
export class InterruptedError extends RecitalError {}

/**
 * An id (user, track, column, …) is not known. Carries suggestions.
 * @example
 * try {
 *   plays.users.index('nobody');
 * } catch (error) {
 *   if (error instanceof UnknownIdError) console.log(error.suggestions);
 * }
 */
export class UnknownIdError extends RecitalError {
  /** The nearest known names, best first; empty when nothing is near. */
  readonly suggestions: readonly string[];

  /**
   * @param kind what was looked up, e.g. `'track'`
   * @param id what was asked for
   * @param known every name that would have been right
   * @param hint a sentence on what to do, appended to the message
   */
  constructor(kind: string, id: string, known: readonly string[], hint = '') {
    const near = nearest(id, known);
    const count = `${known.length.toLocaleString('en')} ${counted(kind, known.length)} known`;
    const next = near.length ? `; did you mean "${shown(near[0])}"?` : examples(known);
    super(`Unknown ${kind} "${shown(id)}". ${count}${next}${hint ? ` ${hint}` : ''}`);
    this.suggestions = near;
  }
}

/** Characters of an id that a message repeats: it may be a whole file by mistake. */
const MAX_SHOWN = 100;
/** The share of a name's characters that may differ for it to be suggested: of one letter none, of three one. */
const NEAR = 0.4;
/** Letters with which two names must begin alike. */
const BEGINS = 4;
/** So many known names are all listed where none is near; of more the first ones. */
const ALL_LISTED = 6;
const LISTED = 3;

function shown(id: string): string {
  return visible(id.length > MAX_SHOWN ? `${id.slice(0, MAX_SHOWN)}…` : id);
}

/** "track" or "tracks"; "column of weights" or "columns of weights". */
function counted(kind: string, n: number): string {
  return n === 1 ? kind : kind.replace(/^[^ ]+/, (noun) => (/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`));
}

/** Some known names, to show what they look like. */
function examples(known: readonly string[]): string {
  if (known.length === 0) return '.';
  if (known.length <= ALL_LISTED) return `: ${known.map(shown).join(', ')}.`;
  return `, such as ${known.slice(0, LISTED).map(shown).join(', ')}.`;
}

/** A name in lower case and without what Python puts between its words: "n_factors" is "nfactors". */
function joined(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** Whether two texts differ by two neighbouring letters that have changed places: the commonest slip, though two edits by the distance. */
function isSwapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i + 1 < a.length && a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}

/** The known name nearest to `id` by edit distance, ignoring case; where more than `NEAR` of it would have to change, one that begins with most of `id`; or none. */
function nearest(id: string, known: readonly string[]): string[] {
  if (known.length === 0 || id.length === 0) return [];
  const folded = id.toLowerCase();
  const same = known.find((name) => name.toLowerCase() === folded) ?? known.find((name) => joined(id) !== '' && joined(name) === joined(id));
  if (same !== undefined) return [same];
  const swapped = known.find((name) => isSwapped(folded, name.toLowerCase()));
  if (swapped !== undefined) return [swapped];
  if (id.length > 1000) return []; // nobody mistypes that much, and finding the distance takes the product of the lengths
  const near = byDistance(id, folded, known);
  if (near.length) return near;
  // "plays" for "playcount", "dance" for "danceability": nearly all of the name is how another one begins.
  const start = folded.slice(0, Math.max(BEGINS, Math.ceil(0.75 * id.length)));
  const longer = known.find((name) => name.toLowerCase().startsWith(start));
  return longer === undefined || id.length < BEGINS ? [] : [longer];
}

function byDistance(id: string, folded: string, known: readonly string[]): string[] {
  const allowed = (name: string): number => NEAR * Math.max(id.length, name.length);
  const possible = known.filter((name) => Math.abs(name.length - id.length) <= allowed(name)); // no distance is less than the difference in length
  const pool = possible.length > 50_000 ? possible.filter((name) => name[0]?.toLowerCase() === folded[0]) : possible;
  if (pool.length === 0) return [];
  const lower = pool.map((name) => name.toLowerCase());
  const least = distance(folded, closest(folded, lower));
  if (pool.every((name) => least > allowed(name))) return [];
  // Of several that are equally near, one that has all the letters typed, in their order ("embP": embedP, not embSz), or all of whose letters were typed; of
  // these the one that begins alike for longest.
  const rank = (name: string): number => (isWithin(folded, name) || isWithin(name, folded) ? 1000 : 0) + commonStart(folded, name);
  const nearest = lower.flatMap((name, i) => (Math.abs(name.length - folded.length) <= least && distance(folded, name) === least ? [i] : []));
  const best = nearest.reduce((a, b) => (rank(lower[b]) > rank(lower[a]) ? b : a));
  return least <= allowed(pool[best]) ? [pool[best]] : [];
}

/** Whether all letters of a text stand in another one, in their order. */
function isWithin(part: string, whole: string): boolean {
  let at = 0;
  for (let i = 0; i < whole.length && at < part.length; i++) if (whole[i] === part[at]) at++;
  return at === part.length;
}

/** How many letters two texts begin with alike. */
function commonStart(a: string, b: string): number {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
}
