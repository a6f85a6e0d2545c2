import { dispose, float32 } from '../compute/memory.js';
import { Table } from '../data/table.js';
import { indicesIn } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { instead, isRecommender } from '../evaluation/candidates.js';
import { checkArgument, checkOneOf, checkOptions, type NoOptions } from '../options.js';
import { withTracks } from '../recommend/content/content.js';
import {
  FoldedUser,
  type HistoryItem,
  type HistoryOptions,
  readHistory,
} from '../recommend/fold-in.js';
import type { Interactions } from '../recommend/interactions.js';
import {
  cannotFoldIn,
  checkHistories,
  checkScores,
  type Id,
  Recommender,
  trackIndex,
  userIndex,
} from '../recommend/recommender.js';
import type { SavedForm } from '../recommend/saved-form.js';
import { checkList, ScoreList, SequenceRecommender } from '../sequential/sequence-recommender.js';
import {
  FUSIONS,
  type Fusion,
  maximumScores,
  normaliseScores,
  sameClasses,
  type WeightedSumOptions,
  weightsOf,
} from './normalise.js';

/** Options of {@link Hybrid}. */
export interface HybridOptions extends WeightedSumOptions {
  /** How scores are made comparable: standardised, 'sum' (default), or by reciprocal 'rank'. */
  fusion?: Fusion;
}

/**
 * Several recommenders as one: score = Σ weight · comparable score of the recommender, where
 * comparable means, for each user and over the tracks that the user has not played,
 *
 *     'sum'    (score − mean) / standard deviation
 *     'rank'   1 / (60 + rank)      (reciprocal rank fusion)
 *
 * Its tracks are all that any of them knows. A recommender adds nothing to a track that it does not
 * know, which with 'sum' is its mean: so a recommender by content brings in tracks that nobody has
 * played yet. Users are those of the first recommender. {@link fitHybrid} finds the weights.
 * @example new Hybrid([new ItemKNN(train), await EASE.fit(train)], { weights: [0.3, 1] }).recommend(user)
 */
export class Hybrid extends Recommender {
  readonly name: string;
  /** One weight per recommender, in their order. */
  readonly weights: readonly number[];
  /** How scores are made comparable before they are added. */
  readonly fusion: Fusion;
  private readonly parts: readonly Part[];

  /** @param recommenders at least one, trained on the same data */
  constructor(
    readonly recommenders: readonly Recommender[],
    options: HybridOptions = {},
  ) {
    checkRecommenders('Hybrid', recommenders, '[new ItemKNN(train), await EASE.fit(train)]');
    checkOptions(options, ['weights', 'fusion', 'name'], 'Hybrid');
    const { weights, fusion = 'sum', name = namesOf(recommenders) } = options;
    const catalogue = recommenders.find((r) => r.catalogue)?.catalogue;
    super(jointInteractions(recommenders), { catalogue });
    this.weights = weightsOf('Hybrid', recommenders, weights);
    checkOneOf(fusion, FUSIONS, 'fusion');
    this.fusion = fusion;
    this.name = name;
    this.parts = recommenders.map((recommender) => partOf(recommender, this));
  }

  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    const tracks = this.tracks.length;
    out.fill(0);
    this.parts.forEach((part, p) => {
      if (this.weights[p] === 0) return;
      eachRow(part, users, this.fusion, (row, b) => {
        add(row, part, this.weights[p], out.subarray(b * tracks, (b + 1) * tracks));
      });
    });
  }

  /**
   * What each recommender contributes to the score of a track: its name, its own score, the
   * comparable one, its weight, and their product, the contribution. The sum is the score.
   */
  explain(user: Id, track: Id, options: NoOptions = {}): Table {
    checkOptions(options, [], 'explain');
    const u = userIndex(this, user);
    const t = trackIndex(this, track);
    return Table.fromRows(
      this.parts.map((part, p) => {
        const { recommender } = part;
        const [ownUser, ownTrack] = [part.user ? part.user[u] : u, part.track?.indexOf(t) ?? t];
        let [score, comparable] = [NaN, 0];
        if (ownUser >= 0 && ownTrack >= 0) {
          const row = new Float32Array(recommender.tracks.length);
          recommender.scores(Int32Array.of(ownUser), row);
          score = row[ownTrack];
          normaliseScores(row, recommender.seen.row(ownUser), this.fusion);
          comparable = row[ownTrack];
        }
        const weight = this.weights[p];
        const contribution = weight * comparable;
        return { recommender: recommender.name, score, comparable, weight, contribution };
      }),
    );
  }

  /** Folds a new user into each part. See {@link Recommender.foldIn}. */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    const unable = this.recommenders.find((r) => !r.canFoldIn);
    if (unable) throw cannotFoldIn(unable);
    const read = readHistory(this, history, options);
    const scores = new Float32Array(this.tracks.length);
    this.parts.forEach((part, p) => {
      const { recommender, track } = part;
      const known = read.entries.filter((entry) => {
        const id = typeof entry === 'object' ? entry.track : entry;
        return !track || recommender.knowsTrack(this.tracks.id(trackIndex(this, id)));
      });
      if (this.weights[p] === 0 || known.length === 0) return;
      const row = recommender.foldIn(known).scores.slice();
      const played = track
        ? Int32Array.from(track.keys()).filter((t) => read.track.includes(track[t]))
        : read.track;
      normaliseScores(row, played, this.fusion);
      add(row, part, this.weights[p], scores);
    });
    return new FoldedUser(this, read.track, scores, read);
  }

  /** Whether each part can fold a new user in. */
  override get canFoldIn(): boolean {
    return this.recommenders.every((r) => r.canFoldIn);
  }

  static readonly saved: SavedForm<Hybrid> = {
    name: 'Hybrid',
    data: 'none',
    describe: ({ recommenders, weights, fusion, name }) => ({
      config: { weights, fusion, title: name },
      parts: recommenders,
    }),
    make: (_data, config, _tensors, parts) =>
      new Hybrid(parts, {
        weights: config.numbers('weights', parts.length),
        fusion: config.text('fusion') as Fusion,
        name: config.text('title'),
      }),
  };
}

