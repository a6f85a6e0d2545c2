import { CollabDataLoaders } from '../../lib/recital/data/collab.js';
import type { Plays } from '../../lib/recital/data/plays.js';
import { BCEWithLogitsLossFlat } from '../../lib/recital/nn/losses.js';
import {
  type CollabLearner,
  type CollabLearnerOptions,
  collabLearner,
} from '../../lib/recital/recommend/learners/collab.js';
import type { CollabNNLearner } from '../../lib/recital/recommend/learners/collab-nn.js';

/** Loaders that train on every play. */
export function wholeLoaders(plays: Plays): CollabDataLoaders {
  return CollabDataLoaders.fromPlays(plays, {
    bs: 16,
    split: { train: Array.from({ length: plays.length }, (_, i) => i), valid: [] },
  });
}

/** A trained learner. */
export async function trainLearner(
  plays: Plays,
  options: CollabLearnerOptions = {},
): Promise<CollabLearner> {
  const learn = collabLearner(wholeLoaders(plays), {
    nFactors: 6,
    lossFunc: new BCEWithLogitsLossFlat({ posWeight: 1.5 }),
    ...options,
  });
  await learn.fitOneCycle(12, 0.03);
  return learn;
}

/** A trained network with dropout and batch norm. */
export async function trainNetwork(
  plays: Plays,
  options: { path?: string } = {},
): Promise<CollabNNLearner> {
  const config = { ps: [0.1, 0], embedP: 0.05, bnFinal: true };
  const learn = collabLearner(wholeLoaders(plays), {
    useNn: true,
    layers: [12, 5],
    embSzs: { user: 4 },
    yRange: [0, 1.1],
    config,
    ...options,
  });
  await learn.fitOneCycle(40, 0.02);
  return learn;
}
