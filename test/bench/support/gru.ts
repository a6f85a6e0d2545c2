import { SequenceDataLoaders } from '../../../lib/recital/data/sequence-loaders.js';
import type { Sessions } from '../../../lib/recital/data/sessions.js';
import { itemVectors } from '../../../lib/recital/decomposition/item-vectors.js';
import type { Callback } from '../../../lib/recital/learner/callback.js';
import { Adam } from '../../../lib/recital/learner/optimizers/steps.js';
import { type LSTMLearner, lstmLearner } from '../../../lib/recital/sequential/lstm.js';

/** Sessions of a batch, tracks of a window, and the size of vectors and states. */
const [BS, LENGTH, SIZE] = [256, 20, 128];

/** What {@link trainGru} is given. */
export interface GruOptions {
  epochs: number;
  seed: number;
  /** Called after each epoch. */
  afterEpoch?: (learn: LSTMLearner, epoch: number) => void;
}

/**
 * The recurrent model of the benchmark on #nowplaying: one layer of GRU, the vectors of the tracks
 * at both ends the same and started from who is played near whom, every position predicted, against
 * 2,048 tracks drawn anew for each batch.
 */
export async function trainGru(
  train: Sessions,
  { epochs, seed, afterEpoch }: GruOptions,
): Promise<LSTMLearner> {
  const all = Int32Array.from({ length: train.length }, (_, s) => s);
  const dls = SequenceDataLoaders.fromSessions(train, {
    length: LENGTH,
    everyPosition: true,
    split: { train: all, valid: [] },
    bs: BS,
    seed,
  });
  const counts = new Float64Array(train.items.length);
  for (const item of train.item) counts[item]++;
  const learn = lstmLearner(dls, {
    cell: 'gru',
    embSz: SIZE,
    layers: [SIZE],
    tied: true,
    dropout: 0.3,
    embInit: await itemVectors(train, { embSz: SIZE }),
    negatives: { counts },
    optFunc: (params, { lr }) => new Adam(params, { lr, sqrMom: 0.999, eps: 1e-8, wd: 0 }),
    seed,
  });
  let epoch = 0;
  const tell: Callback = { name: 'Epochs', afterEpoch: () => afterEpoch?.(learn, ++epoch) };
  await learn.fitOneCycle(epochs, 3e-3, { pctStart: 0.05, moms: [0.9, 0.9, 0.9], cbs: tell });
  return learn;
}
