import type { CollabLearner } from './collab.js';
import { scoreCurve } from './fold-in-curve.js';
import type { UserPrior } from './fold-in-prior.js';
import { type ListenerRows, type ListenerTracks, listenerRows } from './fold-in-rows.js';
import { solveUser, type UserFit } from './fold-in-solve.js';

/** A listener's parameters, and what they were fitted to. */
export interface FittedListener extends UserFit {
  /** What the listener has played. */
  readonly listener: ListenerTracks;
  /** The rows that this made. */
  readonly rows: ListenerRows;
}

/**
 * The parameters that what a listener has played leads to, tracks fixed.
 * @param options.l2 one λ for all parameters; default: that of training
 */
export function fitListener(
  learn: CollabLearner,
  listener: ListenerTracks,
  { prior, l2 }: { prior: UserPrior; l2?: number },
): FittedListener {
  const curve = scoreCurve(learn.lossFunc, learn.model.yRange);
  const rows = listenerRows(learn.model, listener, {
    pairs: curve.pairs,
    negatives: learn.dls.negatives,
    seen: learn.seen,
  });
  const root = Math.sqrt(listener.track.length);
  const ridge = Float64Array.from(prior.strength, (s) => l2 ?? Math.max(1e-6, s * root)); // a ridge of 0 may leave nothing to solve
  return { listener, rows, ...solveUser(rows, curve, ridge) };
}
