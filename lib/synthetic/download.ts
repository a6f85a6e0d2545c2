import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../recital/data/files/atomic-write.js';
import { statOf } from '../recital/data/files/text-file.js';
import { DataError } from '../recital/errors.js';

/** A file on the web, known to the byte. */
export interface Source {
  readonly url: string;
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Options of {@link download}. */
export interface DownloadOptions {
  /** Replace another file of that name; default false. */
  force?: boolean;
  /** Connections that are tried; default 4. */
  attempts?: number;
  /**
   * Milliseconds before the second attempt, twice as many before each further one; default 1000.
   */
  pause?: number;
  /** Milliseconds without a byte after which a connection counts as broken; default 30,000. */
  patience?: number;
  /** Told what goes on, a line at a time; default: nobody. */
  report?: (line: string) => void;
}

/**
 * Fetches a file. Until it is whole and its checksum right, it is beside its place under another
 * name; a broken download is kept there and goes on where it ended, in this call or a later one, if
 * the server can do that.
 * @returns whether it was fetched; false if the file was there already
 * @throws DataError saying what to do by hand
 */
export async function download(
  source: Source,
  file: string,
  options: DownloadOptions = {},
): Promise<boolean> {
  const {
    force = false,
    attempts = 4,
    pause = 1000,
    patience = 30_000,
    report = () => {},
  } = options;
  if (statOf(file)) {
    if ((await sha256Of(file)) === source.sha256) return false;
    if (!force)
      throw new DataError(
        `"${file}" is there already, and is another file than ${source.url}. Move it away, or give --force to replace it.`,
      );
  }
  makeFolder(path.dirname(file));
  const part = `${file}.part`;
  for (let attempt = 1, wait = pause; ; attempt++) {
    let reason: string;
    try {
      const fresh = await receive(source, part, { patience, report });
      const sum = await sha256Of(part);
      if (sum === source.sha256) break;
      rmSync(part);
      if (fresh) {
        throw new DataError(
          `${source.url} has sha256 ${sum}, expected ${source.sha256}: it is damaged, or not the file that it was. Nothing was kept. ${byHand(source, file)}`,
        );
      }
      reason = 'the parts do not fit together; starting anew';
    } catch (error) {
      if (error instanceof DataError) throw error;
      if (error instanceof Refused)
        throw new DataError(
          `${source.url} cannot be fetched: ${error.message}. ${byHand(source, file)}`,
        );
      reason = reasonOf(error);
    }
    if (attempt >= attempts) {
      const kept = statOf(part)?.size ?? 0;
      const go = kept
        ? ` ${kept.toLocaleString('en')} of ${source.bytes.toLocaleString('en')} bytes are kept: the same command goes on there.`
        : '';
      throw new DataError(
        `${source.url} could not be fetched: ${reason}.${go} ${byHand(source, file)}`,
      );
    }
    report(`${reason}; trying again`);
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait *= 2;
  }
  renameSync(part, file);
  return true;
}

/** An answer that another attempt does not change. */
class Refused extends Error {}

/** Receives what is missing of a file. True if that was all of it. */
async function receive(
  { url, bytes }: Source,
  part: string,
  { patience, report }: Required<Pick<DownloadOptions, 'patience' | 'report'>>,
): Promise<boolean> {
  const have = statOf(part)?.size ?? 0;
  if (have === bytes) return false;
  if (have > bytes) truncateSync(part, 0);
  const from = have > bytes ? 0 : have;
  const abort = new AbortController();
  const giveUp = (): void => abort.abort(new Error(`no answer for ${patience / 1000} s`));
  let timer = setTimeout(giveUp, patience);
  try {
    // Not compressed: a part of the bytes would be of no use.
    const headers = { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) };
    const response = await fetch(url, { headers, signal: abort.signal });
    const goesOn =
      response.status === 206 &&
      new RegExp(`^bytes ${from}-`).test(response.headers.get('content-range') ?? '');
    if (!goesOn && response.status !== 200) {
      await response.body?.cancel();
      if (response.status === 206 || response.status === 416) {
        rmSync(part, { force: true });
        throw new Error(`the server has no bytes from ${from} on; starting anew`);
      }
      const answer = `the server answers ${response.status} ${response.statusText}`.trim();
      throw response.status >= 500 || response.status === 408 || response.status === 429
        ? new Error(answer)
        : new Refused(answer);
    }
    if (goesOn) report(`going on after ${from.toLocaleString('en')} bytes`);
    const fd = openSync(part, goesOn ? 'a' : 'w');
    let at = goesOn ? from : 0;
    try {
      const reader = response.body?.getReader();
      for (let step = await reader?.read(); step && !step.done; step = await reader?.read()) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, patience);
        at += step.value.length;
        if (at > bytes) {
          rmSync(part);
          abort.abort();
          throw new Refused('it is longer than it should be');
        }
        writeAll(fd, part, step.value);
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    const received = statOf(part)?.size ?? 0;
    if (received < bytes)
      throw new Error(
        `the connection ended after ${received.toLocaleString('en')} of ${bytes.toLocaleString('en')} bytes`,
      );
    return !goesOn;
  } finally {
    clearTimeout(timer);
  }
}

function writeAll(fd: number, file: string, chunk: Uint8Array): void {
  try {
    for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
  } catch (error) {
    throw new DataError(
      `"${file}" cannot be written: ${(error as Error).message}. Make room, or choose another place by --out.`,
    );
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** What fetch hides in the cause of its "fetch failed". */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return (cause?.message || cause?.code || message).replace(/\.$/, '');
}

function byHand({ url, sha256 }: Source, file: string): string {
  return `By hand: download ${url} (sha256 ${sha256}) and put it at ${file}.`;
}

/** HetRec 2011 Last.fm-2K, as GroupLens publishes it. */
export const HETREC: Source = {
  url: 'https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip',
  sha256: '6738f48195667ff03caaab4d32ca9a3133d8cc026b7c3cdaf6ce1010e913c59c',
  bytes: 2_589_075,
};

/** Its terms, from the readme in the zip. */
export const HETREC_TERMS = `HetRec 2011 Last.fm-2K: 1,892 users, 17,632 artists, 92,834 play counts, tags, friends.
Made available for non-commercial use; for anything else ask Last.fm (http://www.lastfm.com/about/contact).
Cite the Last.fm website, http://www.lastfm.com, and the workshop: I. Cantador, P. Brusilovsky, T. Kuflik: 2nd Workshop on Information Heterogeneity and
Fusion in Recommender Systems (HetRec 2011), 5th ACM Conference on Recommender Systems (RecSys 2011), Chicago.`;

/**
 * Shows the terms and fetches the zip into a folder, where `readHetRec(folder)` and
 * `readPlays(folder)` find it.
 * @param options those of {@link download}; `print` is told everything, `source` stands for the
 *   publisher's in tests
 * @returns the path of the zip
 */
export async function fetchHetRec(
  folder: string,
  {
    print,
    source = HETREC,
    ...options
  }: Omit<DownloadOptions, 'report'> & { print: (line: string) => void; source?: Source },
): Promise<string> {
  const file = path.join(folder, path.posix.basename(new URL(source.url).pathname));
  print(HETREC_TERMS);
  print('');
  const fetched = await download(source, file, { ...options, report: print });
  print(
    `${path.relative(process.cwd(), file)}: ${source.bytes.toLocaleString('en')} bytes, sha256 ${source.sha256}${fetched ? '' : ' (there already)'}`,
  );
  return file;
}
