import { dispose, int32 } from '../../../compute/memory.js';
import { parallel } from '../../../compute/threads.js';
import type { Parameter } from '../../../nn/parameter.js';
import type { Step } from '../moments.js';
import type { Timeline } from './timeline.js';

/** Values that are worth a thread of their own. */
const GRAIN = 16_384;

/**
 * The rows of one table, each of which is up to date as of a step of its own. `last[row]` is the
 * slot of the timeline at which the row was last updated or, once its momentum is spent, −1 − the
 * block at whose start that was found.
 */
export class SkippedRows {
  readonly last: Int32Array;
  private readonly pending: Int32Array; // rows that still move, and those touched in this block
  private pendingCount = 0;
  private rows = int32(0);
  private strays = false; // true if rows were brought up to date and have taken no step since
  private readonly m: number;
  private readonly v: number;
  private readonly options: { grain: number };

  /**
   * @param p the table
   * @param buffers its moments
   * @param line its timeline, on which no step has been taken yet
   */
  constructor(
    readonly p: Parameter,
    { gradAvg, sqrAvg }: Record<string, Float32Array>,
    readonly line: Timeline,
  ) {
    const [count] = p.shape;
    this.last = int32(count);
    this.pending = int32(count);
    this.m = gradAvg?.byteOffset ?? 0;
    this.v = sqrAvg?.byteOffset ?? 0;
    this.options = { grain: Math.ceil(GRAIN / p.width) };
    const args = [p.width, this.m, this.v, this.last.byteOffset, line.rangesAt];
    parallel('skipScan', count, args, this.options);
    this.collect();
  }

  /** Brings the touched rows up to date. */
  catchUp(): void {
    const { touched, touchedCount } = this.p;
    const { last, line } = this;
    const { now } = line;
    if (this.strays) line.loose = true;
    this.strays = touchedCount > 0;
    this.reserve(touchedCount);
    let n = 0;
    for (let j = 0; j < touchedCount; j++) {
      const row = touched[j];
      const at = last[row];
      if (at === now) continue;
      if (at < 0) {
        line.refresh(-1 - at);
        this.pending[this.pendingCount++] = row;
      } else if (at < line.done) line.refreshSlot(at);
      this.rows[n++] = row;
    }
    if (n) this.bring(n, this.rows, { mark: now, spentMark: now });
  }

  /** Takes a step with the gradients of the touched rows. */
  step({ keep, b1, d1, b2, d2, a, c, e, f, eps }: Step): void {
    this.strays = false;
    this.catchUp();
    this.strays = false;
    const { p, line, last, rows, m, v } = this;
    const { touched, touchedCount: n, value, grad } = p;
    if (n === 0) return;
    for (let j = 0; j < n; j++) rows[j] = touched[j];
    const tables = [rows.byteOffset, p.width, value.byteOffset, grad.byteOffset, m, v];
    const how = [last.byteOffset, line.now + 1, 1 - keep, b1, d1, b2, d2, a, c, e, f, eps];
    parallel('skipStep', n, [...tables, ...how, line.rangesAt], this.options);
  }

  /**
   * Brings the rows that still move to the end of the block; those whose momentum is spent leave.
   */
  endBlock(): void {
    const { pending, pendingCount, line } = this;
    line.refreshSlots();
    if (pendingCount) this.bring(pendingCount, pending, { spentMark: -2 - line.block, measure: 1 });
    this.collect(pending.subarray(0, pendingCount));
  }

  /** Brings every row up to date. */
  settle(): void {
    this.line.refreshSlots();
    this.line.refreshBlocks();
    this.bring(this.p.shape[0], undefined, { spentMark: -1 });
  }

  /** Restores `last` from a copy. */
  restore(last: Int32Array): void {
    this.last.set(last);
    this.collect();
  }

  /** Gives its memory back. */
  dispose(): void {
    for (const array of [this.last, this.pending, this.rows]) dispose(array);
  }

  /**
   * @param marks the `last` of the rows that still move from now on, and of those that are spent;
   *   whether to note the v of the former
   */
  private bring(
    n: number,
    rows: Int32Array | undefined,
    { mark = 0, spentMark = 0, measure = 0 },
  ): void {
    const { p, line, last, m, v } = this;
    const table = [rows?.byteOffset ?? 0, p.width, p.value.byteOffset, m, v, last.byteOffset];
    const marks = [mark, spentMark, line.done, measure, ...line.grid, line.rangesAt];
    parallel('skipRows', n, [...table, ...line.places, ...marks], this.options);
  }

  /** Collects the rows, default all, that still move or have been touched in this block. */
  private collect(among?: Int32Array): void {
    const { last, pending } = this;
    const count = among?.length ?? last.length;
    let n = 0;
    for (let j = 0; j < count; j++) {
      const row = among ? among[j] : j;
      if (last[row] >= 0) pending[n++] = row;
    }
    this.pendingCount = n;
  }

  private reserve(n: number): void {
    if (this.rows.length >= n) return;
    dispose(this.rows);
    this.rows = int32(Math.min(this.p.shape[0], 2 * n));
  }
}
