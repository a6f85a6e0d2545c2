import type { Random } from '../../recital/compute/random.js';
import { TRACKS_PER_ARTIST } from '../calibration.js';
import { normal, quantile } from '../draw.js';
import type { Size } from '../kaggle.js';
import { SCENES } from './communities.js';
import { artistName, flavour } from './names.js';
import { ABROAD, type Language } from './words.js';

export interface Artist {
  name: string;
  /** Index into `SCENES`. */
  scene: number;
  /** Where the artist is from, unless from an English-speaking country. */
  origin?: Language;
  /** Whether the titles are in the language of the origin. */
  native: boolean;
  /** Tracks that may be played, and tracks that nobody plays. */
  playable: number;
  silent: number;
  /** How known the artist is, a standard normal number. */
  fame: number;
}

/** Mean number of playable tracks of an artist who has any: 30,459 ÷ 6,207. */
const MEAN_TRACKS = 30_459 / 6_207;
/**
 * Of the tracks that nobody plays, the share by artists whom nobody plays: 2,110 artists among
 * 20,224 tracks.
 */
const SILENT_ARTISTS = (2_110 * MEAN_TRACKS) / 20_224;

/** Share of the artists by origin, and how many times as many there are in some scenes. */
const ORIGINS: Record<Language, { share: number; more?: Record<string, number> }> = {
  french: { share: 0.025, more: { world: 10, 'indie pop': 1.5, dance: 3, downtempo: 2, jazz: 2 } },
  german: {
    share: 0.028,
    more: { world: 7, 'nu metal': 3, 'power metal': 2, 'hip hop': 1.5, dance: 1.5 },
  },
  swedish: { share: 0.033, more: { 'indie pop': 5, 'extreme metal': 1.5 } },
  spanish: { share: 0.012, more: { world: 8, pop: 1.5 } },
  polish: { share: 0.014 },
  japanese: { share: 0.016, more: { world: 3, pop: 2, noise: 2 } },
  russian: { share: 0.005 },
};

/**
 * Invents the artists of a catalogue: how many tracks each has, what kind of music, where from, how
 * known.
 */
export function inventArtists(random: Random, size: Size): Artist[] {
  const silent = size.catalogue - size.playable;
  const playable = trackCounts(random.child('playable'), size.playable);
  const silentOnly = trackCounts(random.child('silent'), Math.round(silent * SILENT_ARTISTS));
  const artists: Artist[] = [];
  for (const count of playable)
    artists.push({ name: '', scene: 0, native: false, playable: count, silent: 0, fame: 0 });
  for (const count of silentOnly)
    artists.push({ name: '', scene: 0, native: false, playable: 0, silent: count, fame: 0 });
  scatter(
    random.child('scatter'),
    artists,
    silent - silentOnly.reduce((a, b) => a + b, 0),
    playable,
  );
  assignScenes(random.child('scene'), artists, size.catalogue);
  const names = random.child('name');
  const origins = random.child('origin');
  const fame = random.child('fame');
  const used = new Set<string>();
  for (const artist of artists) {
    const scene = SCENES[artist.scene].name;
    artist.origin = origin(origins, scene);
    artist.native = artist.origin !== undefined && origins.uniform() < 0.6;
    artist.name = artistName(
      names,
      flavour(scene),
      artist.native ? artist.origin : undefined,
      used,
    );
    artist.fame = normal(fame);
  }
  return artists;
}

/**
 * How many tracks each artist has, `total` in all: evenly spaced quantiles of the real distribution
 * in random order, then as many ones more or less as are needed.
 */
function trackCounts(random: Random, total: number): Int32Array {
  const n = Math.max(total > 0 ? 1 : 0, Math.round(total / MEAN_TRACKS));
  const probabilities = TRACKS_PER_ARTIST.map(([p]) => p);
  const values = TRACKS_PER_ARTIST.map(([, v]) => v);
  const counts = new Int32Array(n);
  const order = random.permutation(n);
  let sum = 0;
  for (let i = 0; i < n; i++)
    sum += counts[order[i]] = Math.max(
      1,
      Math.round(quantile(probabilities, values, (i + 0.5) / n)),
    );
  while (sum !== total) {
    const i = random.int(n);
    if (sum < total) {
      if (counts[i] === 1 && n > 1 && total > n) continue; // the number of artists with a single track stays
      counts[i]++;
      sum++;
    } else if (counts[i] > 2 || (counts[i] === 2 && counts.every((c) => c <= 2))) {
      counts[i]--;
      sum--;
    }
  }
  return counts;
}

/**
 * Gives artists who are played further tracks that are not, in proportion to the tracks they have.
 */
function scatter(random: Random, artists: Artist[], tracks: number, counts: Int32Array): void {
  const slots: number[] = [];
  counts.forEach((count, i) => {
    for (let k = 0; k < count; k++) slots.push(i);
  });
  for (let i = 0; i < tracks; i++) artists[slots[random.int(slots.length)]].silent++;
}

/**
 * Gives each artist a scene so that the scenes' shares of the tracks come out right: the largest
 * artists first, each drawn in proportion to what is missing.
 */
function assignScenes(random: Random, artists: Artist[], tracks: number): void {
  const share = SCENES.reduce((sum, scene) => sum + scene.share, 0);
  const missing = SCENES.map((scene) => (scene.share / share) * tracks);
  const order = artists
    .map((_, i) => i)
    .sort(
      (a, b) =>
        artists[b].playable + artists[b].silent - artists[a].playable - artists[a].silent || a - b,
    );
  for (const i of order) {
    const count = artists[i].playable + artists[i].silent;
    const room = missing.map((m) => (m > 0 ? Math.max(m - count / 2, 0.01) : 0.0001));
    let x = random.uniform() * room.reduce((a, b) => a + b, 0);
    let scene = 0;
    while (scene < room.length - 1 && x >= room[scene]) x -= room[scene++];
    artists[i].scene = scene;
    missing[scene] -= count;
  }
}

function origin(random: Random, scene: string): Language | undefined {
  let x = random.uniform();
  for (const language of Object.keys(ABROAD) as Language[]) {
    const { share, more } = ORIGINS[language];
    x -= share * (more?.[scene] ?? 1);
    if (x < 0) return language;
  }
  return undefined;
}
