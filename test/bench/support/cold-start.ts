import {
  type ContentRecommender,
  Random,
  Recommender,
  type Tracks,
} from '../../../lib/recital/index.js';

/** What baselines know: the same tracks and plays as the recommender that they stand beside. */
abstract class ColdBaseline extends Recommender {
  constructor({ seen, catalogue }: ContentRecommender) {
    super(seen, { catalogue });
  }
}

/** Tracks in random order, those included that nobody has played. */
export class RandomTracks extends ColdBaseline {
  readonly name: string = 'Random';

  constructor(
    like: ContentRecommender,
    private readonly seed: number,
  ) {
    super(like);
  }

  scores(users: Int32Array, out: Float32Array): void {
    const { length } = this.tracks;
    for (let b = 0; b < users.length; b++) {
      const random = new Random(this.seed).child(this.users.id(users[b]));
      for (let i = b * length; i < (b + 1) * length; i++) out[i] = random.uniform();
    }
  }
}

/**
 * Tracks by their genre, tracks without one being a genre of their own: those of the genre whose
 * tracks have the most users each, or, `own`, of the genre that the user has played most.
 */
export class GenrePopularity extends ColdBaseline {
  readonly name: string;
  private readonly genre: Int32Array;
  private readonly perTrack: Float64Array;

  constructor(
    like: ContentRecommender,
    catalogue: Tracks,
    private readonly own: boolean,
  ) {
    super(like);
    this.name = own ? 'Genres of the user' : 'Genre popularity';
    const column = catalogue.table.strings('genre');
    const names = [...new Set(column)];
    this.genre = Int32Array.from(catalogue.rowsOf(this.tracks), (row) =>
      names.indexOf(column[row]),
    );
    const sums = new Float64Array(names.length);
    const tracks = new Float64Array(names.length);
    this.seen.usersPerTrack().forEach((n, t) => {
      sums[this.genre[t]] += n;
      if (n > 0) tracks[this.genre[t]]++;
    });
    this.perTrack = sums.map((sum, g) => (tracks[g] ? sum / tracks[g] : 0));
  }

  scores(users: Int32Array, out: Float32Array): void {
    const { length } = this.tracks;
    users.forEach((user, b) => {
      const mine = new Float64Array(this.perTrack.length);
      for (const t of this.seen.row(user)) mine[this.genre[t]]++;
      const score = this.own ? mine : this.perTrack;
      for (let t = 0; t < length; t++) out[b * length + t] = score[this.genre[t]];
    });
  }
}

/**
 * The most similar tracks by the audio features themselves: cosine with the mean of the user's
 * tracks, without PCA, weighted as ContentRecommender has it.
 */
export class RawFeatures extends ColdBaseline {
  readonly name: string;
  private readonly rows: readonly Float64Array[];

  /** @param options.scaled standardise the columns first */
  constructor(like: ContentRecommender, catalogue: Tracks, { scaled }: { scaled: boolean }) {
    super(like);
    this.name = scaled ? 'Scaled features, no PCA' : 'Raw features, no PCA';
    const columns = catalogue.audioFeatures.map((name) => {
      const column = catalogue.table.numbers(name);
      const mean = column.reduce((a, b) => a + b, 0) / column.length;
      const deviation = Math.sqrt(column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length);
      return scaled ? column.map((v) => (v - mean) / deviation) : column;
    });
    this.rows = Array.from(catalogue.rowsOf(this.tracks), (row) =>
      Float64Array.from(columns, (column) => column[row]),
    );
  }

  scores(users: Int32Array, out: Float32Array): void {
    const { seen, rows } = this;
    const lengths = rows.map((row) => Math.hypot(...row));
    users.forEach((user, b) => {
      const mean = new Float64Array(rows[0].length);
      for (let i = seen.indptr[user]; i < seen.indptr[user + 1]; i++)
        rows[seen.indices[i]].forEach((v, j) => {
          mean[j] += Math.log1p(seen.playcount[i]) * v;
        });
      rows.forEach((row, t) => {
        let sum = 0;
        for (let j = 0; j < mean.length; j++) sum += mean[j] * row[j];
        out[b * rows.length + t] = sum / lengths[t];
      });
    });
  }
}
