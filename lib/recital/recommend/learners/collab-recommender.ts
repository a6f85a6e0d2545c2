import { CollabDataLoaders } from '../../data/collab.js';
import type { Target, TargetOptions } from '../../data/collab-rows.js';
import type { Fields, Json } from '../../data/files/fields.js';
import type { TensorSource } from '../../data/files/safetensors.js';
import {
  fingerprint,
  readTracks,
  readVocabulary,
  tracksTensors,
  vocabularyTensors,
} from '../../data/files/tensors.js';
import type { NegativeOptions } from '../../data/negatives.js';
import type { Vocabulary } from '../../data/vocabulary.js';
import { ArgumentError } from '../../errors.js';
import type { LearnerOptions } from '../../learner/learner.js';
import { modelTensors, readModel, setValues } from '../../learner/model-file.js';
import { sigmoid } from '../../nn/activations.js';
import type { Model } from '../../nn/model.js';
import { said } from '../../options.js';
import { Interactions, type InteractionTotals } from '../interactions.js';
import { Recommender } from '../recommender.js';
import type { ExportOptions, RecommenderDescription, SavedForm } from '../saved-form.js';
import {
  checkWeights,
  learnerDescription,
  RECOMMENDER_MEMBERS,
  recommendingLearner,
  restoreLearner,
  restoreOptions,
} from './recommending-learner.js';

/**
 * A model of users and items.
 * @example const model: CollabModel = new EmbeddingDotBias(8, dls.classes, { random: new Random(1) });
 */
export interface CollabModel extends Model {
  /** Users and items by row of its tables, `#na#` first. */
  readonly classes: { readonly user: Vocabulary; readonly item: Vocabulary };
  /** Sigmoid range of the prediction, if any. */
  readonly yRange: readonly [number, number] | undefined;
}

/**
 * Base class of the recommenders of learners on CollabDataLoaders. Users and tracks are those of
 * the training rows: of a track that occurs in validation only nothing was learnt. Lists report the
 * prediction, as `getPreds` returns it.
 */
export abstract class CollabRecommender<L extends CollabModelLearner> extends Recommender {
  constructor(readonly learn: L) {
    const { names, catalogue } = learn.dls;
    const seen = trainingInteractions(learn.dls);
    super(learn.totals ? Interactions.ofTotals(seen, learn.totals) : seen, { names, catalogue });
  }

  /**
   * What `getPreds` would return for a score: the range of the model, then the activation of the
   * loss.
   */
  override prediction(score: number): number {
    if (typeof score !== 'number')
      throw new ArgumentError(`A score is a number, got ${said(score)}.`);
    const { yRange } = this.learn.model;
    const value = yRange ? yRange[0] + (yRange[1] - yRange[0]) * sigmoid(score) : score;
    return this.learn.lossFunc.activation(Float32Array.of(value), 1)[0];
  }
}

/** A recommender of predictions, with a vector for each user and track. */
type VectorRecommender = Recommender &
  Required<Pick<Recommender, 'prediction' | 'trackVectors' | 'userVectors'>>;

/** Base class of learners of a {@link CollabModel} on CollabDataLoaders. */
export abstract class CollabModelLearner<
  R extends VectorRecommender = VectorRecommender,
> extends recommendingLearner<VectorRecommender>({
  properties: RECOMMENDER_MEMBERS.properties,
  methods: [...RECOMMENDER_MEMBERS.methods, 'userVectors'],
})<R> {
  declare readonly dls: CollabDataLoaders;
  declare readonly model: CollabModel;
  /** Of a learner from a file without listening histories: how many play each track. */
  totals: InteractionTotals | undefined;

  constructor(dls: CollabDataLoaders, model: CollabModel, options: LearnerOptions = {}) {
    super(dls, model, options);
    const sizes = ({ user, item }: CollabModel['classes']): number[] => [user.length, item.length];
    const [[users, items], [ownUsers, ownItems]] = [sizes(model.classes), sizes(dls.classes)];
    if (users !== ownUsers || items !== ownItems) {
      throw new ArgumentError(
        `The model is for ${users} users × ${items} items, the loaders have ${ownUsers} × ${ownItems}.`,
      );
    }
  }
}

/** What each user has in training, numbered without `#na#`. */
export function trainingInteractions({ classes, seen }: CollabDataLoaders): Interactions {
  const withoutNa = (vocabulary: Vocabulary): Vocabulary =>
    vocabulary.subset(Int32Array.from({ length: vocabulary.length - 1 }, (_, i) => i + 1));
  const indptr = new Int32Array(classes.user.length);
  const indices = new Int32Array(seen.indices.length);
  let n = 0;
  for (let u = 1; u < classes.user.length; u++) {
    for (let j = seen.indptr[u]; j < seen.indptr[u + 1]; j++)
      if (seen.indices[j] > 0) indices[n++] = seen.indices[j] - 1;
    indptr[u] = n;
  }
  return Interactions.fromCsr({
    users: withoutNa(classes.user),
    tracks: withoutNa(classes.item),
    indptr,
    indices: indices.slice(0, n),
  });
}

/** What a file says of the model of a learner, and how the two are made again. */
export interface CollabForm<L extends CollabModelLearner> {
  /** Name of the model, e.g. `EmbeddingDotBias`. */
  readonly name: string;
  /** Whether the learner can do without the listening histories of training. */
  readonly withoutSeen: boolean;
  /** What `make` needs, and what else a learner without its data needs. */
  config(learn: L): { readonly [name: string]: Json | undefined };
  /** How many weights such a model has. `config` comes from a file: to be read with care. */
  parameterCount(config: Fields, classes: CollabModel['classes']): number;
  /** A model of that shape; its weights are loaded afterwards. */
  make(config: Fields, classes: CollabModel['classes']): L['model'];
  /** A learner of that model. */
  learner(dls: CollabDataLoaders, model: L['model'], options: LearnerOptions, config: Fields): L;
}

