import { CollabDataLoaders } from '../../data/collab.js';
import type { Target, TargetOptions } from '../../data/collab-rows.js';
import type { Fields, Json } from '../../data/files/fields.js';
import type { Tensor, TensorSource } from '../../data/files/safetensors.js';
import {
  fingerprint,
  readTracks,
  readVocabulary,
  tracksTensors,
  vocabularyTensors,
} from '../../data/files/tensors.js';
import { ArgumentError, DataError } from '../../errors.js';
import type { LearnerOptions } from '../../learner/learner.js';
import { modelTensors, readModel, setValues } from '../../learner/model-file.js';
import { lossConfig, lossFromConfig } from '../../nn/losses.js';
import type { ExportOptions } from '../export-recommender.js';
import { collabKind, collabKindNames, collabKindOf, readNegatives } from './collab-kinds.js';
import type { CollabRecommender } from './collab-recommender.js';

/**
 * What a file says of a learner of collaborative filtering: see {@link CollabRecommender.export}.
 */
export function describeCollab(
  learn: CollabRecommender,
  { seen: withSeen }: Required<ExportOptions>,
): { config: Json; tensors: Map<string, Tensor> } {
  const kind = collabKindOf(learn);
  if (!kind) {
    throw new ArgumentError(
      `${learn.constructor.name} is not known to export, which knows ${collabKindNames().join(', ')}: registerCollabKind makes it known. learn.save works as it is.`,
    );
  }
  learn.settle();
  const { dls, model, lossFunc, epochsTrained, seed } = learn;
  const { classes, seen, catalogue, names, target, negatives, weighedBy } = dls;
  const tensors = modelTensors(model);
  const both = ['user', 'item'] as const;
  for (const side of both)
    for (const [name, tensor] of vocabularyTensors(`classes.${side}`, classes[side]))
      tensors.set(name, tensor);
  const { totals } = learn.seen;
  const hidden = !withSeen || totals !== undefined;
  if (hidden && !kind.withoutSeen) {
    throw new ArgumentError(
      `${learn.name} works on the listening histories themselves: without them nothing is left. Leave out { seen: false }.`,
    );
  }
  const arrays = hidden
    ? { 'totals.listeners': learn.seen.listeners(), 'totals.plays': learn.seen.plays() }
    : { 'seen.indptr': seen.indptr, 'seen.indices': seen.indices };
  for (const [name, data] of Object.entries(arrays))
    tensors.set(name, { shape: [data.length], data });
  for (const [name, tensor] of catalogue ? tracksTensors(catalogue) : []) tensors.set(name, tensor);
  const config = {
    loaders: 'collab',
    model: { name: kind.name, ...kind.config(learn) },
    loss: lossConfig(lossFunc),
    classes: Object.fromEntries(both.map((side) => [side, fingerprint(classes[side])])),
    kinds: Object.fromEntries(both.map((side) => [side, classes[side].kind])),
    names,
    target: target && { target: target.target, threshold: target.threshold },
    negatives: negatives && { ...negatives },
    weighedBy,
    bs: dls.train.bs,
    valBs: dls.valid.bs,
    epochsTrained,
    seed,
    ...(hidden && { meanLog: learn.seen.meanLog }),
  };
  return { config: config as Json, tensors };
}

/** The learner in a file. */
export function readCollab(
  st: TensorSource,
  config: Fields,
  options: LearnerOptions,
): CollabRecommender {
  const described = config.object('model');
  const kind = collabKind(described.text('name'));
  if (!kind) {
    throw new DataError(
      `its model is "${described.text('name')}"; known are ${collabKindNames().join(', ')}. registerCollabKind makes models of one's own known.`,
    );
  }
  const kinds = config.object('kinds');
  const user = readVocabulary(st, 'classes.user', { na: true, kind: kinds.text('user') });
  const item = readVocabulary(st, 'classes.item', { na: true, kind: kinds.text('item') });
  const classes = { user, item };
  const names = config.object('names');
  const dls = CollabDataLoaders.fromClasses(
    {
      classes,
      seen: config.has('meanLog')
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
  const expected = kind.parameterCount(described, classes);
  let there = 0;
  for (const [name, { shape }] of st.tensors)
    if (name.startsWith('model.')) there += shape.reduce((a, b) => a * b, 1);
  if (expected !== there)
    throw new DataError(
      `it holds ${there} weights, a ${kind.name} such as it describes has ${expected}.`,
    );
  const model = kind.make(described, classes);
  setValues(readModel(st, model));
  const learn = kind.learner(
    dls,
    model,
    { ...options, lossFunc: readLoss(config.object('loss'), options) },
    described,
  );
  if (config.has('meanLog')) {
    learn.knowTotals({
      listeners: st.read('totals.listeners', 'I32', [item.length - 1]),
      plays: st.read('totals.plays', 'F64', [item.length - 1]),
      meanLog: config.number('meanLog'),
    });
  }
  learn.epochsTrained = config.count('epochsTrained');
  if (config.has('seed'))
    learn.seed = config.isText('seed') ? config.text('seed') : config.number('seed');
  return learn;
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

/** The loss in a description, or the one that is given in place of one's own. */
export function readLoss(fields: Fields, { lossFunc }: LearnerOptions): LearnerOptions['lossFunc'] {
  const name = fields.text('name');
  if (lossFunc && lossFunc.name !== name)
    throw new DataError(`it was trained with ${name}, but lossFunc is a ${lossFunc.name}.`);
  const loss = lossFunc ?? lossFromConfig(fields);
  if (!loss)
    throw new DataError(
      `it was trained with ${name}, which is not one of the library's losses: give it, loadLearner(file, { lossFunc }).`,
    );
  return loss;
}
