import { visible, whatIs } from './printed.js';

/** The known name nearest to a name, in an array; empty if none is near. */
const { nearest } = require('./nearest.cjs') as {
  nearest(name: string, known: readonly string[]): string[];
};

/**
 * Base class of every error that the library raises on purpose, so that a notebook can tell them
 * from defects.
 * @example
 * try {
 *   await readPlays('nowhere.csv');
 * } catch (error) {
 *   if (error instanceof RecitalError) console.log(error.message);
 * }
 */
export class RecitalError extends Error {
  constructor(message: string) {
    super(typeof message === 'string' ? visible(bounded(message), '\n\t') : message);
    this.name = new.target.name;
  }
}

/**
 * An argument has a wrong value, type or shape.
 * @example
 * try {
 *   randomSplit(10, { validPct: 2 });
 * } catch (error) {
 *   if (error instanceof ArgumentError) console.log(error.message); // what was expected, what came, what to do
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
 * Work was stopped, by Ctrl-C or a notebook's stop button, before it had a result. Work that can
 * keep what it has so far ends without an error instead.
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
   * @param known every name that would have been right
   * @param hint a sentence on what to do
   */
  constructor(kind: string, id: string, known: readonly string[], hint = '') {
    const text = typeof id === 'string' || typeof id === 'number' ? String(id) : undefined; // types are not checked in every notebook
    const near = text === undefined ? [] : nearest(text, known);
    const count = `${known.length.toLocaleString('en')} ${counted(kind, known.length)} known`;
    const next = near.length ? `; did you mean "${shown(near[0])}"?` : examples(known);
    const got =
      text === undefined ? `: a text was expected, got ${whatIs(id)}` : ` "${shown(text)}"`;
    super(`Unknown ${kind}${got}. ${count}${next}${hint && ` ${hint}`}`);
    this.suggestions = near;
  }
}

/** A message whose middle is cut out if it is long: it may quote a whole file. */
function bounded(message: string): string {
  return message.length > 10_000 ? `${message.slice(0, 5000)} … ${message.slice(-5000)}` : message;
}

/** An id in a message, of at most 100 characters. */
function shown(id: string): string {
  return visible(id.length > 100 ? `${id.slice(0, 100)}…` : id);
}

/** "track" or "tracks"; "column of weights" or "columns of weights". */
function counted(kind: string, n: number): string {
  return n === 1
    ? kind
    : kind.replace(/^[^ ]+/, (noun) =>
        /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`,
      );
}

/** Known names as examples: all of up to six, else three. */
function examples(known: readonly string[]): string {
  if (known.length === 0) return '.';
  if (known.length <= 6) return `: ${known.map(shown).join(', ')}.`;
  return `, such as ${known.slice(0, 3).map(shown).join(', ')}.`;
}
