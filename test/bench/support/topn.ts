import {
  BCEWithLogitsLossFlat,
  CollabDataLoaders,
  type CollabLearner,
  collabLearner,
  noLogging,
  readPlays,
} from '../../../lib/recital/index.js';

/**
 * The model whose lists are measured: 50 factors and biases, one epoch on all plays. The same in
 * every process, to the last bit.
 */
export async function topnLearner(file: string): Promise<CollabLearner> {
  const plays = await readPlays(file);
  const split = { train: Int32Array.from(plays.user.keys()), valid: [] };
  const dls = CollabDataLoaders.fromPlays(plays, { bs: 4096, split });
  const learn = collabLearner(dls, { nFactors: 50, lossFunc: new BCEWithLogitsLossFlat() });
  await noLogging(() => learn.fitOneCycle(1, 5e-3));
  return learn;
}
