import type { CsrRows } from '../data/csr.js';
import { type Plays, playsAmong } from '../data/plays.js';
import { indicesIn, type Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import type { FoldedUser, HistoryItem, HistoryOptions } from '../recommend/fold-in.js';
import { Interactions } from '../recommend/interactions.js';
import { Recommender, type TrackVectors } from '../recommend/recommender.js';
import type { SavedForm } from '../recommend/saved-form.js';
import { checkBoth } from './candidates.js';

/**
 * Codes of tracks that are the same for all recommenders: the index of a track differs between
 * recommenders that were trained on different plays.
 */
export class TrackCodes {
  private readonly byId = new Map<string, number>();
  private readonly byVocabulary = new Map<Vocabulary, Int32Array>();

  /** Tracks with a code so far. */
  get length(): number {
    return this.byId.size;
  }

  /** The code of each class of a vocabulary; new tracks get the next ones. */
  of(tracks: Vocabulary): Int32Array {
    const known = this.byVocabulary.get(tracks);
    if (known) return known;
    const codes = Int32Array.from(tracks.classes, (id) => {
      const code = this.byId.get(id) ?? this.byId.size;
      this.byId.set(id, code);
      return code;
    });
    this.byVocabulary.set(tracks, codes);
    return codes;
  }

  /** The ids, by code. */
  ids(): string[] {
    return [...this.byId.keys()];
  }
}

/** Options of {@link HeldOut}. */
export interface HeldOutOptions {
  /** Ids of the users to measure; default: all with held-out plays. */
  users?: ReadonlySet<string>;
  /** Keep users without a relevant track, whose lists still count in the coverage. */
  keepEmpty?: boolean;
}

/** The relevant tracks of each user: those in held-out plays that the user has not in training. */
export class HeldOut {
  /** Codes of tracks, those of training first. */
  readonly codes: TrackCodes = new TrackCodes();
  /** The users that are measured. */
  readonly users: readonly string[];
  /** Their relevant tracks, by code: a row per user. */
  readonly relevant: CsrRows;
  /** Number of tracks that each of them has in training; 0 for a user unknown to training. */
  readonly activity: Int32Array;
  /** Number of users who have played each track in training, by code. */
  readonly listeners: Int32Array;
  /** Number of users in training. */
  readonly trainUsers: number;
  /** Number of tracks in training: they have the codes 0 … trainTracks − 1. */
  readonly trainTracks: number;

  /**
   * @param train the plays that recommenders are trained on
   * @param heldOut the plays to be found
   * @throws ArgumentError if nothing is relevant to any user
   */
  constructor(
    train: Plays | Interactions,
    heldOut: Plays,
    { users, keepEmpty = false }: HeldOutOptions = {},
  ) {
    const before = train instanceof Interactions ? train : Interactions.fromPlays(train);
    const after = Interactions.fromPlays(heldOut);
    const trainCode = this.codes.of(before.tracks);
    this.trainTracks = this.codes.length;
    this.trainUsers = before.users.length;
    const code = this.codes.of(after.tracks);
    this.listeners = new Int32Array(this.codes.length);
    before.usersPerTrack().forEach((n, t) => {
      this.listeners[trainCode[t]] = n;
    });
    const ids: string[] = [];
    const activity: number[] = [];
    const indptr = [0];
    const indices: number[] = [];
    const add = (id: string, own: number, tracks: Int32Array): void => {
      for (const t of tracks) {
        const c = code[t]; // of a track of training, its index there
        if (own < 0 || c >= this.trainTracks || !before.has(own, c)) indices.push(c);
      }
      if (!keepEmpty && indices.length === indptr[ids.length]) return;
      ids.push(id);
      activity.push(own < 0 ? 0 : before.row(own).length);
      indptr.push(indices.length);
    };
    const ownOf = indicesIn(after.users, before.users);
    after.users.classes.forEach((id, u) => {
      if (!users || users.has(id)) add(id, ownOf[u], after.row(u));
    });
    for (const id of keepEmpty && users ? users : [])
      if (!after.users.has(id)) add(id, before.users.indexOf(id), new Int32Array(0));
    this.users = ids;
    this.activity = Int32Array.from(activity);
    this.relevant = { indptr: Int32Array.from(indptr), indices: Int32Array.from(indices) };
    if (indices.length === 0)
      throw new ArgumentError(
        'No user has a held-out track that is not in training as well, so there is nothing to measure. Is this the right part of the split?',
      );
  }
}

/**
 * The same recommender with further plays counted as seen: lists leave them out, though nothing was
 * learnt from them. For plays that came in after training, and to mask validation plays when
 * measuring on test plays (as RecBole's full ranking does).
 * @param recommender left as it is
 * @param plays further plays of its users; users and tracks that it does not know are left out
 * @example evaluateRecommender(withSeen(ease, split.valid), split.test)
 */
export function withSeen(recommender: Recommender, plays: Plays): Recommender {
  checkBoth('withSeen', recommender, plays);
  return new WithSeen(recommender, joined(recommender.seen, plays));
}

export class WithSeen extends Recommender {
  readonly name: string;
  override readonly prediction?: (score: number) => number;
  override readonly trackVectors?: () => TrackVectors;
  override readonly userVectors?: () => TrackVectors;

  constructor(
    readonly of: Recommender,
    seen: Interactions,
  ) {
    super(seen, { catalogue: of.catalogue, names: of.names });
    this.name = of.name;
    if (of.prediction) this.prediction = (score) => of.prediction!(score);
    if (of.trackVectors) this.trackVectors = () => of.trackVectors!();
    if (of.userVectors) this.userVectors = () => of.userVectors!();
  }

  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    return this.of.foldIn(history, options);
  }

  override get canFoldIn(): boolean {
    return this.of.canFoldIn;
  }

  scores(users: Int32Array, out: Float32Array): void {
    this.of.scores(users, out);
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<WithSeen> = {
    name: 'WithSeen',
    describe: ({ of }) => ({ config: {}, parts: [of] }),
    make: ({ seen }, _config, _tensors, [of]) => new WithSeen(of, seen),
  };
}

/** Seen and further plays together, kept: recommenders trained on the same plays share them. */
const known = new WeakMap<Interactions, WeakMap<Plays, Interactions>>();

function joined(seen: Interactions, plays: Plays): Interactions {
  const ofSeen = known.get(seen) ?? new WeakMap<Plays, Interactions>();
  known.set(seen, ofSeen);
  const made = ofSeen.get(plays) ?? join(seen, plays);
  ofSeen.set(plays, made);
  return made;
}

function join(seen: Interactions, plays: Plays): Interactions {
  const { users, tracks, indptr } = seen;
  const further = playsAmong(plays, seen);
  const n = seen.length + further.user.length;
  const pairs = {
    user: new Int32Array(n),
    track: new Int32Array(n),
    playcount: new Float32Array(n),
  };
  for (let u = 0; u < users.length; u++) pairs.user.fill(u, indptr[u], indptr[u + 1]);
  pairs.track.set(seen.indices);
  pairs.playcount.set(seen.playcount);
  pairs.user.set(further.user, seen.length);
  pairs.track.set(further.track, seen.length);
  pairs.playcount.set(further.playcount, seen.length);
  return Interactions.fromPairs({ users, tracks, ...pairs });
}
