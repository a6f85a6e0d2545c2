import { dispose, int32 } from '../../../compute/memory.js';
import { parallel } from '../../../compute/threads.js';
import type { Parameter } from '../../../nn/parameter.js';
import type { Step, Timeline } from './timeline.js';

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
  private strays = false; // rows were brought up to date and have taken no step since

  /**
   * @param p the table
   * @param buffers its moments
   * @param line the time that it lives in, which must be fresh
   */
  constructor(
    readonly p: Parameter,
    private readonly buffers: Record<string, Float32Array>,
    readonly line: Timeline,
  ) {
    const [count] = p.shape;
    this.last = int32(count);
    this.pending = int32(count);
    const { m, v } = this.moments();
    parallel('skipScan', count, [p.width, m, v, this.last.byteOffset, line.rangesAt], {
      grain: this.grain,
    });
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
    if (n) this.bring(n, this.rows, { mark: now, spentMark: now, measure: 0 });
  }

  /** Takes a step with the gradients of the touched rows. */
  step({ keep, b1, d1, b2, d2, a, c, e, f, eps }: Step): void {
    this.strays = false;
    this.catchUp();
    this.strays = false;
    const { p, line, last, rows } = this;
    const { touched, touchedCount: n } = p;
    if (n === 0) return;
    for (let j = 0; j < n; j++) rows[j] = touched[j];
    const { m, v } = this.moments();
    const at = [
      rows.byteOffset,
      p.width,
      p.value.byteOffset,
      p.grad.byteOffset,
      m,
      v,
      last.byteOffset,
      line.now + 1,
    ];
    parallel('skipStep', n, [...at, 1 - keep, b1, d1, b2, d2, a, c, e, f, eps, line.rangesAt], {
      grain: this.grain,
    });
  }

  /**
   * Brings the rows that still move to the end of the block; those whose momentum is spent leave.
   */
  endBlock(): void {
    const { pending, pendingCount, last, line } = this;
    line.refreshSlots();
    if (pendingCount)
      this.bring(pendingCount, pending, { mark: 0, spentMark: -2 - line.block, measure: 1 });
    let n = 0;
    for (let j = 0; j < pendingCount; j++) if (last[pending[j]] === 0) pending[n++] = pending[j];
    this.pendingCount = n;
  }

  /** Brings every row up to date. */
  settle(): void {
    this.line.refreshSlots();
    this.line.refreshBlocks();
    this.bring(this.p.shape[0], undefined, { mark: 0, spentMark: -1, measure: 0 });
  }

  /** Takes rows as they stood when `last` was copied. */
  restore(last: Int32Array): void {
    this.last.set(last);
    this.collect();
  }

  /** Gives its memory back. */
  dispose(): void {
    for (const array of [this.last, this.pending, this.rows]) dispose(array);
  }

  private bring(
    n: number,
    rows: Int32Array | undefined,
    { mark, spentMark, measure }: { mark: number; spentMark: number; measure: number },
  ): void {
    const { p, line, last } = this;
    const { m, v } = this.moments();
    const table = [rows?.byteOffset ?? 0, p.width, p.value.byteOffset, m, v, last.byteOffset];
    parallel(
      'skipRows',
      n,
      [...table, ...line.places, mark, spentMark, line.done, measure, ...line.grid, line.rangesAt],
      { grain: this.grain },
    );
  }

  private moments(): { m: number; v: number } {
    const { gradAvg, sqrAvg } = this.buffers;
    return { m: gradAvg?.byteOffset ?? 0, v: sqrAvg?.byteOffset ?? 0 };
  }

  private get grain(): number {
    return Math.ceil(GRAIN / this.p.width);
  }

  private collect(): void {
    const { last, pending } = this;
    let n = 0;
    for (let row = 0; row < last.length; row++) if (last[row] >= 0) pending[n++] = row;
    this.pendingCount = n;
  }

  private reserve(n: number): void {
    if (this.rows.length >= n) return;
    dispose(this.rows);
    this.rows = int32(Math.min(this.p.shape[0], 2 * n));
  }
}
