import { Random } from '../../compute/random.js';
import { type NegativeOptions, WeightedDraw } from '../../data/batches.js';

import { ArgumentError } from '../../errors.js';
import type { EmbeddingDotBias } from '../../models/embedding-dot-bias.js';
import type { Interactions } from '../interactions.js';
import type { UserRows } from './fold-in-solve.js';

/** What a listener has played, one entry a track. */
export interface ListenerTracks {
  /** Track indices, ascending, each once. */
  readonly track: Int32Array;
  /** What the model should predict of each. */
  readonly target: Float32Array;
  /** What the loss of each counts. */
  readonly weight: Float64Array;
}

/** Rows of a listener. */
export interface ListenerRows extends UserRows {
  /**
   * Position in the listener's tracks that each row belongs to; −1: to a track that is not theirs.
   */
  readonly of: Int32Array;
}

/** Pairs for each track of a listener: many times what training draws. */
const PAIRS = 200;

/**
 * The rows that a listener's parameters are fitted to.
 * - Without negatives, one a track.
 * - With negatives, further rows with target 0, one for each track that is not the listener's, weighted by how often training would draw it: their sum is
 *   what the draws come to on average.
 * - For a loss on pairs, 200 pairs for each track, whose second is drawn as in training, always the same ones. The bias cancels in them.
 * @param seen what is played in training: popularity
 */
export function listenerRows(
  model: EmbeddingDotBias,
  listener: ListenerTracks,
  { pairs, negatives, seen }: { pairs: boolean; negatives?: NegativeOptions; seen: Interactions },
): ListenerRows {
  if (pairs && !negatives)
    throw new ArgumentError(
      'A loss on pairs needs loaders with negatives: CollabDataLoaders.fromPlays(plays, { negatives: { n: 1 } }).',
    );
  const own = ownRows(model, listener);
  if (!negatives) return own;
  const chance = chances(listener, negatives, seen);
  if (chance.every((p) => p === 0))
    throw new ArgumentError(
      'The history has every track, so there is nothing left to set against it, or to recommend.',
    );
  return pairs
    ? pairRows(model, listener, { negatives, chance })
    : withUnplayed(model, listener, { own, negatives, chance });
}

/** How likely each track is drawn as a negative of the listener, in proportion. */
function chances(
  { track }: ListenerTracks,
  { sampling = 'uniform', power = 0.75 }: NegativeOptions,
  seen: Interactions,
): Float64Array {
  const chance = Float64Array.from(seen.listeners(), (n) =>
    sampling === 'uniform' ? 1 : n ** power,
  );
  for (const t of track) chance[t] = 0;
  return chance;
}

function ownRows(model: EmbeddingDotBias, { track, target, weight }: ListenerTracks): ListenerRows {
  const rows = emptyRows(model, track.length);
  for (let i = 0; i < track.length; i++) addTrack(rows, i, { model, track: track[i], sign: 1 });
  rows.target.set(target);
  rows.weight.set(weight);
  return { ...rows, of: Int32Array.from(track.keys()) };
}

function withUnplayed(
  model: EmbeddingDotBias,
  { track, weight }: ListenerTracks,
  {
    own,
    negatives: { n = 1 },
    chance,
  }: { own: ListenerRows; negatives: NegativeOptions; chance: Float64Array },
): ListenerRows {
  const size = chance.length; // the listener's own tracks first, then the others
  const rows = { ...emptyRows(model, size), of: new Int32Array(size).fill(-1) };
  rows.features.set(own.features);
  rows.offset.set(own.offset);
  rows.target.set(own.target);
  rows.weight.set(own.weight);
  rows.of.set(own.of);
  const mine = new Set(track);
  const drawn = (n * sum(weight)) / sum(chance);
  let r = track.length;
  for (let t = 0; t < size; t++) {
    if (mine.has(t)) continue;
    addTrack(rows, r, { model, track: t, sign: 1 });
    rows.weight[r++] = drawn * chance[t];
  }
  return rows;
}

function pairRows(
  model: EmbeddingDotBias,
  { track, weight }: ListenerTracks,
  { negatives: { n = 1 }, chance }: { negatives: NegativeOptions; chance: Float64Array },
): ListenerRows {
  const draw = new WeightedDraw(chance);
  const random = new Random('fold in').child('pairs');
  const rows = {
    ...emptyRows(model, track.length * PAIRS),
    of: new Int32Array(track.length * PAIRS),
  };
  for (let r = 0; r < rows.of.length; r++) {
    const i = Math.floor(r / PAIRS);
    addTrack(rows, r, { model, track: track[i], sign: 1 });
    addTrack(rows, r, { model, track: draw.draw(random), sign: -1 });
    rows.weight[r] = (n * weight[i]) / PAIRS;
    rows.of[r] = i;
  }
  return rows;
}

interface Rows {
  features: Float64Array;
  offset: Float64Array;
  target: Float32Array;
  weight: Float64Array;
}

function emptyRows({ nFactors }: EmbeddingDotBias, size: number): Rows {
  const [features, offset] = [new Float64Array(size * (nFactors + 1)), new Float64Array(size)];
  return { features, offset, target: new Float32Array(size), weight: new Float64Array(size) };
}

/** Adds a track's factors, 1 and bias to row r, or takes them off. */
function addTrack(
  { features, offset }: Rows,
  r: number,
  {
    model: { iWeight, iBias, nFactors },
    track,
    sign,
  }: { model: EmbeddingDotBias; track: number; sign: 1 | -1 },
): void {
  const from = (track + 1) * nFactors; // row 0 is #na#
  const to = r * (nFactors + 1);
  for (let j = 0; j < nFactors; j++) features[to + j] += sign * iWeight.value[from + j];
  features[to + nFactors] += sign;
  offset[r] += sign * iBias.value[track + 1];
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
