import { Random } from '../../compute/random.js';
import { CollabDataLoaders } from '../../data/collab.js';
import type { LearnerOptions } from '../../learner/learner.js';
import type { OptFunc } from '../../learner/optimizers/optimizer.js';
import { Adam } from '../../learner/optimizers/steps.js';
import { LightGCN, type LightGCNOptions } from '../../models/light-gcn.js';
import { BPRLoss } from '../../nn/losses.js';
import { checkArgument } from '../../options.js';
import { FoldedUser, type HistoryItem, type HistoryOptions, readHistory } from '../fold-in.js';
import type { SavedForm } from '../saved-form.js';
import {
  CollabModelLearner,
  CollabRecommender,
  type ModelVectors,
} from './recommending-learner.js';
import { collabForm } from './saved-learner.js';

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
  const wanted =
    'loaders, such as CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 } }) makes';
  checkArgument(dls instanceof CollabDataLoaders, dls, 'lightGCNLearner', wanted);
  const { nFactors, layers, reg, seed = 42, ...rest } = options;
  const random = new Random(seed).child('init');
  const model = new LightGCN(dls.classes, dls.seen, { nFactors, layers, reg, random });
  const { lossFunc = new BPRLoss(), optFunc = pytorchAdam } = rest;
  const learn = new LightGCNLearner(dls, model, { ...rest, lossFunc, optFunc });
  learn.seed = seed;
  return learn;
}

/** Adam with PyTorch's defaults. */
const pytorchAdam: OptFunc = (params, { lr }) =>
  new Adam(params, { lr, sqrMom: 0.999, eps: 1e-8, wd: 0 });

/** Recommends by the final vectors of a LightGCN: the recommender of a {@link LightGCNLearner}. */
export class LightGCNRecommender extends CollabRecommender<LightGCNLearner> {
  readonly name: string = 'LightGCN';

  protected vectors(): ModelVectors {
    const { model } = this.learn;
    const { nFactors: width, classes } = model;
    const all = model.propagated();
    const from = classes.user.length * width;
    return {
      user: { values: all.subarray(0, from), width },
      item: { values: all.subarray(from), width },
    };
  }

  /**
   * Recommends to a user who is not in the training data, as to a node that joins the graph, with a
   * vector of its own that is 0: what its tracks pass on to it, each by 1/√(tracks · users of the
   * track), is its vector. Playcounts make no difference.
   */
  override foldIn(history: readonly HistoryItem[], options: HistoryOptions = {}): FoldedUser {
    this.learn.settle();
    const { track, skipped } = readHistory(this, history, options);
    const { nFactors, classes, layers } = this.learn.model;
    const users = this.seen.usersPerTrack();
    const start = (t: number): number => (classes.user.length + 1 + t) * nFactors;
    const passed = this.learn.model.passedOn();
    const vector = new Float64Array(nFactors);
    for (const t of track) {
      const norm = 1 / Math.sqrt(track.length * users[t]) / (layers + 1);
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
  /** The model that it trains. */
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
    make(dls, config, options) {
      const reg = config.has('reg') ? config.number('reg') : undefined;
      if (reg !== undefined && reg < 0) config.wrong('reg', '0 or more');
      const [nFactors, layers] = [config.count('nFactors'), config.count('layers')];
      const model = new LightGCN(dls.classes, dls.seen, { nFactors, layers, reg });
      return new LightGCNLearner(dls, model, options);
    },
  });
}
