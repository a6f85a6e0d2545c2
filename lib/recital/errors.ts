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
 * Kinds of names that are no ids of the data: those of columns, options, metrics. What else is
 * unknown, kinds of one's own included, may be a user.
 */
const NAMES = [
  'column',
  'hyper-parameter',
  'metric',
  'name',
  'notebook',
  'option',
  'parameter',
  'setting',
];

/** Kinds whose nearest known names may be told to anybody: a catalogue is public. */
const CATALOGUE = ['item', 'track'];

let ids = true;

/** Options of {@link setMessages}. */
export interface MessageOptions {
  /**
   * Whether messages of errors may name known ids and say how many there are; default true. False
   * is for servers and logs: messages repeat the id that was asked for, and name no other user.
   */
  ids?: boolean;
}

/**
 * Sets what messages of errors may contain, and returns the setting. With `ids: false` no message
 * names a user but the one that was asked for, `suggestions` of an {@link UnknownIdError} has no
 * users, and its message says no number of what is known; tracks are still suggested. Messages on a
 * file being read still quote the file, and {@link checkRecommender} its findings. Errors that were
 * made before stay as they are.
 * @throws ArgumentError for another option, and for what is neither true nor false
 * @example
 * const before = setMessages(); // { ids: true }
 * setMessages({ ids: false }); // als.recommend('nobody') throws: Unknown user "nobody".
 * setMessages(before);
 */
export function setMessages(options: MessageOptions = {}): Required<MessageOptions> {
  const of = 'setMessages needs options such as { ids: false }';
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ArgumentError(`${of}, got ${whatIs(options)}.`);
  const other = Object.keys(options).find((name) => name !== 'ids');
  if (other !== undefined)
    throw new ArgumentError(`${of}; there is no option "${shown(other)}", only ids.`);
  if (options.ids !== undefined && typeof options.ids !== 'boolean')
    throw new ArgumentError(`ids must be true or false, got ${whatIs(options.ids)}.`);
  ids = options.ids ?? ids;
  return { ids };
}

/** Whether messages may name known ids. */
export function messagesNameIds(): boolean {
  return ids;
}

/** A user in a message, `user "u1"`, or `a user` where messages name no ids. */
export function userInMessage(id: string): string {
  return ids ? `user "${id}"` : 'a user';
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
 * An id (user, track, column, …) is not known. Carries suggestions; {@link setMessages} can leave
 * out those of users.
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
    const open = ids || NAMES.includes(kind.split(' ')[0]);
    const near =
      text === undefined || !(open || CATALOGUE.includes(kind)) ? [] : nearest(text, known);
    const count = `. ${known.length.toLocaleString('en')} ${counted(kind, known.length)} known`;
    const guess = near.length ? `; did you mean "${shown(near[0])}"?` : undefined;
    const next = open ? count + (guess ?? examples(known)) : (guess ?? '.');
    const got =
      text === undefined ? `: a text was expected, got ${whatIs(id)}` : ` "${shown(text)}"`;
    super(`Unknown ${kind}${got}${next}${hint && ` ${hint}`}`);
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
