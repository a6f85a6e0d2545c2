import type { Plays } from '../../lib/recital/data/plays.js';
import {
  SequenceDataLoaders,
  type SequenceLoadersOptions,
} from '../../lib/recital/data/sequence-loaders.js';
import { Sessions } from '../../lib/recital/data/sessions.js';
import {
  type LSTMLearner,
  type LSTMLearnerOptions,
  lstmLearner,
} from '../../lib/recital/sequential/lstm.js';

/** Loaders that train on every play. */
export function wholeSequences(
  source: Plays | Sessions,
  options: SequenceLoadersOptions = {},
): SequenceDataLoaders {
  const n = source instanceof Sessions ? source.length : source.users.length;
  const all = {
    bs: 8,
    everyPosition: true,
    split: { train: Array.from({ length: n }, (_, i) => i), valid: [] },
    ...options,
  };
  return source instanceof Sessions
    ? SequenceDataLoaders.fromSessions(source, all)
    : SequenceDataLoaders.fromPlays(source, all);
}

/** A small trained network. */
export async function trainLstm(
  plays: Plays,
  options: LSTMLearnerOptions = {},
): Promise<LSTMLearner> {
  const learn = lstmLearner(wholeSequences(plays), { embSz: 8, layers: [12], ...options });
  await learn.fitOneCycle(4, 0.02);
  return learn;
}
