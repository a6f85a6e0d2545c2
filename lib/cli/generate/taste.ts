import type { Random } from '../../compute/random.js';
import type { Catalogue } from './catalogue.js';
import { WeightedDraw } from './draw.js';
import { exactLog, normalQuantile } from './exact.js';

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

/** A list of tracks (or artists) to draw from by popularity. */
interface Shelf {
  items: Int32Array;
  draw: WeightedDraw;
}

/** Share of the users who have a second favourite scene. */
const SECOND_SCENE = 0.6;
/** Where a user's next track comes from when it does not follow from the last one: a favourite artist, a favourite scene (the first with this share), else anywhere. */
const FROM_ARTISTS = 0.36;
const FROM_SCENES = 0.5;
const FROM_FIRST = 0.65;

/**
 * The tracks on their shelves (all, by scene, by artist) and how users draw from them. Scenes, artists and tracks are all drawn in proportion to their popularity, so that the tracks keep the
 * popularity they were given.
 */
export class Tastes {
  private readonly everything: Shelf;
  private readonly scenes: readonly (Shelf | undefined)[];
  private readonly artistsOfScene: readonly (Shelf | undefined)[];
  private readonly tracksOfArtist: readonly (Shelf | undefined)[];
  private readonly sceneDraw: WeightedDraw;
  private readonly catchiness: Float64Array;

  constructor(
    readonly catalogue: Catalogue,
    random: Random,
  ) {
    const { listeners, scene, artist, artists, length } = catalogue;
    const all: number[] = [];
    for (let t = 0; t < length; t++) if (listeners[t] > 0) all.push(t);
    const scenes = 1 + Math.max(...artists.map((a) => a.scene));
    const byScene: number[][] = Array.from({ length: scenes }, () => []);
    const byArtist: number[][] = artists.map(() => []);
    const fame = new Float64Array(artists.length);
    for (const t of all) {
      byScene[scene[t]].push(t);
      byArtist[artist[t]].push(t);
      fame[artist[t]] += listeners[t];
    }
    const artistsByScene: number[][] = Array.from({ length: scenes }, () => []);
    for (let a = 0; a < artists.length; a++) if (fame[a] > 0) artistsByScene[artists[a].scene].push(a);
    this.everything = shelf(all, listeners) as Shelf;
    this.scenes = byScene.map((tracks) => shelf(tracks, listeners));
    this.tracksOfArtist = byArtist.map((tracks) => shelf(tracks, listeners));
    this.artistsOfScene = artistsByScene.map((list) => shelf(list, fame));
    this.sceneDraw = new WeightedDraw(this.scenes.map((s) => s?.draw.total ?? 0));
    // what makes people come back to a track: chance, and a little of what makes it known
    this.catchiness = new Float64Array(length);
    for (const t of all) this.catchiness[t] = 0.35 * normalQuantile((random.uint32() + 0.5) / 4294967296) + 0.07 * (exactLog(listeners[t]) - 4);
  }

  /** Draws the taste of a user who will hear `plays` tracks: those who hear more have more favourite artists. */
  taste(random: Random, plays: number): Taste {
    const first = this.sceneDraw.draw(random);
    let second = random.uniform() < SECOND_SCENE ? this.sceneDraw.draw(random) : -1;
    if (second === first) second = -1;
    const artists: number[] = [];
    for (let i = 2 + Math.floor(plays / 8); i > 0; i--) {
      const shelf = this.artistsOfScene[second >= 0 && random.uniform() >= FROM_FIRST ? second : first] as Shelf;
      artists.push(shelf.items[shelf.draw.draw(random)]);
    }
    return { first, second, artists, key: random.uint32() };
  }

  /** A track to the user's taste, heard before or not. `wide` looks beyond the favourites. */
  draw(random: Random, { first, second, artists }: Taste, wide = false): number {
    const x = random.uniform();
    let from = this.everything;
    if (!wide && x < FROM_ARTISTS) from = this.tracksOfArtist[artists[random.int(artists.length)]] as Shelf;
    else if (!wide && x < FROM_ARTISTS + FROM_SCENES) from = this.scenes[second >= 0 && random.uniform() >= FROM_FIRST ? second : first] as Shelf;
    return from.items[from.draw.draw(random)];
  }

  /** A track of one scene, by popularity. */
  drawOfScene(random: Random, scene: number): number {
    const from = this.scenes[scene] as Shelf;
    return from.items[from.draw.draw(random)];
  }

  /** A track of one artist, by popularity. */
  drawOfArtist(random: Random, artist: number): number {
    const from = this.tracksOfArtist[artist] as Shelf;
    return from.items[from.draw.draw(random)];
  }

  /** Any playable track, each as likely. */
  drawAny(random: Random): number {
    return this.everything.items[random.int(this.everything.items.length)];
  }

  /** How much a user likes a track, without the user's general warmth: the artist and the scene being favourites, the track's own appeal, and the user's feeling for the artist. */
  affinity(taste: Taste, track: number): number {
    const { scene, artist } = this.catalogue;
    const s = scene[track];
    const a = artist[track];
    const liked = taste.artists.includes(a) ? 0.75 : s === taste.first || s === taste.second ? 0 : -0.6;
    return liked + this.catchiness[track] + 0.5 * normalQuantile((mix(taste.key ^ Math.imul(a + 1, 0x9e3779b1)) + 0.5) / 4294967296);
  }
}

function shelf(items: readonly number[], weights: Float64Array): Shelf | undefined {
  if (items.length === 0) return undefined;
  return { items: Int32Array.from(items), draw: new WeightedDraw(items.map((i) => weights[i])) };
}

/** Scrambles 32 bits (the last step of MurmurHash3), so that a pair of user and artist always gives the same number without storing it. */
function mix(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
