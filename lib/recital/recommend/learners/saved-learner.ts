import { CollabDataLoaders } from '../../data/collab.js';
import type { TargetOptions } from '../../data/collab-rows.js';
import type { Tensor, TensorSource } from '../../data/files/safetensors.js';
import {
  classesHash,
  readTracks,
  readVocabulary,
  tracksTensors,
  vocabularyTensors,
} from '../../data/files/tensors.js';
import type { NegativeOptions } from '../../data/negatives.js';
import { DataError } from '../../errors.js';
import type { Fields, Json } from '../../fields.js';
import type { LearnerOptions } from '../../learner/learner.js';
import { modelTensors, readModel } from '../../learner/model-file.js';
import {
  CrossEntropyLossFlat,
  FocalLossFlat,
  LabelSmoothingCrossEntropyFlat,
} from '../../nn/cross-entropy.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  HingeLoss,
  L1LossFlat,
  type Loss,
  MSELossFlat,
} from '../../nn/losses.js';
import type { Recommender } from '../recommender.js';
import {
  arrayTensors,
  type ExportOptions,
  needsHistories,
  type RecommenderDescription,
  type SavedForm,
} from '../saved-form.js';
import type { CollabModel, CollabModelLearner, WithRecommender } from './recommending-learner.js';

/** What a file says of every learner, and of this one in `config` and `tensors`. */
export function learnerDescription(
  { lossFunc, epochsTrained, seed }: WithRecommender<Recommender>,
  config: { readonly [name: string]: Json | undefined },
  tensors: ReadonlyMap<string, Tensor>,
): RecommenderDescription {
  const learner = { ...config, loss: lossConfig(lossFunc), epochsTrained, seed } as Json;
  return { config: { name: 'learner', learner }, tensors };
}

/** What {@link learnerDescription} says of every learner, put into one that is made again. */
export function restoreLearner<L extends WithRecommender<Recommender>>(
  learn: L,
  config: Fields,
): L {
  learn.epochsTrained = config.count('epochsTrained');
  if (config.has('seed'))
    learn.seed = config.isText('seed') ? config.text('seed') : config.number('seed');
  return learn;
}

/** The options of a learner in a file: the loss in its description, or one's own in its place. */
export function restoreOptions(
  config: Fields,
  options: LearnerOptions,
): LearnerOptions & { lossFunc: Loss } {
  const fields = config.object('loss');
  const name = fields.text('name');
  if (options.lossFunc && options.lossFunc.name !== name)
    throw new DataError(`it was trained with ${name}, but lossFunc is a ${options.lossFunc.name}.`);
  const lossFunc = options.lossFunc ?? lossFromConfig(fields);
  if (!lossFunc)
    throw new DataError(
      `it was trained with ${name}, which is not one of the library's losses: give it, loadLearner(file, { lossFunc }).`,
    );
  return { ...options, lossFunc };
}

/**
 * Compares the number of weights in a file with that of the model that it describes, before memory
 * is taken for the model.
 */
export function checkWeights(st: TensorSource, expected: number, model: string): void {
  let there = 0;
  for (const [name, { shape }] of st.tensors)
    if (name.startsWith('model.')) there += shape.reduce((a, b) => a * b, 1);
  if (expected !== there)
    throw new DataError(
      `it holds ${there} weights, a ${model} such as it describes has ${expected}.`,
    );
}

