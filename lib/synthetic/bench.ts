import path from 'node:path';
import { scramble } from './draw.js';
import { LISTENING_HISTORY } from './kaggle.js';
import { type FileWriter, refuseToOverwrite, type Written, writeFiles } from './write.js';

/**
 * The listening histories of the benchmarks: many plays a user, popularity by rank, a few clusters
 * of tracks. They rest on integer hashing and exact arithmetic alone, so that a script in any
 * language can write the same bytes: figures measured elsewhere on "649,484 rows, sha256 39d8e11e…"
 * are on this very file.
 */
export interface Bench {
  users: number;
  tracks: number;
  /** Plays of a user: `base + scale·√(x/(1−x))` with x uniform, so the median is their sum. */
  base: number;
  scale: number;
}

export const BENCHES = {
  bench: { users: 10_000, tracks: 15_676, base: 5, scale: 39 },
  'bench-big': { users: 962_037, tracks: 30_459, base: 1, scale: 6.12 },
} as const satisfies Record<string, Bench>;

/**
 * Tracks are dealt to this many clusters in order of popularity: track t is in cluster t mod 20.
 */
const CLUSTERS = 20;
const MOST_PLAYS = 1500;
const GOLDEN = 0x9e3779b1;
const TRACK_ID = 18;

/** What a stream of hashed numbers decides. */
enum Stream {
  Plays = 1,
  Favourites = 2,
  Track = 3,
  Playcount = 4,
  UserId = 5,
  TrackId = 6,
  Cluster = 7,
}

/**
 * Random numbers by address: stream, subject (a user or track) and counter give 32 bits, in any
 * order.
 */
class Hashed {
  private readonly seeds: readonly number[];

  constructor(seed: number) {
    this.seeds = Array.from({ length: 8 }, (_, stream) =>
      scramble((Math.imul(seed, GOLDEN) + stream) | 0),
    );
  }

  bits(stream: Stream, subject: number, counter: number): number {
    return scramble((scramble(this.seeds[stream] ^ subject) + Math.imul(counter, GOLDEN)) | 0);
  }

  uniform(stream: Stream, subject: number, counter: number): number {
    return this.bits(stream, subject, counter) / 4294967296;
  }
}

/**
 * Writes a benchmark's `User Listening History.csv` into a folder.
 * @throws DataError if the file exists, unless `force`
 */
export function writeBench(
  bench: Bench,
  dir: string,
  { seed = 1, force = false }: { seed?: number; force?: boolean } = {},
): Written {
  const file = path.join(dir, LISTENING_HISTORY);
  if (!force) refuseToOverwrite([file]);
  return writeFiles([file], ([writer]) => writePlays(writer, bench, new Hashed(seed)))[0];
}

function writePlays(file: FileWriter, bench: Bench, hashed: Hashed): void {
  const { users, tracks } = bench;
  const ids = trackIds(hashed, tracks);
  const heard = new Uint8Array(tracks);
  const lastUser = new Int32Array(tracks).fill(-1);
  file.text('track_id,user_id,playcount\n');
  for (let user = 0; user < users; user++) {
    const id = userId(hashed, user);
    const favourites = [
      hashed.bits(Stream.Favourites, user, 0) % CLUSTERS,
      hashed.bits(Stream.Favourites, user, 1) % CLUSTERS,
    ];
    const plays = playsOf(hashed, user, bench);
    for (let draw = 0, got = 0; got < plays; draw++) {
      const track = drawTrack(hashed, user, draw, favourites, tracks);
      if (lastUser[track] === user) continue;
      lastUser[track] = user;
      heard[track] = 1;
      got++;
      file.play(
        ids,
        track,
        TRACK_ID,
        id,
        playcount(hashed, user, track, favourites.includes(track % CLUSTERS)),
      );
    }
  }
  // every track occurs: those that nobody drew go to some user each
  for (let track = 0; track < tracks; track++) {
    if (!heard[track])
      file.play(
        ids,
        track,
        TRACK_ID,
        userId(hashed, hashed.bits(Stream.Track, 0xffffffff, track) % users),
        1,
      );
  }
}

function playsOf(hashed: Hashed, user: number, { tracks, base, scale }: Bench): number {
  const x = hashed.uniform(Stream.Plays, user, 0);
  return Math.min(
    MOST_PLAYS,
    Math.floor(base + scale * Math.sqrt(x / (1 - x))),
    Math.floor(tracks / 4),
  );
}

/**
 * A track by popularity rank: 35 % from the first favourite cluster, 25 % from the second, else
 * from all.
 */
function drawTrack(
  hashed: Hashed,
  user: number,
  draw: number,
  favourites: readonly number[],
  tracks: number,
): number {
  const c = hashed.uniform(Stream.Cluster, user, draw);
  const x = hashed.uniform(Stream.Track, user, draw);
  const x2 = x * x;
  const rank = 0.985 * (x2 * x2 * x) + 0.015 * x; // a fifth power: most draws near the top
  if (c >= 0.6) return Math.floor(rank * tracks);
  const cluster = c < 0.35 ? favourites[0] : favourites[1];
  const size = Math.floor((tracks - cluster + CLUSTERS - 1) / CLUSTERS);
  return cluster + CLUSTERS * Math.floor(rank * size);
}

/** A count with P(≥ k) ∝ k^(−4/3), larger in favourite clusters. */
function playcount(hashed: Hashed, user: number, track: number, favourite: boolean): number {
  const m = (favourite ? 1.6 : 0.5) / (1 - hashed.uniform(Stream.Playcount, user, track));
  return Math.min(500, Math.max(1, Math.floor(Math.sqrt(m * Math.sqrt(m)))));
}

function trackIds(hashed: Hashed, tracks: number): Uint8Array {
  const bytes = Buffer.alloc(tracks * TRACK_ID);
  for (let track = 0; track < tracks; track++) {
    let letters = '';
    for (let j = 0, x = hashed.bits(Stream.TrackId, track, 0); j < 5; j++, x = Math.floor(x / 26))
      letters += String.fromCharCode(65 + (x % 26));
    const digits = (scramble(track) & 0xfffffff).toString(16).toUpperCase().padStart(7, '0');
    bytes.write(`TR${letters}128F${digits}`, track * TRACK_ID, 'latin1');
  }
  return bytes;
}

function userId(hashed: Hashed, user: number): Uint8Array {
  let hex = '';
  for (let word = 0; word < 5; word++)
    hex += hashed.bits(Stream.UserId, user, word).toString(16).padStart(8, '0');
  return Buffer.from(hex, 'latin1');
}
