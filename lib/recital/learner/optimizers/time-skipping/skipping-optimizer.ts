import type { Parameter } from '../../../nn/parameter.js';
import type { Hypers } from '../groups.js';
import { COEFFICIENTS, MomentOptimizer, type MomentStep, momentStep } from '../moments.js';
import type { ParamState } from '../optimizer.js';
import type { Unsettled } from './pending-rows.js';
import { SkippedRows } from './skipped-rows.js';
import { type Moments, type Step, Timeline } from './timeline.js';

/**
 * Values that a step of all rows does in the time that a skipping one needs for one value of a
 * touched row.
 */
const DEARER = 16;
/**
 * Values that a step of all rows does in the time that a timeline needs for itself, or for a
 * further table.
 */
const OVERHEAD = { line: 50_000, table: 2_000 };

/**
 * An optimizer whose steps are cases of MomentStep: dense for dense parameters, by time-skipping
 * (see Timeline) for tables. Time cannot be skipped while decay goes through the gradient (L2) or
 * takes more than momentum leaves (lr·wd > 1 − mom), nor where v is forgotten much sooner than m
 * (sqrMom < 0.9·mom²), so that steps grow without gradient: such steps are dense.
 */
export abstract class SkippingOptimizer extends MomentOptimizer {
  private readonly tables = new Map<Parameter, SkippedRows>();
  private readonly lines: Timeline[] = [];
  private readonly timeSkipping: boolean | undefined;
  private last:
    | {
        t: number;
        hypers: Readonly<Hypers>;
        wd: number;
        rule: MomentStep | undefined;
        step: Step | undefined;
      }
    | undefined;

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

  /**
   * The t-th step of a parameter; undefined where it is none of MomentStep's cases, so that `dense`
   * takes it.
   */
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
      for (const { p } of tables) if (!p.trainable) this.settleTable(p); // its time stands still
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

  /** The rows as they stand, where some are not up to date: copies. */
  override unsettled(): Unsettled | undefined {
    if (this.tables.size === 0) return undefined;
    const { lines } = this;
    return {
      toJSON: () => undefined,
      lines: lines.map((line) => ({ moments: line.moments, state: line.state() })),
      tables: [...this.tables.values()].map(({ p, last, line }) => ({
        name: p.name,
        line: lines.indexOf(line),
        value: p.value.slice(),
        last: last.slice(),
        buffers: Object.fromEntries(
          Object.entries(this.state(p).buffers).map(([name, buffer]) => [name, buffer.slice()]),
        ),
      })),
    };
  }

  override unsettle(saved: Unsettled): void {
    this.settle();
    const all = this.groups.flatMap(({ params }) => params);
    const tables = saved.tables.map((table) => ({
      ...table,
      p: all.find(({ name }) => name === table.name)!,
    }));
    const settled = tables.map(({ p }) => ({
      p,
      value: p.value.slice(),
      buffers: copies(this.state(p).buffers),
    }));
    const begin = (): void => {
      const lines = saved.lines.map(({ moments }) => this.newLine(moments));
      for (const { p, line, value, last, buffers } of tables) {
        p.value.set(value);
        const state = this.state(p);
        for (const [name, values] of Object.entries(buffers)) state.buffers[name].set(values);
        this.begin(p, state.buffers, lines[line]).restore(last);
      }
      lines.forEach((line, i) => {
        line.restore(saved.lines[i].state);
      });
    };
    begin();
    this.settle();
    if (settled.every(({ p, value }) => value.every((x, i) => x === p.value[i]))) {
      begin();
      return;
    }
    for (const { p, value, buffers } of settled) {
      // somebody has changed the weights since: they go on from there
      p.value.set(value);
      for (const [name, values] of Object.entries(buffers)) this.state(p).buffers[name].set(values);
    }
  }

  /** A table that skips time, if it does or is worth it. */
  private table(
    p: Parameter,
    { buffers }: ParamState,
    { step, eps }: { step: Step; eps: number },
  ): SkippedRows | undefined {
    const known = this.tables.get(p);
    if (known) return !known.line.step || same(known.line.step, step) ? known : undefined;
    const moments = {
      hasM: 'gradAvg' in buffers,
      hasV: 'sqrAvg' in buffers,
      eps: 'sqrAvg' in buffers ? eps : 1,
    };
    const line = this.lines.find(
      (l) => l.fresh && l.moments.eps === moments.eps && (!l.step || same(l.step, step)),
    );
    const saved = p.value.length - DEARER * p.touchedCount * p.width;
    if (this.timeSkipping === undefined && saved < (line ? OVERHEAD.table : OVERHEAD.line))
      return undefined;
    return this.begin(p, buffers, line ?? this.newLine(moments));
  }

  /** The rule of a step; tables of a group have the same. */
  private ruleOf(
    t: number,
    hypers: Readonly<Hypers>,
    wd: number,
  ): { rule: MomentStep | undefined; step: Step | undefined } {
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

  private begin(p: Parameter, buffers: Record<string, Float32Array>, line: Timeline): SkippedRows {
    const table = new SkippedRows(p, buffers, line);
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

function copies(buffers: Record<string, Float32Array>): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(buffers).map(([name, buffer]) => [name, buffer.slice()]),
  );
}