/** How learners of one model are saved. */
export function collabForm<L extends CollabModelLearner>(form: CollabForm<L>): SavedForm<L> {
  return {
    name: form.name,
    data: 'none',
    describe: (learn, options) => describeCollab(form, learn, options),
    make: ({ options }, config, tensors) => readCollab(form, tensors, { config, options }),
  };
}

const SIDES = ['user', 'item'] as const;

function describeCollab<L extends CollabModelLearner>(
  form: CollabForm<L>,
  learn: L,
  { seen: withSeen }: Required<ExportOptions>,
): RecommenderDescription {
  learn.settle();
  const { dls, model, totals } = learn;
  const { classes, seen, catalogue, names, target, negatives, weighedBy } = dls;
  const hidden = !withSeen || totals !== undefined;
  if (hidden && !form.withoutSeen) {
    throw new ArgumentError(
      `${learn.name} works on the listening histories themselves: without them nothing is left. Leave out { seen: false }.`,
    );
  }
  const tensors = modelTensors(model);
  for (const side of SIDES)
    for (const [name, tensor] of vocabularyTensors(`classes.${side}`, classes[side]))
      tensors.set(name, tensor);
  const arrays = hidden
    ? { 'totals.listeners': learn.seen.usersPerTrack(), 'totals.plays': learn.seen.plays() }
    : { 'seen.indptr': seen.indptr, 'seen.indices': seen.indices };
  for (const [name, data] of Object.entries(arrays))
    tensors.set(name, { shape: [data.length], data });
  for (const [name, tensor] of catalogue ? tracksTensors(catalogue) : []) tensors.set(name, tensor);
  const config = {
    loaders: 'collab',
    model: { name: form.name, ...form.config(learn) },
    classes: Object.fromEntries(SIDES.map((side) => [side, fingerprint(classes[side])])),
    kinds: Object.fromEntries(SIDES.map((side) => [side, classes[side].kind])),
    names: { ...names },
    target: target && { target: target.target, threshold: target.threshold },
    negatives: negatives && { ...negatives },
    weighedBy,
    bs: dls.train.bs,
    valBs: dls.valid.bs,
    ...(hidden && { meanLog: learn.seen.meanLog }),
  };
  return learnerDescription(learn, config as { [name: string]: Json | undefined }, tensors);
}

function readCollab<L extends CollabModelLearner>(
  form: CollabForm<L>,
  st: TensorSource,
  { config, options }: { config: Fields; options: LearnerOptions },
): L {
  if (config.text('loaders') !== 'collab') config.wrong('loaders', 'collab');
  const described = config.object('model');
  const kinds = config.object('kinds');
  const [user, item] = SIDES.map((side) =>
    readVocabulary(st, `classes.${side}`, { na: true, kind: kinds.text(side) }),
  );
  const classes = { user, item };
  const names = config.object('names');
  const hidden = config.has('meanLog');
  const dls = CollabDataLoaders.fromClasses(
    {
      classes,
      seen: hidden
        ? { indptr: new Int32Array(user.length + 1), indices: new Int32Array(0) }
        : { indptr: st.read('seen.indptr', 'I32'), indices: st.read('seen.indices', 'I32') },
      names: { user: names.text('user'), item: names.text('item'), rating: names.text('rating') },
      target: config.has('target') ? readTarget(config.object('target')) : undefined,
      negatives: config.has('negatives') ? readNegatives(config.object('negatives')) : undefined,
      weighedBy: config.has('weighedBy') ? config.text('weighedBy') : undefined,
      catalogue: readTracks(st),
    },
    { bs: config.count('bs'), valBs: config.count('valBs') },
  );
  checkWeights(st, form.parameterCount(described, classes), form.name);
  const model = form.make(described, classes);
  setValues(readModel(st, model));
  const learn = form.learner(dls, model, restoreOptions(config, options), described);
  if (hidden) {
    learn.totals = {
      listeners: st.read('totals.listeners', 'I32', [item.length - 1]),
      plays: st.read('totals.plays', 'F64', [item.length - 1]),
      meanLog: config.number('meanLog'),
    };
  }
  return restoreLearner(learn, config);
}

function readTarget(fields: Fields): TargetOptions {
  const target = fields.text('target');
  const targets: readonly string[] = ['binary', 'log', 'rank', 'count'] satisfies Target[];
  if (!targets.includes(target)) fields.wrong('target', targets.join(', '));
  return {
    target: target as Target,
    ...(fields.has('threshold') && { threshold: fields.number('threshold') }),
  };
}

function readNegatives(config: Fields): NegativeOptions {
  const options: NegativeOptions = {};
  if (config.has('n')) options.n = config.count('n') || config.wrong('n', '1 or more');
  if (config.has('sampling')) {
    const sampling = config.text('sampling');
    if (sampling !== 'uniform' && sampling !== 'popularity')
      return config.wrong('sampling', "'uniform' or 'popularity'");
    options.sampling = sampling;
  }
  if (config.has('power')) options.power = config.number('power');
  return options;
}

/** The sigmoid range in a description, if it has one. */
export function readRange(config: Fields): readonly [number, number] | undefined {
  if (!config.has('yRange')) return undefined;
  const [low, high] = config.numbers('yRange', 2);
  return [low, high];
}
