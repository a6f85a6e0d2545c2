import type { Random } from '../../recital/compute/random.js';
import { normal, scramble, WeightedDraw } from '../draw.js';
import { exactExp, exactLog, normalQuantile } from '../exact.js';
import { balance } from '../tracks/balance.js';
import type { Catalogue } from '../tracks/catalogue.js';
import { SCENES, SOUND } from '../tracks/communities.js';
import { Shelves } from '../tracks/genres.js';

/** What a user likes. */
export interface Taste {
  /** The favourite scene, and a second one or −1. */
  first: number;
  second: number;
  /** Favourite artists, of the favourite scenes. */
  artists: readonly number[];
  /** Marks the user in what is drawn for a pair of user and artist. */
  key: number;
}

/** Share of the users who have a second favourite scene. */
const SECOND_SCENE = 0.5;
/**
 * Where a user's next track comes from when it does not follow from the last one: a favourite
 * artist, a favourite scene (the first with the share `FROM_FIRST`), else anywhere.
 */
const FROM_ARTISTS = 0.34;
const FROM_SCENES = 0.5;
const FROM_FIRST = 0.7;
/** Scenes whose mean normal scores are this far apart count as close. */
const CLOSE = 0.45;

/**
 * How users choose. Scenes, artists and tracks are all drawn by popularity, so that a track's
 * popularity is what it was given, whoever likes what.
 */
export class Tastes {
  private readonly shelves: Shelves;
  /** For each scene, what its friends have as their second favourite. */
  private readonly neighbours: readonly WeightedDraw[];
  /** What makes people come back to a track: chance, and a little of what makes it known. */
  private readonly catchiness: Float64Array;

  /** @param rates how often each track is drawn */
  constructor(
    random: Random,
    private readonly catalogue: Catalogue,
    rates: Float64Array,
  ) {
    this.shelves = new Shelves(catalogue, rates);
    this.neighbours = secondScenes(catalogue, rates);
    this.catchiness = Float64Array.from(catalogue.users, (l) =>
      l > 0 ? 0.42 * normal(random) + 0.1 * (exactLog(l) - 4) : 0,
    );
  }

  /**
   * Draws the taste of a user who will hear `plays` tracks: those who hear more have more favourite
   * artists.
   */
  taste(random: Random, plays: number): Taste {
    const first = this.shelves.scene(random);
    let second = random.uniform() < SECOND_SCENE ? this.neighbours[first].draw(random) : -1;
    if (second === first) second = -1;
    const artists: number[] = [];
    for (let i = 2 + Math.floor(plays / 8); i > 0; i--)
      artists.push(this.shelves.artistOfScene(random, favouriteScene(random, first, second)));
    return { first, second, artists, key: random.uint32() };
  }

  /** A track to the user's taste, heard before or not; `wide` looks beyond the favourites. */
  track(random: Random, { first, second, artists }: Taste, wide: boolean): number {
    const x = wide ? 1 : random.uniform();
    if (x < FROM_ARTISTS)
      return this.shelves.trackOfArtist(random, artists[random.int(artists.length)]);
    if (x < FROM_ARTISTS + FROM_SCENES)
      return this.shelves.trackOfScene(random, favouriteScene(random, first, second));
    return this.shelves.track(random);
  }

  /** Any track that is played at all, each as likely. */
  anyTrack(random: Random): number {
    return this.shelves.anyTrack(random);
  }

  /**
   * How much a user likes a track, without the user's general warmth: artist and scene being
   * favourites, the track's own appeal, and the user's feeling for the artist.
   */
  affinity(taste: Taste, track: number): number {
    const scene = this.catalogue.scene[track];
    const artist = this.catalogue.artist[track];
    const liked = taste.artists.includes(artist)
      ? 0.75
      : scene === taste.first || scene === taste.second
        ? 0
        : -0.6;
    const feeling = normalQuantile(
      (scramble(taste.key ^ Math.imul(artist + 1, 0x9e3779b1)) + 0.5) / 4294967296,
    ); // the same for each pair, without storing it
    return liked + this.catchiness[track] + 0.5 * feeling;
  }
}

/**
 * Second favourites sound like the first: scenes are paired by closeness, each in proportion to its
 * popularity all the same.
 */
function secondScenes({ scene }: Catalogue, rates: Float64Array): WeightedDraw[] {
  const n = SCENES.length;
  const share = new Float64Array(n);
  for (let t = 0; t < rates.length; t++) share[scene[t]] += rates[t];
  const pairs = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let distance = 0;
      for (let k = 0; k < SOUND.length; k++)
        distance +=
          (SCENES[i].sound[k] - SCENES[j].sound[k]) * (SCENES[i].sound[k] - SCENES[j].sound[k]);
      pairs[i * n + j] =
        i === j ? 0 : share[i] * share[j] * exactExp(-distance / (2 * CLOSE * CLOSE));
    }
  }
  balance(pairs, share, share);
  return SCENES.map((_, i) => {
    const row = pairs.subarray(i * n, (i + 1) * n);
    return new WeightedDraw(row.some((x) => x > 0) ? row : share); // a small catalogue may have one scene alone
  });
}

function favouriteScene(random: Random, first: number, second: number): number {
  return second >= 0 && random.uniform() >= FROM_FIRST ? second : first;
}
