import { numbersWhere } from '../data/csr.js';
import type { TensorSource } from '../data/files/safetensors.js';
import {
  classesHash,
  readTracks,
  readVocabulary,
  tracksTensors,
  vocabularyTensors,
} from '../data/files/tensors.js';
import { SequenceDataLoaders } from '../data/sequence-loaders.js';
import { Sessions } from '../data/sessions.js';
import type { Vocabulary } from '../data/vocabulary.js';
import type { Fields } from '../fields.js';
import { modelTensors, readModel } from '../learner/model-file.js';
import { LSTMModel } from '../models/lstm.js';
import { checkWeights, learnerDescription } from '../recommend/learners/saved-learner.js';
import {
  arrayTensors,
  type ExportOptions,
  type RecommenderDescription,
} from '../recommend/saved-form.js';
import type { LSTMLearner } from './lstm.js';
import { namesOnly, trainedPart } from './sequence-recommender.js';

/** What a file says of a learner of sequences: see {@link LSTMLearner.export}. */
export function describeSequences(
  learn: LSTMLearner,
  options: Required<ExportOptions>,
): RecommenderDescription {
  learn.settle();
  const { dls, model } = learn;
  const seen = options.seen && !namesOnly.has(dls.histories);
  const trained = trainedPart(dls);
  const { users, items, indptr, item, catalogue } = seen
    ? dls.histories.only(trained.plays)
    : namesOf(dls.histories, trained.tracks);
  const tensors = new Map([
    ...modelTensors(model),
    ...vocabularyTensors('classes.item', items),
    ...(users ? vocabularyTensors('users', users) : []),
    ...arrayTensors('histories', { indptr, item }),
    ...(catalogue ? tracksTensors(catalogue) : []),
  ]);
  tensors.delete('buffers.negatives.step'); // a learner from a file draws none
  const config = {
    loaders: 'sequences',
    ...(!seen && { seen }),
    model: { name: 'LSTMModel', ...model.config, probabilistic: model.probabilistic },
    classes: { item: classesHash(items) },
    kinds: { item: items.kind, ...(users && { user: users.kind }) },
    length: dls.dataset.windowLength,
    everyPosition: dls.dataset.everyPosition,
    bs: seen ? dls.train.bs : 1,
    valBs: seen ? dls.valid.bs : 1,
  };
  return learnerDescription(learn, config, tensors);
}

/** In place of what anybody has played: one sequence that names each track of training once. */
function namesOf({ items, catalogue }: Sessions, trained: Uint8Array): Sessions {
  const item = numbersWhere(trained.length, (t) => trained[t] === 1);
  return new Sessions(items, Int32Array.of(0, item.length), item, { catalogue });
}

/** A batch of a file's loaders has room for so many tracks, at most. */
const MOST_ROOM = 1 << 26;

/** The model of the learner in a file, and loaders that train on the histories in it. */
export function readSequences(
  st: TensorSource,
  config: Fields,
): { dls: SequenceDataLoaders; model: LSTMModel } {
  const described = config.object('model');
  config.oneOf('loaders', ['sequences']);
  const kinds = config.object('kinds');
  const vocabulary = (name: string, kind: string): Vocabulary =>
    readVocabulary(st, name, { na: false, kind: kinds.text(kind) });
  const items = vocabulary('classes.item', 'item');
  const users = kinds.has('user') ? vocabulary('users', 'user') : undefined;
  const [indptr, item] = ['indptr', 'item'].map((name) => st.read(`histories.${name}`, 'I32'));
  const histories = new Sessions(items, indptr, item, { users, catalogue: readTracks(st) });
  if (config.has('seen') && !config.flag('seen')) namesOnly.add(histories);
  const model = readLSTMModel(st, described, items);
  const [length, bs, valBs] = ['length', 'bs', 'valBs'].map(
    (name) => config.count(name) || config.wrong(name, '1 or more'),
  );
  const most = Math.floor(MOST_ROOM / Math.max(bs, valBs));
  if (length > most) config.wrong('length', `at most ${most} for batches of this size`);
  const split = { train: Int32Array.from({ length: histories.length }, (_, s) => s), valid: [] };
  const everyPosition = config.flag('everyPosition');
  const options = { length, everyPosition, bs, valBs, split };
  return { dls: SequenceDataLoaders.fromSessions(histories, options), model };
}

/** The model in a file; memory is taken for it once the file has been found to hold its weights. */
function readLSTMModel(st: TensorSource, fields: Fields, items: Vocabulary): LSTMModel {
  const cell = fields.oneOf('cell', ['lstm', 'gru']);
  const [embSz, layers] = [fields.count('embSz'), fields.counts('layers')];
  const [dropout, embedP] = [fields.number('dropout'), fields.number('embedP')];
  const tied = fields.flag('tied');
  if (embSz === 0) fields.wrong('embSz', '1 or more');
  if (layers.length === 0 || layers.includes(0)) fields.wrong('layers', 'sizes, 1 or more each');
  for (const [name, p] of Object.entries({ dropout, embedP }))
    if (!(p >= 0 && p < 1)) fields.wrong(name, 'a probability less than 1');
  const gates = cell === 'lstm' ? 4 : 3;
  const last = layers[layers.length - 1];
  let expected = items.length * (embSz + 1);
  layers.forEach((size, i) => {
    expected += gates * size * ((i ? layers[i - 1] : embSz) + size + 2);
  });
  if (!tied) expected += items.length * last;
  else if (last !== embSz) expected += embSz * (last + 1);
  checkWeights(st, expected, 'LSTMModel');
  const model = new LSTMModel({ item: items }, { cell, embSz, layers, dropout, embedP, tied });
  model.probabilistic = fields.flag('probabilistic');
  readModel(st, model)();
  return model;
}