/** What a file says of the model of a learner, and how the two are made again. */
export interface CollabForm<L extends CollabModelLearner> {
  /** Name of the model, e.g. `EmbeddingDotBias`. */
  readonly name: string;
  /** Whether the learner can do without the listening histories of training. */
  readonly withoutSeen: boolean;
  /** What `make` needs. */
  config(learn: L): { readonly [name: string]: Json | undefined };
  /** How many weights such a model has. `config` comes from a file: to be read with care. */
  parameterCount(config: Fields, classes: CollabModel['classes']): number;
  /** A learner with a model of that shape; its weights are loaded afterwards. */
  make(dls: CollabDataLoaders, config: Fields, options: LearnerOptions): L;
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
  options: Required<ExportOptions>,
): RecommenderDescription {
  learn.settle();
  const { dls, model, totals } = learn;
  const { classes, seen, catalogue, names, target, negatives, weighedBy } = dls;
  const hidden = !options.seen || totals !== undefined;
  if (hidden && !form.withoutSeen) throw needsHistories(learn);
  const tensors = new Map([
    ...modelTensors(model),
    ...SIDES.flatMap((side) => vocabularyTensors(`classes.${side}`, classes[side])),
    ...(hidden
      ? arrayTensors('totals', { listeners: learn.seen.usersPerTrack(), plays: learn.seen.plays() })
      : arrayTensors('seen', { indptr: seen.indptr, indices: seen.indices })),
    ...(catalogue ? tracksTensors(catalogue) : []),
  ]);
  const config = {
    loaders: 'collab',
    model: { name: form.name, ...form.config(learn) },
    classes: Object.fromEntries(SIDES.map((side) => [side, classesHash(classes[side])])),
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
  const learn = form.make(dls, described, restoreOptions(config, options));
  readModel(st, learn.model)();
  if (hidden) {
    learn.totals = {
      usersPerTrack: st.read('totals.listeners', 'I32', [item.length - 1]),
      plays: st.read('totals.plays', 'F64', [item.length - 1]),
      meanLog: config.number('meanLog'),
    };
  }
  return restoreLearner(learn, config);
}

function readTarget(fields: Fields): TargetOptions {
  const target = fields.oneOf('target', ['binary', 'log', 'rank', 'count']);
  return { target, ...(fields.has('threshold') && { threshold: fields.number('threshold') }) };
}

function readNegatives(config: Fields): NegativeOptions {
  const options: NegativeOptions = {};
  if (config.has('n')) options.n = config.count('n') || config.wrong('n', '1 or more');
  if (config.has('sampling'))
    options.sampling = config.oneOf('sampling', ['uniform', 'popularity'] as const);
  if (config.has('power')) options.power = config.number('power');
  return options;
}

/** The sigmoid range in a description, if it has one. */
export function readRange(config: Fields): readonly [number, number] | undefined {
  if (!config.has('yRange')) return undefined;
  const [low, high] = config.numbers('yRange', 2);
  return [low, high];
}

/** The losses of the library, and the properties that hold their options under the same name. */
const kinds: Readonly<Record<string, [type: new (options: never) => Loss, ...options: string[]]>> =
  {
    MSELossFlat: [MSELossFlat],
    L1LossFlat: [L1LossFlat],
    BCEWithLogitsLossFlat: [BCEWithLogitsLossFlat, 'posWeight', 'thresh'],
    CrossEntropyLossFlat: [CrossEntropyLossFlat, 'weight', 'ignoreIndex', 'labelSmoothing'],
    LabelSmoothingCrossEntropyFlat: [LabelSmoothingCrossEntropyFlat, 'eps'],
    FocalLossFlat: [FocalLossFlat, 'gamma', 'weight'],
    BPRLoss: [BPRLoss],
    HingeLoss: [HingeLoss, 'margin'],
  };

function kindOf(name: string): (typeof kinds)[string] | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** A loss as JSON: its name and, if it is one of the library's, its options. */
export function lossConfig(loss: Loss): { readonly [name: string]: Json } {
  const kind = kindOf(loss.name);
  if (!kind || loss.constructor !== kind[0]) return { name: loss.name, own: true };
  const config: Record<string, Json> = { name: loss.name };
  for (const option of kind.slice(1) as string[]) {
    const value = (loss as unknown as Record<string, number | ArrayLike<number> | undefined>)[
      option
    ];
    if (value !== undefined) config[option] = typeof value === 'number' ? value : Array.from(value);
  }
  return config;
}

/** The loss that is described; undefined if it is not one of the library's. */
export function lossFromConfig(fields: Fields): Loss | undefined {
  const kind = kindOf(fields.text('name'));
  if (!kind || fields.has('own')) return undefined;
  const [Type, ...names] = kind;
  fields.only(['name', ...names]);
  const options = names.flatMap((option) => {
    if (!fields.has(option)) return [];
    return [[option, option === 'weight' ? fields.numbers(option) : fields.number(option)]];
  });
  return new Type(Object.fromEntries(options) as never);
}
