import { dispose, float32 } from '../compute/memory.js';
import { Table } from '../data/table.js';
import { Vocabulary } from '../data/vocabulary.js';
import { indicesIn } from '../data/vocabulary-map.js';
import { ArgumentError } from '../errors.js';
import { instead, isRecommender } from '../evaluation/candidates.js';
import { checkArgument, checkOptions, type NoOptions, whatIs } from '../options.js';
import { registerRecommenderKind } from '../recommend/export-recommender.js';
import {
  FoldedUser,
  type HistoryItem,
  type HistoryOptions,
  readHistory,
} from '../recommend/fold-in.js';
import { Interactions } from '../recommend/interactions.js';
import { cannotFoldIn, checkScores, trackIndex, userIndex } from '../recommend/lookup.js';
import { type Id, Recommender } from '../recommend/recommender.js';
import { checkFusion, type Fusion, normaliseScores } from './hybrid-normalise.js';

/** Options of {@link Hybrid}. */
export interface HybridOptions {
  /**
   * A weight for each recommender, not negative, at least one more than 0; default 1 each.
   * {@link fitHybrid} finds them.
   */
  weights?: readonly number[];
  /**
   * How scores are made comparable: 'sum' (default) of standardised scores, or 'rank', reciprocal
   * ranks.
   */
  fusion?: Fusion;
  /** Stands in comparisons; default: the names, joined by ` + `. */
  name?: string;
}

/**
 * Several recommenders as one: score = Σ weight · comparable score of the recommender, where
 * comparable means, user by user and over the tracks that they have not played,
 *
 *     'sum'    (score − mean) / standard deviation
 *     'rank'   1 / (60 + rank)      (reciprocal rank fusion)
 *
 * Its tracks are all that any of them knows. To what a recommender does not know it adds nothing,
 * which with 'sum' is its mean: so a recommender by content brings in tracks that nobody has played
 * yet. Users are those of the first recommender.
 * @example new Hybrid([new ItemKNN(train), await EASE.fit(train)], { weights: [0.3, 1] }).recommend(user)
 */
export class Hybrid extends Recommender {
  readonly name: string;
  /** A weight for each recommender. */
  readonly weights: readonly number[];
  /** How scores are made comparable. */
  readonly fusion: Fusion;
  private readonly parts: readonly Part[];

  /** @param recommenders at least one, trained on the same data */
  constructor(
    readonly recommenders: readonly Recommender[],
    options: HybridOptions = {},
  ) {
    const list: readonly unknown[] = Array.isArray(recommenders) ? recommenders : [recommenders];
    const wrong = list.findIndex((each) => !isRecommender(each));
    if (!Array.isArray(recommenders) || wrong >= 0) {
      const got = Array.isArray(recommenders)
        ? `${instead(list[wrong])} as number ${wrong} (from 0)`
        : whatIs(recommenders);
      throw new ArgumentError(
        `Hybrid needs an array of recommenders, such as [new ItemKNN(train), await EASE.fit(train)], got ${got}.`,
      );
    }
    checkOptions(options, ['weights', 'fusion', 'name'], 'Hybrid');
    const {
      weights = recommenders.map(() => 1),
      fusion = 'sum',
      name = recommenders.map((r) => r.name).join(' + '),
    } = options;
    if (recommenders.length === 0)
      throw new ArgumentError('There is no recommender to join. Give at least one.');
    super(jointInteractions(recommenders), {
      catalogue: recommenders.find((r) => r.catalogue)?.catalogue,
    });
    checkArgument(
      Array.isArray(weights),
      weights,
      'Hybrid',
      'weights, one for each recommender, such as [1, 0.5]',
    );
    if (weights.length !== recommenders.length) {
      throw new ArgumentError(
        `There must be a weight for each of the ${recommenders.length} recommenders, got ${weights.length}.`,
      );
    }
    if (
      !weights.every((w) => typeof w === 'number' && w >= 0 && w < Infinity) ||
      !weights.some((w) => w > 0)
    ) {
      throw new ArgumentError(
        `Weights must not be negative, and one must be more than 0, got [${weights.join(', ')}].`,
      );
    }
    checkFusion(fusion);
    this.weights = [...weights];
    this.fusion = fusion;
    this.name = name;
    this.parts = recommenders.map((recommender) => partOf(recommender, this));
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const tracks = this.tracks.length;
    out.fill(0);
    this.parts.forEach((part, p) => {
      if (this.weights[p] > 0)
        eachRow(part, users, this.fusion, (row, b) =>
          add(row, part, this.weights[p], out.subarray(b * tracks, (b + 1) * tracks)),
        );
    });
  }

