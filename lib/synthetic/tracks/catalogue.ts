import type { Random } from '../../recital/compute/random.js';
import { USERS_PER_TRACK } from '../calibration.js';
import { BentLogNormal, normal, ranks } from '../draw.js';
import { normalQuantile } from '../exact.js';
import type { Size } from '../kaggle.js';
import { type Artist, inventArtists } from './artists.js';
import { type Audio, drawAudio } from './audio.js';
import { SCENES } from './communities.js';
import { spotifyId, trackId } from './ids.js';
import { flavour, trackTitle } from './names.js';
import { drawGenres, drawTags } from './tags.js';

/** The invented tracks, as columns; row i is line i of `Music Info.csv`. */
export interface Catalogue {
  length: number;
  id: string[];
  name: string[];
  spotifyId: string[];
  tags: string[];
  genre: string[];
  audio: Audio;
  artists: Artist[];
  /** Index of each track's artist. */
  artist: Int32Array;
  /** Index of each track's scene. */
  scene: Uint8Array;
  /**
   * How popular each track is, in users among 962,037 users; 0 for those that nobody plays.
   * Depends on the artist and on chance, not on the sound.
   */
  users: Float64Array;
}

/** How much of the logarithm of a track's popularity is its artist's. */
const FAME_SHARE = 0.45;
/** Share of tracks that are called like a track of somebody else. */
const COVERS = 0.008;

/** Invents a catalogue. */
export function inventCatalogue(random: Random, size: Size): Catalogue {
  const artists = inventArtists(random.child('artists'), size);
  const n = size.catalogue;
  const artist = new Int32Array(n);
  const playable = new Uint8Array(n);
  const order = random.child('order').permutation(n);
  let slot = 0;
  artists.forEach(({ playable: heard, silent }, a) => {
    for (let i = 0; i < heard + silent; i++, slot++) {
      artist[order[slot]] = a;
      playable[order[slot]] = i < heard ? 1 : 0;
    }
  });
  const audio = drawAudio(
    random.child('audio'),
    artist,
    artists.map((a) => a.scene),
  );
  const ids = random.child('id');
  const spotify = random.child('spotify');
  return {
    length: n,
    id: distinct(n, () => trackId(ids)),
    name: drawTitles(random.child('title'), artist, artists),
    spotifyId: distinct(n, () => spotifyId(spotify)),
    tags: drawTags(random.child('tags'), artist, artists, audio.year),
    genre: drawGenres(random.child('genre'), artist, artists),
    audio,
    artists,
    artist,
    scene: Uint8Array.from(artist, (a) => artists[a].scene),
    users: drawUsers(random.child('listeners'), artist, artists, playable),
  };
}

function distinct(n: number, make: () => string): string[] {
  const seen = new Set<string>();
  while (seen.size < n) seen.add(make());
  return [...seen];
}

function drawTitles(random: Random, artist: Int32Array, artists: readonly Artist[]): string[] {
  const used = artists.map(() => new Set<string>());
  const titles = new Array<string>(artist.length);
  for (let t = 0; t < titles.length; t++) {
    const { scene, native, origin } = artists[artist[t]];
    if (t > 0 && random.uniform() < COVERS) {
      const title = titles[random.int(t)];
      if (!used[artist[t]].has(title)) {
        used[artist[t]].add(title);
        titles[t] = title;
        continue;
      }
    }
    titles[t] = trackTitle(
      random,
      flavour(SCENES[scene].name),
      native ? origin : undefined,
      used[artist[t]],
    );
  }
  return titles;
}

function drawUsers(
  random: Random,
  artist: Int32Array,
  artists: readonly Artist[],
  playable: Uint8Array,
): Float64Array {
  const tracks: number[] = [];
  for (let t = 0; t < artist.length; t++) if (playable[t]) tracks.push(t);
  const scores = tracks.map(
    (t) =>
      Math.sqrt(FAME_SHARE) * artists[artist[t]].fame + Math.sqrt(1 - FAME_SHARE) * normal(random),
  );
  const law = new BentLogNormal(USERS_PER_TRACK, normalQuantile);
  const users = new Float64Array(artist.length);
  ranks(scores).forEach((p, i) => {
    users[tracks[i]] = law.at(normalQuantile(p));
  });
  return users;
}
