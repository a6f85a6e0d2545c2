import type { Fields } from '../data/files/fields.js';
import type { TensorSource } from '../data/files/safetensors.js';
import { readTracks, readVocabulary } from '../data/files/tensors.js';
import { SequenceDataLoaders } from '../data/sequence-loaders.js';
import { Histories } from '../data/sequences.js';
import { DataError } from '../errors.js';
import type { LearnerOptions } from '../learner/learner.js';
import { readModel, setValues } from '../learner/model-file.js';
import { LSTMModel } from '../models/lstm.js';
import { readLoss } from '../recommend/learners/export-collab.js';
import { LSTMLearner } from '../sequential/lstm.js';
import { namesOnly } from '../sequential/sequence-recommender.js';

/** A batch of a file's loaders has room for so many tracks, at most. */
const MOST_ROOM = 1 << 26;

/**
 * The learner in a file. Its loaders train on the histories in the file, and validate on nothing.
 */
export function readSequences(
  st: TensorSource,
  config: Fields,
  options: LearnerOptions,
): LSTMLearner {
  const described = config.object('model');
  if (described.text('name') !== 'LSTMModel') described.wrong('name', 'LSTMModel');
  const kinds = config.object('kinds');
  const items = readVocabulary(st, 'classes.item', { na: false, kind: kinds.text('item') });
  const histories = Histories.from({
    items,
    users: kinds.has('user')
      ? readVocabulary(st, 'users', { na: false, kind: kinds.text('user') })
      : undefined,
    indptr: st.read('histories.indptr', 'I32'),
    item: st.read('histories.item', 'I32'),
    catalogue: readTracks(st),
  });
  if (config.has('seen') && !config.flag('seen')) namesOnly.add(histories);
  const model = readLSTMModel(st, described, histories);
  const [length, bs, valBs] = ['length', 'bs', 'valBs'].map(
    (name) => config.count(name) || config.wrong(name, '1 or more'),
  );
  if (length * Math.max(bs, valBs) > MOST_ROOM)
    config.wrong(
      'length',
      `at most ${Math.floor(MOST_ROOM / Math.max(bs, valBs))} for batches of this size`,
    );
  const split = { train: Int32Array.from({ length: histories.length }, (_, s) => s), valid: [] };
  const dls = SequenceDataLoaders.fromHistories(histories, {
    length,
    everyPosition: config.flag('everyPosition'),
    bs,
    valBs,
    split,
  });
  const learn = new LSTMLearner(dls, model, {
    ...options,
    lossFunc: readLoss(config.object('loss'), options),
  });
  learn.epochsTrained = config.count('epochsTrained');
  if (config.has('seed'))
    learn.seed = config.isText('seed') ? config.text('seed') : config.number('seed');
  return learn;
}

/**
 * The model in a file; no memory is taken for it before the file has been found to hold as many
 * weights.
 */
function readLSTMModel(st: TensorSource, fields: Fields, { items }: Histories): LSTMModel {
  const cell = fields.text('cell');
  if (cell !== 'lstm' && cell !== 'gru') return fields.wrong('cell', "'lstm' or 'gru'");
  const [embSz, layers, tied] = [
    fields.count('embSz'),
    fields.counts('layers'),
    fields.flag('tied'),
  ];
  const [dropout, embedP] = [fields.number('dropout'), fields.number('embedP')];
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
  let there = 0;
  for (const [name, { shape }] of st.tensors)
    if (name.startsWith('model.')) there += shape.reduce((a, b) => a * b, 1);
  if (expected !== there)
    throw new DataError(
      `it holds ${there} weights, an LSTMModel such as it describes has ${expected}.`,
    );
  const model = new LSTMModel({ item: items }, { cell, embSz, layers, dropout, embedP, tied });
  model.probabilistic = fields.flag('probabilistic');
  setValues(readModel(st, model));
  return model;
}
