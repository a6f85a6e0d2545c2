/**
 * 64-bit hashes and their positions: an open-addressing table on one typed array, probed linearly.
 */
export class HashIndex {
  private readonly slots: Int32Array; // low half, high half, position + 1 (0: free), unused: a power of two, so that a slot is in one cache line
  private readonly mask: number;
  /** Whether all hashes differ. If not, the index is of no use. */
  readonly distinct: boolean;

  /**
   * @param hashes position `i` has the hash `hashes[2i]` (low half), `hashes[2i + 1]` (high half)
   */
  constructor(hashes: Int32Array) {
    const n = hashes.length / 2;
    let size = 4;
    while (size < 2 * n) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(4 * size);
    let distinct = true;
    for (let i = 0; i < n; i++) {
      const low = hashes[2 * i];
      const high = hashes[2 * i + 1];
      let at = 4 * (low & this.mask);
      while (this.slots[at + 2] !== 0) {
        if (this.slots[at] === low && this.slots[at + 1] === high) distinct = false;
        at = 4 * ((at / 4 + 1) & this.mask);
      }
      this.slots[at] = low;
      this.slots[at + 1] = high;
      this.slots[at + 2] = i + 1;
    }
    this.distinct = distinct;
  }

  /**
   * Writes the position of each hash into `out` from `start` on.
   * @returns the first hash that has no position, counted from 0; −1 if all have one
   */
  encode(hashes: Int32Array, out: Int32Array, start: number): number {
    const { slots, mask } = this;
    const n = hashes.length / 2;
    for (let i = 0; i < n; i++) {
      const low = hashes[2 * i];
      const high = hashes[2 * i + 1];
      let at = 4 * (low & mask);
      while (slots[at] !== low || slots[at + 1] !== high || slots[at + 2] === 0) {
        if (slots[at + 2] === 0) return i;
        at = 4 * ((at / 4 + 1) & mask);
      }
      out[start + i] = slots[at + 2] - 1;
    }
    return -1;
  }
}
