import type { Batch } from '../data/batch.js';
import { ArgumentError } from '../errors.js';

/** Items for which each row has room, and whether there is a target for each of them. */
export function widths({ inputs, targets, size }: Batch): { room: number; everyPosition: boolean } {
  if (inputs.length !== 2) {
    throw new ArgumentError(
      `LSTMModel needs batches of sequences: their items and their lengths, got ${inputs.length} columns. Use SequenceDataLoaders.`,
    );
  }
  const rows = inputs[1].length;
  const room = inputs[0].length / rows;
  const perRow = targets.length / rows;
  if (!Number.isInteger(room) || rows < size || (perRow !== 1 && perRow !== room)) {
    throw new ArgumentError(
      `A batch of ${size} sequences with room for ${rows} needs as many items in each row, and a target for each row or each item; got ${inputs[0].length} items, ${targets.length} targets.`,
    );
  }
  return { room, everyPosition: perRow > 1 };
}
