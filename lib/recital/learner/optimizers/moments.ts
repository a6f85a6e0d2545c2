import { kernels } from '../../compute/kernels.js';
import { float32 } from '../../compute/memory.js';
import type { Parameter } from '../../nn/parameter.js';
import { copies, type Hypers, Optimizer, type ParamState, paramGroups } from './optimizer.js';
import type { PendingRows } from './time-skipping/pending-rows.js';
import { SkippedRows } from './time-skipping/skipped-rows.js';
import { type Moments, Timeline } from './time-skipping/timeline.js';

/**
 * The coefficients of the general step, of which those of SGD, RMSProp, Adam … are special cases,
 * with their defaults and in the order of the kernel. With g' = g + l2·p:
 *
 *     m ← b1·m + d1·g';   v ← b2·v + d2·g'²;   p ← keep·p − (a·g' + c·m) / (√(e·g'² + f·v) + eps)
 *
 * m and v are the parameter's `gradAvg` and `sqrAvg`. A moment that is not kept is left out;
 * without v nothing is divided.
 */
const COEFFICIENTS = {
  /** Factor of the weights (decoupled decay). */
  keep: 1,
  /** Weight decay in the gradient (L2). */
  l2: 0,
  /** Factors of m and of the gradient in the new m; by default m stays. */
  b1: 1,
  d1: 0,
  /** The same for v. */
  b2: 1,
  d2: 0,
  /** Weights of gradient and m in the step. */
  a: 0,
  c: 0,
  /** Weights of squared gradient and v in the divisor. */
  e: 0,
  f: 0,
  /** Added to the divisor: by default nothing is divided. */
  eps: 1,
};

/** One step with all its coefficients. */
export type Step = Readonly<typeof COEFFICIENTS>;
/** One step, with the coefficients that differ from their defaults. */
export type MomentStep = Partial<Step>;

const NAMES = Object.keys(COEFFICIENTS) as (keyof Step)[];
let memory: Float32Array | undefined;

/** Does one step for every value of a parameter; rows of a table that were not touched have g = 0. */
export function momentStep(
  p: Parameter,
  { gradAvg, sqrAvg }: Record<string, Float32Array>,
  step: MomentStep,
): void {
  memory ??= float32(NAMES.length);
  for (let i = 0; i < NAMES.length; i++) memory[i] = step[NAMES[i]] ?? COEFFICIENTS[NAMES[i]];
  const [w, g, k] = [p.value.byteOffset, p.grad.byteOffset, memory.byteOffset];
  const m = gradAvg?.byteOffset ?? 0;
  const v = sqrAvg?.byteOffset ?? 0;
  if (p.slots) kernels().momentsTable(p.shape[0], p.width, p.slots.byteOffset, w, g, m, v, k);
  else kernels().moments(p.value.length, w, g, m, v, k);
}

/** fastai's `debias`, 1 − βᵗ: the sum of the weights of t gradients in a damped average. */
export function debias(beta: number, t: number): number {
  return 1 - beta ** t;
}

/** Cost of a skipping step for one value of a touched row, in values of a step of all rows. */
const TOUCHED_COST = 16;
/** Cost of a timeline, and of a further table in it, in values of a step of all rows. */
const OVERHEAD = { line: 50_000, table: 2_000 };

/** Options of all moment optimizers: their hyper-parameters, and how they take their steps. */
interface MomentOptions {
  readonly lr: number;
  readonly decoupledWd: boolean;
  readonly timeSkipping?: boolean;
}

/**
 * An optimizer whose steps are MomentSteps: dense for dense parameters, by time-skipping (see
 * Timeline) for tables. Steps of tables are dense, too, where time cannot be skipped: where decay
 * goes through the gradient (L2) or exceeds what momentum leaves (lr·wd > 1 − mom), and where v is
 * forgotten much sooner than m (sqrMom < 0.9·mom²), so that steps grow without gradient.
 */
export abstract class MomentOptimizer extends Optimizer {
  private readonly tables = new Map<Parameter, SkippedRows>();
  private readonly lines: Timeline[] = [];
  private readonly decoupledWd: boolean;
  private readonly timeSkipping: boolean | undefined;
  private last: { t: number; hypers: Hypers; wd: number; step: Step | undefined } | undefined;

  /** @param moments the moments that it keeps */
  constructor(
    params: readonly (readonly Parameter[])[],
    { decoupledWd, timeSkipping, ...hypers }: MomentOptions,
    moments: readonly ('gradAvg' | 'sqrAvg')[],
  ) {
    super(paramGroups(params, hypers), moments);
    this.decoupledWd = decoupledWd;
    this.timeSkipping = timeSkipping;
  }

