import path from 'node:path';
import { Random } from '../recital/compute/random.js';
import { ArgumentError } from '../recital/errors.js';
import { drawPlaycounts } from './listening/playcounts.js';
import { type Listening, listen, mostPlays } from './listening/plays.js';
import { type Catalogue, inventCatalogue } from './tracks/catalogue.js';
import { writeUserId } from './tracks/ids.js';
import {
  csvField,
  type FileWriter,
  pythonFloat,
  refuseToOverwrite,
  type Written,
  writeFiles,
} from './write.js';

/** How large a generated dataset is. */
export interface Size {
  /** Users, each with at least one play. */
  users: number;
  /** Rows of `User Listening History.csv`. */
  plays: number;
  /** Rows of `Music Info.csv`. */
  catalogue: number;
  /**
   * How many tracks of the catalogue anybody may play; the others have no users whatever the
   * number of users.
   */
  playable: number;
  /** How many different tracks occur in the listening history. */
  heard: number;
}

/**
 * The sizes by name: the committed sample, the paper's subset (10,000 users of the real data hear
 * 15,676 tracks), and the whole dataset.
 */
export const SIZES = {
  sample: { users: 4_000, plays: 42_000, catalogue: 4_000, playable: 4_000, heard: 3_000 },
  paper: { users: 10_000, plays: 103_827, catalogue: 50_683, playable: 30_459, heard: 15_676 },
  full: { users: 962_037, plays: 9_711_301, catalogue: 50_683, playable: 30_459, heard: 30_459 },
} as const satisfies Record<string, Size>;

/** Kaggle's file names. */
export const MUSIC_INFO = 'Music Info.csv';
export const LISTENING_HISTORY = 'User Listening History.csv';

const INFO_HEADER =
  'track_id,name,artist,spotify_preview_url,spotify_id,tags,genre,year,duration_ms,danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,time_signature\n';
const HISTORY_HEADER = 'track_id,user_id,playcount\n';
const TRACK_ID = 18;
const USER_ID = 40;

/** A generated dataset in memory. */
export interface Generated extends Listening {
  catalogue: Catalogue;
  playcount: Uint16Array;
}

/**
 * Generates a dataset in memory: the same seed gives the same one on every machine.
 * @param size how large, one of `SIZES` or one's own
 * @param seed any integer
 */
export function generate(size: Size, seed = 1): Generated {
  const { users, plays, catalogue, playable, heard } = size;
  if (
    !(
      users >= 1 &&
      plays >= users &&
      heard >= 1 &&
      heard <= playable &&
      heard <= plays &&
      playable <= catalogue
    )
  ) {
    throw new ArgumentError(
      `A size needs 1 ≤ users ≤ plays, 1 ≤ heard ≤ playable ≤ catalogue and heard ≤ plays; got users ${users}, plays ${plays}, heard ${heard}, playable ${playable}, catalogue ${catalogue}.`,
    );
  }
  const room = Math.floor(users * mostPlays(playable) * 0.75);
  if (plays > room)
    throw new ArgumentError(
      `${users} users of ${playable} playable tracks have room for at most ${room} plays, got ${plays}. Ask for more users or tracks.`,
    );
  const random = new Random(seed).child('recital data');
  const tracks = inventCatalogue(random.child('catalogue'), size);
  const listening = listen(random.child('listening'), tracks, size);
  return {
    ...listening,
    catalogue: tracks,
    playcount: drawPlaycounts(random.child('playcount'), listening.affinity),
  };
}

/**
 * Generates a dataset and writes it as `Music Info.csv` and `User Listening History.csv` into a
 * folder.
 * @throws DataError if one of the files exists, unless `force`
 */
export function writeKaggle(
  size: Size,
  dir: string,
  { seed = 1, force = false }: { seed?: number; force?: boolean } = {},
): Written[] {
  const files = [path.join(dir, MUSIC_INFO), path.join(dir, LISTENING_HISTORY)];
  if (!force) refuseToOverwrite(files);
  const data = generate(size, seed);
  return writeFiles(files, ([info, history]) => {
    writeInfo(info, data.catalogue);
    writeHistory(history, data, new Random(seed).child('recital data').child('user ids'));
  });
}

function writeInfo(
  file: FileWriter,
  { length, id, name, artist, artists, spotifyId, tags, genre, audio }: Catalogue,
): void {
  file.text(INFO_HEADER);
  for (let t = 0; t < length; t++) {
    const a = audio;
    const text = [id[t], name[t], artists[artist[t]].name, '', spotifyId[t], tags[t], genre[t]]
      .map(csvField)
      .join(',');
    const whole = [a.year[t], a.duration_ms[t]].join(',');
    file.line(
      `${text},${whole},${pythonFloat(a.danceability[t])},${pythonFloat(a.energy[t])},${a.key[t]},${pythonFloat(a.loudness[t])},${a.mode[t]},` +
        `${[a.speechiness[t], a.acousticness[t], a.instrumentalness[t], a.liveness[t], a.valence[t], a.tempo[t]].map(pythonFloat).join(',')},${a.time_signature[t]}\n`,
    );
  }
}

function writeHistory(
  file: FileWriter,
  { catalogue, start, track, playcount }: Generated,
  ids: Random,
): void {
  file.text(HISTORY_HEADER);
  const trackIds = Buffer.from(catalogue.id.join(''), 'latin1');
  const userId = new Uint8Array(USER_ID);
  for (let u = 0; u + 1 < start.length; u++) {
    writeUserId(ids, userId, 0);
    for (let i = start[u]; i < start[u + 1]; i++)
      file.play(trackIds, track[i], TRACK_ID, userId, playcount[i]);
  }
}