  /**
   * What each recommender says of a track: a row each, with its name, its own score, that made
   * comparable, its weight, and the contribution (weight times comparable score). The contributions
   * add up to the score.
   * @param user a user of the training data
   * @param track id, title, or "title by artist"
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Table {
    checkOptions(options, [], 'explain');
    const u = Int32Array.of(userIndex(this, user));
    const t = trackIndex(this, track);
    return Table.fromRows(
      this.parts.map((part, p) => {
        const own = part.track ? part.track.indexOf(t) : t;
        const known = own >= 0 && (!part.user || part.user[u[0]] >= 0);
        let [score, comparable] = [NaN, 0];
        if (known) {
          score = ownScore(part, u[0], own);
          eachRow(part, u, this.fusion, (row) => {
            comparable = row[own];
          });
        }
        const weight = this.weights[p];
        return {
          recommender: part.recommender.name,
          score,
          comparable,
          weight,
          contribution: weight * comparable,
        };
      }),
    );
  }

  /** Recommends to a listener by folding them into each part. See {@link Recommender.foldIn}. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const unable = this.recommenders.find((r) => !r.canFoldIn);
    if (unable) throw cannotFoldIn(unable);
    const read = readHistory(this, history, options);
    const scores = new Float32Array(this.tracks.length);
    this.parts.forEach((part, p) => {
      const own = read.entries.filter(
        (entry) => !part.track || knowsTrack(part.recommender, this, entry),
      );
      if (this.weights[p] === 0 || own.length === 0) return;
      const row = part.recommender.foldIn(own).scores.slice();
      const played = part.track
        ? Int32Array.from(part.track.keys()).filter((t) => read.track.includes(part.track![t]))
        : read.track;
      normaliseScores(row, played, this.fusion);
      add(row, part, this.weights[p], scores);
    });
    return new FoldedUser(this, read.track, scores, read);
  }

  /** Whether each part can fold a listener in. */
  override get canFoldIn(): boolean {
    return this.recommenders.every((r) => r.canFoldIn);
  }
}

/**
 * A recommender, and where its users and tracks are in the hybrid; undefined where they are the
 * same.
 */
interface Part {
  readonly recommender: Recommender;
  /** Its index of each user of the hybrid, −1 if unknown. */
  readonly user: Int32Array | undefined;
  /** The hybrid's index of each of its tracks. */
  readonly track: Int32Array | undefined;
}

function partOf(recommender: Recommender, { users, tracks }: Recommender): Part {
  return {
    recommender,
    user: same(users, recommender.users) ? undefined : indicesIn(users, recommender.users),
    track: same(tracks, recommender.tracks) ? undefined : indicesIn(recommender.tracks, tracks),
  };
}

function same(a: Vocabulary, b: Vocabulary): boolean {
  return a === b || (a.length === b.length && a.classes.every((id, i) => id === b.classes[i]));
}

/** What users have played, over the tracks that any of the recommenders knows. */
function jointInteractions([first, ...others]: readonly Recommender[]): Interactions {
  if (others.every((other) => same(first.tracks, other.tracks))) return first.seen;
  const { users, indptr, indices, playcount } = first.seen;
  const tracks = Vocabulary.fromValues(
    [...new Set([first, ...others].flatMap((r) => r.tracks.classes))],
    { kind: first.tracks.kind },
  );
  const to = indicesIn(first.tracks, tracks);
  const user = new Int32Array(indices.length);
  for (let u = 0; u < users.length; u++) user.fill(u, indptr[u], indptr[u + 1]);
  return Interactions.fromPairs({
    users,
    tracks,
    user,
    track: indices.map((t) => to[t]),
    playcount,
  });
}

/**
 * Calls `use` with the comparable scores of each user that a part knows; the row is good for that
 * call only.
 */
function eachRow(
  { recommender, user }: Part,
  users: Int32Array,
  fusion: Fusion,
  use: (row: Float32Array, b: number) => void,
): void {
  const tracks = recommender.tracks.length;
  const known = Array.from(users.keys()).filter((b) => !user || user[users[b]] >= 0);
  const own = Int32Array.from(known, (b) => (user ? user[users[b]] : users[b]));
  const buffer = float32(own.length * tracks); // on the shared memory, so that kernels write into it
  recommender.scores(own, buffer);
  own.forEach((u, i) => {
    const row = buffer.subarray(i * tracks, (i + 1) * tracks);
    normaliseScores(row, recommender.seen.row(u), fusion);
    use(row, known[i]);
  });
  dispose(buffer);
}

function add(row: Float32Array, { track }: Part, weight: number, out: Float32Array): void {
  if (track) for (let t = 0; t < row.length; t++) out[track[t]] += weight * row[t];
  else for (let t = 0; t < row.length; t++) out[t] += weight * row[t];
}

/** A recommender's own score of a track, both by the hybrid's user and its own track. */
function ownScore({ recommender, user }: Part, u: number, track: number): number {
  const row = new Float32Array(recommender.tracks.length);
  recommender.scores(Int32Array.of(user ? user[u] : u), row);
  return row[track];
}

function knowsTrack(recommender: Recommender, hybrid: Recommender, entry: HistoryItem): boolean {
  return recommender.knowsTrack(
    hybrid.tracks.id(trackIndex(hybrid, typeof entry === 'object' ? entry.track : entry)),
  );
}

registerRecommenderKind<Hybrid>({
  name: 'Hybrid',
  type: Hybrid,
  data: 'none',
  describe: ({ recommenders, weights, fusion, name }) => ({
    config: { weights, fusion, title: name },
    parts: recommenders,
  }),
  make: (_data, config, _tensors, parts) => {
    const fusion = config.text('fusion');
    checkFusion(fusion);
    return new Hybrid(parts, {
      weights: config.numbers('weights', parts.length),
      fusion,
      name: config.text('title'),
    });
  },
});