  /** The t-th step of a parameter; undefined where it is no MomentStep, and `dense` takes it. */
  protected rule(_t: number, _hypers: Readonly<Hypers>, _wd: number): MomentStep | undefined {
    return undefined;
  }

  /** Takes a step in every row; `step` is that of `rule`. */
  protected dense(
    p: Parameter,
    { buffers }: ParamState,
    _hypers: Readonly<Hypers>,
    _wd: number,
    step: Step | undefined,
  ): void {
    if (step) momentStep(p, buffers, step);
  }

  /** Weight decay, as coefficients of a step. */
  protected decay(lr: number, wd: number): { keep: number; l2: number } {
    return this.decoupledWd ? { keep: 1 - lr * wd, l2: 0 } : { keep: 1, l2: wd };
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
    const step = this.stepOf(state.step, hypers, wd);
    const table = step && this.canSkip(p, step) ? this.table(p, step, hypers.eps) : undefined;
    if (step && table) {
      table.line.step = step;
      table.step(step);
    } else {
      this.settleTable(p);
      this.dense(p, state, hypers, wd, step);
    }
  }

  override pendingRows(): PendingRows | undefined {
    if (this.tables.size === 0) return undefined;
    const { lines } = this;
    return {
      toJSON: () => undefined,
      lines: lines.map((line) => ({ moments: line.moments, state: line.state() })),
      tables: [...this.tables.values()].map(({ p, last, line }) => {
        const [name, value] = [p.name, p.value.slice()];
        const buffers = copies(this.state(p).buffers);
        return { name, line: lines.indexOf(line), last: last.slice(), value, buffers };
      }),
    };
  }

  override restorePendingRows(saved: PendingRows): void {
    this.settle();
    const params = this.byName();
    const tables = saved.tables.map((table) => ({ ...table, p: params.get(table.name)! }));
    const before = tables.map(({ p }) => {
      return { p, value: p.value.slice(), buffers: copies(this.state(p).buffers) };
    });
    const restore = (): void => {
      const lines = saved.lines.map(({ moments }) => this.newLine(moments));
      for (const table of tables) {
        this.put(table);
        this.begin(table.p, lines[table.line]).restore(table.last);
      }
      for (const [i, line] of lines.entries()) line.restore(saved.lines[i].state);
    };
    restore();
    this.settle();
    const unchanged = before.every(({ p, value }) => value.every((x, i) => x === p.value[i]));
    if (unchanged) restore();
    else for (const values of before) this.put(values); // set by the user since: kept
  }

  /** Puts copies of weights and moments back. */
  private put({
    p,
    value,
    buffers,
  }: Pick<PendingRows['tables'][0], 'value' | 'buffers'> & { p: Parameter }): void {
    p.value.set(value);
    for (const [name, values] of Object.entries(buffers)) this.state(p).buffers[name].set(values);
  }

  /** The step of `rule`, made once for the parameters of a group. */
  private stepOf(t: number, hypers: Readonly<Hypers>, wd: number): Step | undefined {
    const { last } = this;
    if (last && last.t === t && last.hypers === hypers && last.wd === wd) return last.step;
    const rule = this.rule(t, hypers, wd);
    const step = rule && { ...COEFFICIENTS, ...rule };
    this.last = { t, hypers, wd, step };
    return step;
  }

  private canSkip(p: Parameter, { keep, l2, b1, b2, eps }: Step): boolean {
    if (!p.slots || this.timeSkipping === false || l2 !== 0 || !(keep > 0) || !(eps > 0))
      return false;
    const { gradAvg, sqrAvg } = this.state(p).buffers;
    return (!gradAvg || b1 <= keep) && (!sqrAvg || (b2 > 0 && b2 >= 0.9 * b1 * b1));
  }

  /** The rows of a table that skips time already, or for which it pays off. */
  private table(p: Parameter, step: Step, epsOfV: number): SkippedRows | undefined {
    const agrees = (line: Timeline): boolean => !line.step || same(line.step, step);
    const known = this.tables.get(p);
    if (known) return agrees(known.line) ? known : undefined;
    const { gradAvg, sqrAvg } = this.state(p).buffers;
    const [hasM, hasV, eps] = [Boolean(gradAvg), Boolean(sqrAvg), sqrAvg ? epsOfV : 1];
    const line = this.lines.find((l) => l.fresh && l.moments.eps === eps && agrees(l));
    const saved = p.value.length - TOUCHED_COST * p.touchedCount * p.width;
    if (this.timeSkipping === undefined && saved < (line ? OVERHEAD.table : OVERHEAD.line))
      return undefined;
    return this.begin(p, line ?? this.newLine({ hasM, hasV, eps }));
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
  return a === b || NAMES.every((name) => a[name] === b[name]);
}
