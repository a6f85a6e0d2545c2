import { dispose, int32 } from '../../../compute/memory.js';
import { parallel } from '../../../compute/threads.js';
import type { Parameter } from '../../../nn/parameter.js';
import type { Hypers } from '../groups.js';
import { COEFFICIENTS, MomentOptimizer, type MomentStep, momentStep } from '../moments.js';
import type { ParamState } from '../optimizer.js';
import type { PendingRows } from './pending-rows.js';
import { type Moments, type Step, Timeline } from './timeline.js';

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

  /**
   * @param p the table
   * @param buffers its moments
   * @param line its timeline, on which no step has been taken yet
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

  /** Restores `last` from a copy. */
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

/** Cost of a skipping step for one value of a touched row, in values of a step of all rows. */
const TOUCHED_COST = 16;
/** Cost of a timeline, and of a further table in it, in values of a step of all rows. */
const OVERHEAD = { line: 50_000, table: 2_000 };

/** The rule of a step: undefined where it is no MomentStep, and with all coefficients. */
interface Rule {
  readonly t: number;
  readonly hypers: Readonly<Hypers>;
  readonly wd: number;
  readonly rule: MomentStep | undefined;
  readonly step: Step | undefined;
}

/**
 * An optimizer whose steps are MomentSteps: dense for dense parameters, by time-skipping (see
 * Timeline) for tables. Steps of tables are dense, too, where time cannot be skipped: where decay
 * goes through the gradient (L2) or exceeds what momentum leaves (lr·wd > 1 − mom), and where v is
 * forgotten much sooner than m (sqrMom < 0.9·mom²), so that steps grow without gradient.
 */
export abstract class SkippingOptimizer extends MomentOptimizer {
  private readonly tables = new Map<Parameter, SkippedRows>();
  private readonly lines: Timeline[] = [];
  private readonly timeSkipping: boolean | undefined;
  private last: Rule | undefined;

  /** @param options as of a MomentOptimizer, and `timeSkipping`, which the optimizers document */
  constructor(
    params: readonly (readonly Parameter[])[],
    options: { decoupledWd: boolean; timeSkipping: boolean | undefined; lr: number },
    moments: readonly ('gradAvg' | 'sqrAvg')[],
  ) {
    const { timeSkipping, ...rest } = options;
    super(params, rest, moments);
    this.timeSkipping = timeSkipping;
  }

  /** The t-th step of a parameter; undefined where it is no MomentStep, and `dense` takes it. */
  protected abstract rule(t: number, hypers: Readonly<Hypers>, wd: number): MomentStep | undefined;

  /** Takes a step in every row. */
  protected dense(
    p: Parameter,
    { buffers }: ParamState,
    step: MomentStep | undefined,
    _hypers: Readonly<Hypers>,
    _wd: number,
  ): void {
    if (step) momentStep(p, buffers, step);
  }

  override touch(): void {
    for (const table of this.tables.values()) table.catchUp();
  }

  override settle(): void {
    for (const p of [...this.tables.keys()]) this.settleTable(p);
  }

  override clearState(): void {
    for (const table of [...this.tables.values()]) this.drop(table);
    super.clearState();
  }

  override step(): void {
    this.last = undefined;
    super.step();
    for (const line of [...this.lines]) {
      if (!line.step) continue;
      const tables = [...this.tables.values()].filter((table) => table.line === line);
      for (const { p } of tables) if (!p.trainable) this.settleTable(p); // it takes no step now
      line.advance();
      if (!line.full) continue;
      if (line.over) for (const { p } of tables) this.settleTable(p);
      else {
        for (const table of tables) table.endBlock();
        line.nextBlock();
      }
    }
  }

  protected update(p: Parameter, state: ParamState, hypers: Readonly<Hypers>, wd: number): void {
    const { rule, step } = this.ruleOf(state.step, hypers, wd);
    const table =
      p.slots && step && this.canSkip(p, step)
        ? this.table(p, state, { step, eps: hypers.eps })
        : undefined;
    if (table && step) {
      table.line.step = step;
      table.step(step);
    } else {
      this.settleTable(p);
      this.dense(p, state, rule, hypers, wd);
    }
  }

  override pendingRows(): PendingRows | undefined {
    if (this.tables.size === 0) return undefined;
    const { lines } = this;
    return {
      toJSON: () => undefined,
      lines: lines.map((line) => ({ moments: line.moments, state: line.state() })),
      tables: [...this.tables.values()].map(({ p, last, line }) => ({
        name: p.name,
        line: lines.indexOf(line),
        last: last.slice(),
        ...this.copy(p),
      })),
    };
  }

