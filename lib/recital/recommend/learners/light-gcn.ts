import { Random } from '../../compute/random.js';
import { CollabDataLoaders } from '../../data/collab.js';
import type { Fields } from '../../data/files/fields.js';
import { ArgumentError } from '../../errors.js';
import type { LearnerOptions } from '../../learner/learner.js';
import type { OptFunc } from '../../learner/optimizers/optimizer.js';
import { Adam } from '../../learner/optimizers/steps.js';
import { LightGCN, type LightGCNOptions } from '../../models/light-gcn.js';
import { BPRLoss } from '../../nn/losses.js';
import { factorScores } from '../factors/factors.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import { checkScores, type TrackVectors } from '../recommender.js';
import type { SavedForm } from '../saved-form.js';
import { CollabModelLearner, CollabRecommender, collabForm } from './collab-recommender.js';

/**
 * Options of {@link lightGCNLearner}; those of a Learner, whose `lossFunc` and `optFunc` have other
 * defaults, and the model's.
 */
export interface LightGCNLearnerOptions extends LearnerOptions, LightGCNOptions {
  /** Seed of the initial weights; default 42. */
  seed?: number | string;
}

/**
 * A learner of LightGCN, by default with BPRLoss and PyTorch's Adam (sqrMom 0.999, eps 1e-8, no
 * weight decay), as RecBole-GNN trains it: a gradient is spread over the whole graph, so that most
 * of its entries are far smaller than fastai's eps of 1e-5. `reg` regularises the vectors.
 *
 * Loaders with negatives and large batches suit it (RecBole-GNN has 4,096 pairs, here `bs: 8192`),
 * a constant rate of 0.001 to 0.005, and several hundred epochs, as long as validation improves.
 * @param dls from CollabDataLoaders, with `negatives`
 * @example
 * const dls = CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 }, bs: 256 });
 * const learn = lightGCNLearner(dls, { layers: 2 });
 * await learn.fit(60, 5e-3);
 * learn.recommend(user, { n: 10 });
 */
export function lightGCNLearner(
  dls: CollabDataLoaders,
  options: LightGCNLearnerOptions = {},
): LightGCNLearner {
  if (!(dls instanceof CollabDataLoaders)) {
    throw new ArgumentError(
      `lightGCNLearner needs loaders, such as CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 } }) makes.`,
    );
  }
  const {
    nFactors,
    layers,
    reg,
    seed = 42,
    lossFunc = new BPRLoss(),
    optFunc = pytorchAdam,
    ...rest
  } = options;
  const model = new LightGCN(dls.classes, dls.seen, {
    nFactors,
    layers,
    reg,
    random: new Random(seed).child('init'),
  });
  const learn = new LightGCNLearner(dls, model, { ...rest, lossFunc, optFunc });
  learn.seed = seed;
  return learn;
}

/** Adam with PyTorch's defaults. */
const pytorchAdam: OptFunc = (params, { lr }) =>
  new Adam(params, { lr, sqrMom: 0.999, eps: 1e-8, wd: 0 });

/**
 * Recommends by the final vectors of a LightGCN: what a {@link LightGCNLearner} answers as a
 * recommender.
 */
export class LightGCNRecommender extends CollabRecommender<LightGCNLearner> {
  readonly name: string = 'LightGCN';

  /**
   * The product of the final vectors of a block of users and all tracks: see
   * {@link Recommender.scores}.
   */
  scores(users: Int32Array, out: Float32Array): void {
    checkScores(this, users, out);
    this.learn.settle();
    const { nFactors, classes } = this.learn.model;
    const all = this.learn.model.propagated();
    const [userRows, trackRows] = [classes.user.length, classes.item.length];
    const tables = {
      userFactors: all.subarray(0, userRows * nFactors),
      trackFactors: all.subarray(userRows * nFactors),
      userBias: new Float32Array(userRows),
      trackBias: new Float32Array(trackRows),
    };
    factorScores(users, out, { ...tables, width: nFactors, skip: 1 });
  }

  /** The final vector of each user; a copy. */
  override userVectors(): TrackVectors {
    this.learn.settle();
    const { nFactors, classes } = this.learn.model;
    return {
      values: this.learn.model.propagated().slice(nFactors, classes.user.length * nFactors),
      width: nFactors,
    };
  }

  /** The final vector of each track; a copy. */
  override trackVectors(): TrackVectors {
    this.learn.settle();
    const { nFactors, classes } = this.learn.model;
    return {
      values: this.learn.model.propagated().slice((classes.user.length + 1) * nFactors),
      width: nFactors,
    };
  }

  /**
   * Recommends to a listener who is not in the training data, as to a node that joins the graph,
   * with a vector of its own that is 0: what its tracks pass on to it, each by 1/√(tracks ·
   * listeners), is its vector. Playcounts make no difference.
   */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    this.learn.settle();
    const { track, skipped } = readHistory(this, history, options);
    const { nFactors, classes, layers } = this.learn.model;
    const listeners = this.seen.usersPerTrack();
    const start = (t: number): number => (classes.user.length + 1 + t) * nFactors;
    const passed = this.learn.model.passedOn();
    const vector = new Float64Array(nFactors);
    for (const t of track) {
      const norm = 1 / Math.sqrt(track.length * listeners[t]) / (layers + 1);
      for (let f = 0; f < nFactors; f++) vector[f] += norm * passed[start(t) + f];
    }
    const all = this.learn.model.propagated();
    const scores = Float32Array.from({ length: this.tracks.length }, (_, t) => {
      let sum = 0;
      for (let f = 0; f < nFactors; f++) sum += vector[f] * all[start(t) + f];
      return sum;
    });
    return new FoldedUser(this, track, scores, { skipped, vector });
  }
}

/**
 * A Learner whose model is LightGCN, and a recommender.
 * @example
 * const learn: LightGCNLearner = lightGCNLearner(CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 }, bs: 128 }), { layers: 2 });
 * await learn.fitOneCycle(3, 0.03);
 * learn.recommend(user, { n: 10 });
 */
export class LightGCNLearner extends CollabModelLearner<LightGCNRecommender> {
  declare readonly model: LightGCN;

  protected override makeRecommender(): LightGCNRecommender {
    return new LightGCNRecommender(this);
  }

  /** How a file describes it, and how it is made again. */
  static readonly saved: SavedForm<LightGCNLearner> = collabForm({
    name: 'LightGCN',
    withoutSeen: false, // they are its graph
    config: ({ model: { nFactors, layers, reg } }) => ({ nFactors, layers, reg }),
    parameterCount: (config, { user, item }) =>
      (user.length + item.length) * config.count('nFactors'),
    // The graph is that of the loaders, which come next: until then a model without neighbours.
    make: (config, classes) =>
      new LightGCN(classes, noNeighbours(classes.user.length), {
        nFactors: config.count('nFactors'),
        layers: config.count('layers'),
        reg: readReg(config),
      }),
    learner: (dls, { nFactors, layers, reg, weight }, options) => {
      const model = new LightGCN(dls.classes, dls.seen, { nFactors, layers, reg });
      model.weight.value.set(weight.value);
      return new LightGCNLearner(dls, model, options);
    },
  });
}

function readReg(config: Fields): number | undefined {
  if (!config.has('reg')) return undefined;
  const reg = config.number('reg');
  return reg >= 0 ? reg : config.wrong('reg', '0 or more');
}

function noNeighbours(users: number): { indptr: Int32Array; indices: Int32Array } {
  return { indptr: new Int32Array(users + 1), indices: new Int32Array(0) };
}
