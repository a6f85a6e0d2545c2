import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { interruptible } from '../../compute/interrupt.js';
import { DataError } from '../../errors.js';
import { checkOptions } from '../../options.js';
import { Plays } from '../plays.js';
import { warnOfDuplicates } from '../plays-columns.js';

import { Table } from '../table.js';
import { Tracks } from '../tracks.js';
import { decoderLabel, shownNames, shownText } from './csv-format.js';
import { isFile, statOf } from './text-file.js';
import { unzip } from './unzip.js';

/**
 * HetRec 2011 Last.fm-2K (Cantador, Brusilovsky and Kuflik, 2011). It knows artists, not tracks: an
 * artist takes a track's place.
 */
export interface HetRec {
  /** Plays of artists, with the artists' names as titles in `plays.catalogue`. */
  readonly plays: Plays;
  /**
   * Who gave an artist which tag: user_id, track_id (the artist's), tag, timestamp (milliseconds
   * since 1970).
   */
  readonly tags: Table;
  /** Pairs of friends, both ways: user_id, friend_id. */
  readonly friends: Table;
}

/** Options of {@link readHetRec}. */
export interface ReadHetRecOptions {
  /**
   * How the characters of all files are written: a label of TextDecoder, such as `'latin1'`.
   * Default: as published, UTF-8 but Latin-1 in tags.dat.
   */
  encoding?: string;
}

const FILES = [
  'artists.dat',
  'user_artists.dat',
  'tags.dat',
  'user_taggedartists-timestamps.dat',
  'user_friends.dat',
] as const;

/**
 * Reads HetRec 2011 Last.fm-2K: names are UTF-8, tags Latin-1.
 * @param where its zip, a folder with the zip, or the folder of the unpacked files
 * @throws DataError naming file, line and column, also for a character that is none in the file's
 *   encoding
 * @example const { plays, tags, friends } = await readHetRec('hetrec2011-lastfm-2k.zip');
 */
export async function readHetRec(where: string, options: ReadHetRecOptions = {}): Promise<HetRec> {
  checkOptions(options, ['encoding'], 'readHetRec');
  const encoding = decoderLabel(options.encoding);
  const found = locateHetRec(where);
  if (found === undefined)
    throw new DataError(
      `"${where}" is neither HetRec's zip nor a folder with it or with its user_artists.dat.`,
    );
  const zip = isFile(found) ? await unzip(found, FILES) : undefined;
  return interruptible(() => parseHetRec(found, zip, encoding));
}

/** The HetRec collection at a path: the path itself, or in the folder of this path. */
export function locateHetRec(where: string): string | undefined {
  const stat = statOf(where);
  if (stat?.isFile()) return where.toLowerCase().endsWith('.zip') ? where : undefined;
  if (!stat?.isDirectory()) return undefined;
  if (isFile(path.join(where, 'user_artists.dat'))) return where;
  const zip = readdirSync(where).find((name) => /^hetrec.*lastfm.*\.zip$/i.test(name));
  return zip === undefined ? undefined : path.join(where, zip);
}

function parseHetRec(
  found: string,
  zip: ReadonlyMap<string, Buffer> | undefined,
  encoding: string | undefined,
): HetRec {
  const read = (name: (typeof FILES)[number]): Dat => {
    const bytes = zip
      ? zip.get(name)
      : isFile(path.join(found, name))
        ? readFileSync(path.join(found, name))
        : undefined;
    if (!bytes)
      throw new DataError(
        `"${found}" holds no ${name}, so it is not HetRec Last.fm-2K. Unpack another archive, and read the file in it.`,
      );
    const file = zip ? `${found}: ${name}` : path.join(found, name);
    return new Dat(
      file,
      encoding === undefined && name === 'tags.dat'
        ? bytes.toString('latin1')
        : decoded(file, bytes, encoding ?? 'utf-8'),
    );
  };

  const artists = read('artists.dat');
  const catalogue = new Tracks(
    new Table({
      track_id: artists.column('id'),
      name: artists.column('name'),
      url: artists.column('url'),
    }),
  );
  const listens = read('user_artists.dat');
  const [user, track, playcount] = [
    listens.column('userID'),
    listens.column('artistID'),
    listens.numbers('weight', 0),
  ];
  const plays = Plays.fromColumns({ user, track, playcount }, { catalogue });
  warnOfDuplicates(found, plays.repairs);

  const names = read('tags.dat');
  const values = names.column('tagValue');
  const nameOf = new Map(names.column('tagID').map((id, i) => [id, values[i]]));
  const tagged = read('user_taggedartists-timestamps.dat');
  const tags = new Table({
    user_id: tagged.column('userID'),
    track_id: tagged.column('artistID'),
    tag: tagged.column('tagID').map((id) => nameOf.get(id) ?? id),
    timestamp: tagged.numbers('timestamp'),
  });
  const pairs = read('user_friends.dat');
  return {
    plays,
    tags,
    friends: new Table({ user_id: pairs.column('userID'), friend_id: pairs.column('friendID') }),
  };
}

/**
 * The text of a file. Throws DataError for bytes that are no text in an encoding, with the line in
 * UTF-8.
 */
function decoded(file: string, bytes: Buffer, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    if (encoding !== 'utf-8')
      throw new DataError(
        `"${file}": this is no text in ${encoding}. Is its encoding another one?`,
      );
    let line = 1;
    for (let at = 0, end = bytes.indexOf(10); end >= 0 && isUtf8(bytes.subarray(at, end)); line++)
      end = bytes.indexOf(10, (at = end + 1));
    throw new DataError(
      `"${file}", line ${line}: expected text in UTF-8. Give the encoding that it has, such as { encoding: 'latin1' }.`,
    );
  }
}

/** A tab-separated text with a header, without quotation. */
class Dat {
  private readonly names: string[];
  private readonly rows: string[][];

  constructor(
    private readonly file: string,
    text: string,
  ) {
    const lines = text.split(/\r?\n/);
    if (lines[lines.length - 1] === '') lines.pop();
    const [header = '', ...body] = lines;
    this.names = header.split('\t');
    this.rows = body.map((line, i) => {
      const fields = line.split('\t');
      if (fields.length !== this.names.length) {
        throw new DataError(
          `"${file}", line ${i + 2}: expected ${this.names.length} fields, found ${fields.length}.`,
        );
      }
      return fields;
    });
  }

  column(name: string): string[] {
    const j = this.names.indexOf(name);
    if (j < 0)
      throw new DataError(
        `"${this.file}", line 1: expected a column "${name}", found: ${shownNames(this.names)}.`,
      );
    return this.rows.map((row) => row[j]);
  }

  /** A column of finite numbers, each more than `above`. */
  numbers(name: string, above = -Infinity): Float64Array {
    return Float64Array.from(this.column(name), (text, i) => {
      const value = text.trim() === '' ? NaN : Number(text);
      if (!(value > above && value < Infinity)) {
        throw new DataError(
          `"${this.file}", line ${i + 2}, column "${name}": expected a ${above === 0 ? 'positive ' : ''}number, got "${shownText(text)}".`,
        );
      }
      return value;
    });
  }
}
