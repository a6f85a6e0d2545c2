import type { Json } from '../data/files/fields.js';
import type { Tensor } from '../data/files/safetensors.js';
import { tracksTensors } from '../data/files/tracks-tensors.js';
import { fingerprint, vocabularyTensors } from '../data/packed-strings.js';
import { Histories } from '../data/sequences-histories.js';
import { modelTensors } from '../learner/checkpoint.js';
import { lossConfig } from '../nn/loss-config.js';
import type { ExportOptions } from '../recommend/export-recommender.js';
import type { LSTMLearner } from './lstm.js';
import { trainedPart } from './lstm-histories.js';
import { namesOnly } from './next-item.js';

/** What a file says of a learner of sequences: see {@link LSTMLearner.export}. */
export function describeSequences(
  learn: LSTMLearner,
  options: Required<ExportOptions>,
): { config: Json; tensors: Map<string, Tensor> } {
  learn.settle();
  const { dls, model, lossFunc, epochsTrained, seed } = learn;
  const seen = options.seen && !namesOnly.has(dls.histories);
  const trained = trainedPart(dls);
  const { users, items, indptr, item, catalogue } = seen
    ? dls.histories.only(trained.plays)
    : namesOf(dls.histories, trained.tracks);
  const tensors = modelTensors(model);
  tensors.delete('buffers.negatives.step'); // a learner from a file draws none
  for (const [name, tensor] of vocabularyTensors('classes.item', items)) tensors.set(name, tensor);
  for (const [name, tensor] of users ? vocabularyTensors('users', users) : [])
    tensors.set(name, tensor);
  tensors.set('histories.indptr', { shape: [indptr.length], data: indptr });
  tensors.set('histories.item', { shape: [item.length], data: item });
  for (const [name, tensor] of catalogue ? tracksTensors(catalogue) : []) tensors.set(name, tensor);
  const config = {
    loaders: 'sequences',
    ...(!seen && { seen }),
    model: { name: 'LSTMModel', ...model.config, probabilistic: model.probabilistic },
    loss: lossConfig(lossFunc),
    classes: { item: fingerprint(items) },
    kinds: { item: items.kind, ...(users && { user: users.kind }) },
    length: dls.dataset.windowLength,
    everyPosition: dls.dataset.everyPosition,
    bs: seen ? dls.train.bs : 1,
    valBs: seen ? dls.valid.bs : 1,
    epochsTrained,
    seed,
  };
  return { config: config as Json, tensors };
}

/** In place of what anybody has played: one sequence that names each track of training once. */
function namesOf({ items, catalogue }: Histories, trained: Uint8Array): Histories {
  const item = Int32Array.from(trained.keys()).filter((t) => trained[t] === 1);
  return Histories.from({ items, indptr: Int32Array.of(0, item.length), item, catalogue });
}
