import type { Random } from '../../recital/compute/random.js';
import { WeightedDraw } from '../draw.js';
import type { Catalogue } from './catalogue.js';

interface Shelf {
  items: readonly number[];
  draw: WeightedDraw;
}

/**
 * The tracks of a catalogue on shelves (all, by scene, by artist; the artists by scene), to draw
 * from in proportion to weights.
 */
export class Shelves {
  private readonly everything: Shelf;
  private readonly scenes: readonly (Shelf | undefined)[];
  private readonly artistsOfScene: readonly (Shelf | undefined)[];
  private readonly tracksOfArtist: readonly (Shelf | undefined)[];
  private readonly sceneDraw: WeightedDraw;

  /** @param weights one for each track of the catalogue; tracks of weight 0 are on no shelf */
  constructor({ scene, artist, artists }: Catalogue, weights: Float64Array) {
    const all: number[] = [];
    for (let t = 0; t < weights.length; t++) if (weights[t] > 0) all.push(t);
    const scenes = 1 + artists.reduce((most, a) => Math.max(most, a.scene), 0);
    const byScene: number[][] = Array.from({ length: scenes }, () => []);
    const byArtist: number[][] = artists.map(() => []);
    const artistWeights = new Float64Array(artists.length);
    for (const t of all) {
      byScene[scene[t]].push(t);
      byArtist[artist[t]].push(t);
      artistWeights[artist[t]] += weights[t];
    }
    const artistsByScene: number[][] = Array.from({ length: scenes }, () => []);
    for (let a = 0; a < artists.length; a++)
      if (artistWeights[a] > 0) artistsByScene[artists[a].scene].push(a);
    this.everything = { items: all, draw: new WeightedDraw(all.map((t) => weights[t])) };
    this.scenes = byScene.map((tracks) => shelf(tracks, weights));
    this.tracksOfArtist = byArtist.map((tracks) => shelf(tracks, weights));
    this.artistsOfScene = artistsByScene.map((list) => shelf(list, artistWeights));
    this.sceneDraw = new WeightedDraw(this.scenes.map((s) => s?.draw.total ?? 0));
  }

  /** A scene, in proportion to the weights of its tracks. */
  scene(random: Random): number {
    return this.sceneDraw.draw(random);
  }

  /** An artist of a scene, in proportion to the weights of the artist's tracks. */
  artistOfScene(random: Random, scene: number): number {
    return from(this.artistsOfScene[scene] as Shelf, random);
  }

  track(random: Random): number {
    return from(this.everything, random);
  }

  trackOfScene(random: Random, scene: number): number {
    return from(this.scenes[scene] as Shelf, random);
  }

  trackOfArtist(random: Random, artist: number): number {
    return from(this.tracksOfArtist[artist] as Shelf, random);
  }

  /** A track on a shelf, each as likely. */
  anyTrack(random: Random): number {
    return this.everything.items[random.int(this.everything.items.length)];
  }
}

function shelf(items: readonly number[], weights: Float64Array): Shelf | undefined {
  return items.length === 0
    ? undefined
    : { items, draw: new WeightedDraw(items.map((i) => weights[i])) };
}

function from({ items, draw }: Shelf, random: Random): number {
  return items[draw.draw(random)];
}