  override restorePendingRows(saved: PendingRows): void {
    this.settle();
    const all = new Map(this.groups.flatMap(({ params }) => params.map((p) => [p.name, p])));
    const tables = saved.tables.map((table) => ({ ...table, p: all.get(table.name)! }));
    const before = tables.map(({ p }) => ({ p, ...this.copy(p) }));
    const restore = (): void => {
      const lines = saved.lines.map(({ moments }) => this.newLine(moments));
      for (const table of tables) {
        this.put(table.p, table);
        this.begin(table.p, lines[table.line]).restore(table.last);
      }
      lines.forEach((line, i) => {
        line.restore(saved.lines[i].state);
      });
    };
    restore();
    this.settle();
    const unchanged = before.every(({ p, value }) => value.every((x, i) => x === p.value[i]));
    if (unchanged) restore();
    else for (const { p, ...values } of before) this.put(p, values); // set by the user since: kept
  }

  /** Weights and moments of a parameter, as copies. */
  private copy(p: Parameter): { value: Float32Array; buffers: Record<string, Float32Array> } {
    const buffers = Object.entries(this.state(p).buffers).map(([name, b]) => [name, b.slice()]);
    return { value: p.value.slice(), buffers: Object.fromEntries(buffers) };
  }

  /** Puts such copies back. */
  private put(
    p: Parameter,
    { value, buffers }: { value: Float32Array; buffers: Readonly<Record<string, Float32Array>> },
  ): void {
    p.value.set(value);
    for (const [name, values] of Object.entries(buffers)) this.state(p).buffers[name].set(values);
  }

  /** The rows of a table that skips time already, or for which it pays off. */
  private table(
    p: Parameter,
    { buffers }: ParamState,
    { step, eps }: { step: Step; eps: number },
  ): SkippedRows | undefined {
    const known = this.tables.get(p);
    if (known) return !known.line.step || same(known.line.step, step) ? known : undefined;
    const hasV = 'sqrAvg' in buffers;
    const moments = { hasM: 'gradAvg' in buffers, hasV, eps: hasV ? eps : 1 };
    const line = this.lines.find(
      (l) => l.fresh && l.moments.eps === moments.eps && (!l.step || same(l.step, step)),
    );
    const saved = p.value.length - TOUCHED_COST * p.touchedCount * p.width;
    if (this.timeSkipping === undefined && saved < (line ? OVERHEAD.table : OVERHEAD.line))
      return undefined;
    return this.begin(p, line ?? this.newLine(moments));
  }

  /** The rule of a step, computed once for the tables of a group. */
  private ruleOf(t: number, hypers: Readonly<Hypers>, wd: number): Rule {
    const { last } = this;
    if (last && last.t === t && last.hypers === hypers && last.wd === wd) return last;
    const rule = this.rule(t, hypers, wd);
    const step = rule && { ...COEFFICIENTS, ...rule };
    this.last = { t, hypers, wd, rule, step };
    return this.last;
  }

  private newLine(moments: Moments): Timeline {
    const line = new Timeline(moments);
    this.lines.push(line);
    return line;
  }

  private begin(p: Parameter, line: Timeline): SkippedRows {
    const table = new SkippedRows(p, this.state(p).buffers, line);
    this.tables.set(p, table);
    return table;
  }

  private canSkip(p: Parameter, { keep, l2, b1, b2, eps }: Step): boolean {
    if (this.timeSkipping === false || l2 !== 0 || !(keep > 0) || !(eps > 0)) return false;
    const { gradAvg, sqrAvg } = this.state(p).buffers;
    return (!gradAvg || b1 <= keep) && (!sqrAvg || (b2 > 0 && b2 >= 0.9 * b1 * b1));
  }

  private settleTable(p: Parameter): void {
    const table = this.tables.get(p);
    if (!table) return;
    table.settle();
    this.drop(table);
  }

  private drop(table: SkippedRows): void {
    this.tables.delete(table.p);
    table.dispose();
    if ([...this.tables.values()].some(({ line }) => line === table.line)) return;
    this.lines.splice(this.lines.indexOf(table.line), 1);
    table.line.dispose();
  }
}

function same(a: Step, b: Step): boolean {
  return a === b || (Object.keys(a) as (keyof Step)[]).every((name) => a[name] === b[name]);
}
