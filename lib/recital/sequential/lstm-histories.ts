import type { SequenceDataLoaders } from '../data/sequences-loaders.js';

/** What training has of the histories of some loaders. */
export interface TrainedPart {
  /** For each play, in the order of `histories.item`, 1 if it is part of training. */
  readonly plays: Uint8Array;
  /** For each track, 1 if a play of it is part of training. */
  readonly tracks: Uint8Array;
}

/**
 * Which plays are part of training: those that lie in a training window, as an input or as its
 * target. So a user who is held out is not, nor the last track of each history with the split
 * `'last'`. Histories that are too short for a window are in neither part; nothing of them is held
 * out, so they count as known.
 */
export function trainedPart({ dataset, split, histories }: SequenceDataLoaders): TrainedPart {
  const { item, indptr, items } = histories;
  const plays = new Uint8Array(item.length);
  const windowed = new Uint8Array(histories.length);
  for (const s of dataset.sequence) windowed[s] = 1;
  for (let s = 0; s < histories.length; s++)
    if (!windowed[s]) plays.fill(1, indptr[s], indptr[s + 1]);
  for (const i of split.train)
    plays.fill(1, dataset.start[i], dataset.start[i] + dataset.size[i] + 1);
  const tracks = new Uint8Array(items.length);
  for (let i = 0; i < item.length; i++) if (plays[i]) tracks[item[i]] = 1;
  return { plays, tracks };
}
