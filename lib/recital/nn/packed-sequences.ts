import { int32 } from '../compute/memory.js';
import { ArgumentError } from '../errors.js';

/**
 * Sequences of different lengths, laid out so that no padding is computed: PyTorch's
 * `pack_padded_sequence`. The rows of the batch are sorted by length, the longest first; then come
 * all first items, all second items, and so on. Position t has sizes[t] rows, and they are the
 * first ones.
 *
 * @example
 * const packed = new PackedSequences(Int32Array.of(1, 3, 2), { steps: 3 });
 * packed.total; // 6
 * [...packed.order]; // [1, 2, 0]
 * [...packed.sizes]; // [3, 2, 1]
 */
export class PackedSequences {
  /** Sequences. */
  readonly size: number;
  /** Positions: the length of the longest sequence. */
  readonly steps: number;
  /** Items of all sequences. */
  readonly total: number;
  /** The number in the batch of each packed row. */
  readonly order: Int32Array;
  /** Rows that have an item at position t; on the shared memory. */
  readonly sizes: Int32Array;
  /** Where the items of position t start. */
  readonly starts: Int32Array;
  /** Where the last item of each sequence of the batch lies. */
  readonly last: Int32Array;

  /**
   * @param lengths length of each sequence, 1 … steps
   * @param options.steps the largest length that is possible; `size`: number of rows, default all;
   *   `room`: an array of int32() for `sizes`, of `steps` numbers, to be used for batch after batch
   * @throws ArgumentError for a length that is out of range
   */
  constructor(
    readonly lengths: Int32Array,
    {
      steps: most,
      size = lengths.length,
      room,
    }: { steps: number; size?: number; room?: Int32Array },
  ) {
    if (!(Number.isInteger(size) && size >= 1 && size <= lengths.length)) {
      throw new ArgumentError(
        `A batch of sequences needs at least one row and a length for each: ${size} rows, ${lengths.length} lengths.`,
      );
    }
    let steps = 0;
    let total = 0;
    for (let r = 0; r < size; r++) {
      const n = lengths[r];
      if (!(n >= 1 && n <= most))
        throw new ArgumentError(
          `Row ${r} of the batch has length ${n}; lengths are 1 to ${most}. Leave empty sequences out.`,
        );
      if (n > steps) steps = n;
      total += n;
    }
    this.size = size;
    this.steps = steps;
    this.total = total;
    this.sizes = room ? room.subarray(0, steps).fill(0) : int32(steps);
    for (let r = 0; r < size; r++) this.sizes[lengths[r] - 1]++; // how many end there, then how many reach it
    for (let t = steps - 2; t >= 0; t--) this.sizes[t] += this.sizes[t + 1];
    this.starts = new Int32Array(steps);
    for (let t = 1; t < steps; t++) this.starts[t] = this.starts[t - 1] + this.sizes[t - 1];
    this.order = new Int32Array(size);
    this.last = new Int32Array(size);
    const next = Int32Array.from({ length: steps }, (_, t) =>
      t + 1 < steps ? this.sizes[t + 1] : 0,
    ); // sequences of length t + 1 come after the longer ones
    for (let r = 0; r < size; r++) {
      const t = lengths[r] - 1;
      const at = next[t]++;
      this.order[at] = r;
      this.last[r] = this.starts[t] + at;
    }
  }

  /**
   * The items of an array of size × room values, packed; items beyond a row's length are not read.
   * @param items row-major, `room` values a row
   * @param options.out the array to write them into; default: a new one
   */
  pack(
    items: Int32Array,
    { room, out = new Int32Array(this.total) }: { room: number; out?: Int32Array },
  ): Int32Array {
    const { steps, sizes, starts, order } = this;
    for (let t = 0; t < steps; t++)
      for (let r = 0; r < sizes[t]; r++) out[starts[t] + r] = items[order[r] * room + t];
    return out;
  }
}