/** A recommender with the places of its users and tracks; undefined where they are the same. */
interface Part {
  readonly recommender: Recommender;
  /** Its index of each user of the hybrid, −1 if unknown. */
  readonly user: Int32Array | undefined;
  /** The hybrid's index of each of its tracks. */
  readonly track: Int32Array | undefined;
}

function partOf(recommender: Recommender, { users, tracks }: Recommender): Part {
  const { users: ownUsers, tracks: ownTracks } = recommender;
  return {
    recommender,
    user: sameClasses(users, ownUsers) ? undefined : indicesIn(users, ownUsers),
    track: sameClasses(tracks, ownTracks) ? undefined : indicesIn(ownTracks, tracks),
  };
}

/** What the users of the first recommender have played, over the tracks that any of them knows. */
function jointInteractions([first, ...others]: readonly Recommender[]): Interactions {
  if (others.every((other) => sameClasses(first.tracks, other.tracks))) return first.seen;
  const ids = new Set(others.flatMap(({ tracks }) => tracks.classes));
  return withTracks(first.seen, [...ids]);
}

/** Calls `use` with the comparable scores of each user that a part knows, valid for that call. */
function eachRow(
  { recommender, user }: Part,
  users: Int32Array,
  fusion: Fusion,
  use: (row: Float32Array, b: number) => void,
): void {
  const tracks = recommender.tracks.length;
  const known = Array.from(users.keys()).filter((b) => !user || user[users[b]] >= 0);
  const own = Int32Array.from(known, (b) => (user ? user[users[b]] : users[b]));
  const buffer = float32(own.length * tracks); // on the shared memory, for kernels
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

/**
 * A weighted sum of next-track recommenders: score = Σ weight · (score of the recommender / its
 * maximum for this history). Logits come in as exp((score − maximum) / 2), √softmax divided by its
 * maximum; other scores below 0 count as 0. With equal weights, the default, it can be worse than
 * its best part alone: `fuse` finds weights on held-out sessions.
 * @example new WeightedSum([new Markov(train), new SessionKNN(train), new SequentialRules(train)], { weights: [1, 2, 1] })
 */
export class WeightedSum extends SequenceRecommender {
  readonly name: string;
  override readonly parts: readonly SequenceRecommender[];
  /** One weight per recommender, in their order. */
  readonly weights: readonly number[];
  /** Lists the tracks with a score, where all recommenders do. */
  override readonly listOf?: (history: Int32Array, list: ScoreList) => void;
  /** The scores of one recommender after one history. */
  private readonly list: ScoreList;

  /** @param recommenders at least one, with the same tracks; users are those of the first */
  constructor(
    readonly recommenders: readonly SequenceRecommender[],
    options: WeightedSumOptions = {},
  ) {
    checkSequential('WeightedSum', recommenders);
    checkOptions(options, ['weights', 'name'], 'WeightedSum');
    super(recommenders[0].histories);
    this.parts = recommenders;
    this.weights = weightsOf('WeightedSum', recommenders, options.weights);
    this.list = new ScoreList(this.tracks.length);
    this.name = options.name ?? namesOf(recommenders);
    if (recommenders.every(isSparse))
      this.listOf = (history, list) => {
        checkList(history, list);
        recommenders.forEach((_, r) => {
          this.addScores(r, history, (t, x) => list.add(t, x));
        });
      };
  }

  scoresOf(history: Int32Array, out: Float32Array): void {
    this.scoresOfMany([history], out);
  }

  override scoresOfMany(histories: readonly Int32Array[], out: Float32Array): void {
    checkHistories(this, histories, out);
    const tracks = this.tracks.length;
    const part = new Float32Array(out.length);
    out.fill(0);
    this.recommenders.forEach((recommender, r) => {
      const weight = this.weights[r];
      if (weight === 0) return;
      if (isSparse(recommender)) {
        histories.forEach((history, b) => {
          this.addScores(r, history, (t, x) => {
            out[b * tracks + t] += x;
          });
        });
      } else {
        maximumScores(recommender, histories, part);
        for (let i = 0; i < out.length; i++) out[i] += weight * part[i];
      }
    });
  }

  /** The weighted scores of a recommender after a history, for the tracks that have one. */
  private addScores(r: number, history: Int32Array, use: (t: number, x: number) => void): void {
    if (this.weights[r] === 0) return;
    const { list } = this;
    list.clear();
    this.recommenders[r].listOf!(history, list);
    const factor = this.weights[r] / list.max();
    for (let j = 0; j < list.count; j++) use(list.track[j], factor * list.score[list.track[j]]);
  }

  static readonly saved: SavedForm<WeightedSum> = {
    name: 'WeightedSum',
    data: 'none',
    describe: ({ recommenders, weights, name }) => ({
      config: { weights, title: name },
      parts: recommenders,
    }),
    make: (_data, config, _tensors, parts) =>
      new WeightedSum(parts as readonly SequenceRecommender[], {
        weights: config.numbers('weights', parts.length),
        name: config.text('title'),
      }),
  };
}

function isSparse({ listOf, scale }: SequenceRecommender): boolean {
  return listOf !== undefined && scale === 'count';
}

function namesOf(recommenders: readonly Recommender[]): string {
  return recommenders.map(({ name }) => name).join(' + ');
}

/** Throws unless these are recommenders, at least one. */
function checkRecommenders(of: string, recommenders: readonly Recommender[], such: string): void {
  const wanted = `an array of recommenders, such as ${such}`;
  checkArgument(Array.isArray(recommenders), recommenders, of, wanted);
  if (recommenders.length === 0)
    throw new ArgumentError('There is no recommender to join. Give at least one.');
  const sequential = of !== 'Hybrid';
  recommenders.forEach((each, i) => {
    if (isRecommender(each) && (!sequential || 'scoresOf' in each)) return;
    const got = instead(each, sequential ? 'SequenceRecommender' : 'Recommender');
    throw new ArgumentError(`${of} needs ${wanted}, got ${got} as number ${i} (from 0).`);
  });
}

/** Throws unless these are next-track recommenders whose scores can be added. */
export function checkSequential(of: string, recommenders: readonly SequenceRecommender[]): void {
  checkRecommenders(of, recommenders, '[new Markov(train), new SessionKNN(train)]');
  const [first, ...others] = recommenders;
  const other = others.find(({ tracks }) => !sameClasses(first.tracks, tracks));
  if (other)
    throw new ArgumentError(
      `${first.name} and ${other.name} know different tracks, so their scores cannot be added. Train both on the same data.`,
    );
}
