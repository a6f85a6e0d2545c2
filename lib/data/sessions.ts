import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { interruptible } from '../compute/interrupt.js';
import { ArgumentError, DataError } from '../errors.js';
import { checkArgument, checkOptions } from '../options.js';
import { openText } from './text-file.js';
import { Vocabulary } from './vocabulary.js';

/**
 * Listening sessions: sequences of items, in the order in which they were played. An item may repeat.
 * @example new Sessions(Vocabulary.fromValues(['a', 'b']), Int32Array.of(0, 3), Int32Array.of(0, 1, 0)).session(0) // ['a', 'b', 'a']
 */
export class Sessions {
  /** Number of sessions. */
  readonly length: number;

  /**
   * @param items the items
   * @param indptr length + 1 numbers: session `s` is `item[indptr[s] … indptr[s + 1])`
   * @param item index in `items`, session after session
   */
  constructor(
    readonly items: Vocabulary,
    readonly indptr: Int32Array,
    readonly item: Int32Array,
  ) {
    checkArgument(
      items instanceof Vocabulary,
      items,
      'new Sessions',
      "the items' Vocabulary, indptr and item; readSessions reads sessions from a file",
    );
    this.length = indptr.length - 1;
  }

  /** The item ids of session `s`, in order. */
  session(s: number): string[] {
    if (!(Number.isInteger(s) && s >= 0 && s < this.length)) {
      throw new ArgumentError(`Session ${s} does not exist; there are ${this.length}, counted from 0.`);
    }
    return this.items.decode(this.item.subarray(this.indptr[s], this.indptr[s + 1]));
  }

  /** The sessions with these numbers, in this order, with all items. */
  take(sessions: ArrayLike<number>): Sessions {
    const indptr = new Int32Array(sessions.length + 1);
    for (let j = 0; j < sessions.length; j++) {
      const s = sessions[j];
      if (!(Number.isInteger(s) && s >= 0 && s < this.length)) {
        throw new ArgumentError(`Session ${s} does not exist; there are ${this.length}, counted from 0.`);
      }
      indptr[j + 1] = indptr[j] + this.indptr[s + 1] - this.indptr[s];
    }
    const item = new Int32Array(indptr[sessions.length]);
    for (let j = 0; j < sessions.length; j++) item.set(this.item.subarray(this.indptr[sessions[j]], this.indptr[sessions[j] + 1]), indptr[j]);
    return new Sessions(this.items, indptr, item);
  }

  [inspect.custom](): string {
    const n = (x: number): string => x.toLocaleString('en');
    return `Sessions: ${n(this.length)} of ${n(this.item.length)} plays in all, of ${n(this.items.length)} items`;
  }
}

/** Options of {@link readSessions}. */
export interface ReadSessionsOptions {
  /** The items to encode with, e.g. those of the training sessions. Default: those of the file, sorted. Unknown ones: UnknownIdError. */
  items?: Vocabulary;
}

/**
 * Reads sessions from a text file (also .gz): a session a line, its item ids separated by blanks or commas. Blank lines are left out.
 * @param path the file
 * @throws DataError for a missing, empty, cut-off or foreign file
 * @example const train = await readSessions('train_sessions.txt.gz'); const test = await readSessions('test_sessions.txt.gz', { items: train.items });
 */
export async function readSessions(path: string, options: ReadSessionsOptions = {}): Promise<Sessions> {
  checkOptions(options, ['items'], 'readSessions');
  const { items } = options;
  const { gzip } = await openText(path);
  return interruptible(() => parseSessions(path, { gzip, items }));
}

function parseSessions(path: string, { gzip, items }: { gzip: boolean; items: Vocabulary | undefined }): Sessions {
  const bytes = readFileSync(path);
  const lines = (gzip ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split('\n');
  const ids: string[] = [];
  const ends: number[] = [0];
  for (const line of lines) {
    const session = line.split(/[\s,]+/).filter((id) => id !== '');
    if (session.length === 0) continue;
    for (const id of session) ids.push(id);
    ends.push(ids.length);
  }
  if (ids.length === 0) throw new DataError(`"${path}" holds no session.`);
  const vocabulary = items ?? Vocabulary.fromValues(numericIfAll(ids), { kind: 'item' });
  return new Sessions(vocabulary, Int32Array.from(ends), vocabulary.encode(ids));
}

/** Whole numbers sort by size, so that the order is that of the file's own numbering. */
function numericIfAll(ids: readonly string[]): Iterable<string | number> {
  const distinct = [...new Set(ids)];
  return distinct.every((id) => /^(0|[1-9]\d{0,14})$/.test(id)) ? distinct.map(Number) : distinct;
}
