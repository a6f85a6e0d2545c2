import type { Json } from '../data/fields.js';
import { fingerprint, vocabularyTensors } from '../data/packed-strings.js';
import { tracksTensors } from '../data/tracks-tensors.js';
import { modelTensors, writeModelFile } from '../learner/checkpoint.js';
import { lossConfig } from '../nn/loss-config.js';
import type { LSTMLearner } from './lstm.js';
import { trainedPart } from './lstm-histories.js';

/** See {@link LSTMLearner.export}. */
export function exportSequences(learn: LSTMLearner, file: string): void {
  learn.settle();
  const { dls, model, lossFunc, epochsTrained, seed } = learn;
  const { users, items, indptr, item, catalogue } = dls.histories.only(trainedPart(dls).plays);
  const tensors = modelTensors(model);
  tensors.delete('buffers.negatives.step'); // a learner from a file draws none
  for (const [name, tensor] of vocabularyTensors('classes.item', items)) tensors.set(name, tensor);
  for (const [name, tensor] of users ? vocabularyTensors('users', users) : []) tensors.set(name, tensor);
  tensors.set('histories.indptr', { shape: [indptr.length], data: indptr });
  tensors.set('histories.item', { shape: [item.length], data: item });
  for (const [name, tensor] of catalogue ? tracksTensors(catalogue) : []) tensors.set(name, tensor);
  const config = {
    loaders: 'sequences',
    model: { name: 'LSTMModel', ...model.config, probabilistic: model.probabilistic },
    loss: lossConfig(lossFunc),
    classes: { item: fingerprint(items) },
    kinds: { item: items.kind, ...(users && { user: users.kind }) },
    length: dls.dataset.windowLength,
    everyPosition: dls.dataset.everyPosition,
    bs: dls.train.bs,
    valBs: dls.valid.bs,
    epochsTrained,
    seed,
  };
  writeModelFile(file, 'learner', { config: config as Json, tensors });
}
