import { kernels } from '../../../compute/kernels.js';
import { dispose, float32, float64, int32 } from '../../../compute/memory.js';
import { MAX_THREADS } from '../../../compute/threads.js';
import type { Step } from '../moments.js';

/** Which moments an optimizer keeps, and what it adds to the divisor: tables are made for these. */
export interface Moments {
  readonly hasM: boolean;
  readonly hasV: boolean;
  readonly eps: number;
}

/**
 * Most steps of a block: then the rows that were touched in it are brought up to date, and tables
 * begin anew.
 */
export const SLOTS = 32_768;
/** Most tables of a block that are not complete: at a momentum of 0.975 there are 1,000. */
const MOST_MOVING = 1024;
/** Slots that there is room for at first. */
const FIRST = 512;
/** Nodes of a table for each doubling of √v. */
const PER = 4;
/**
 * Most nodes of a table: 26 doublings of √v to either side of eps. As in assembly/time-skipping.ts.
 */
export const STRIDE = 212;
/** Doublings below eps at which the nodes begin. */
const BELOW = 26;
/** Blocks before every row is brought up to date: two million steps. */
export const MAX_BLOCKS = 64;
/** Momentum is spent when less than this part of it is left. */
const SPENT = 2 ** -26;
const FLOAT_MAX = 3.4028234663852886e38;

/**
 * What rows without gradient have missed: the same for every row that missed the same steps, but
 * for its weights and moments.
 *
 * One step j of a row whose gradient is 0 (see MomentStep, with l2 = 0) is
 *
 *     m ← b1ⱼ·m     v ← b2ⱼ·v     w ← keepⱼ·w − cⱼ·m / (√(fⱼ·v) + epsⱼ)
 *
 * so that the steps t0 + 1 … T together, with M, B and E for the products of b1, b2 and keep up to
 * a step, are
 *
 *     m ← M(T)/M(t0)·m     v ← B(T)/B(t0)·v     w ← E(T)/E(t0)·(w − m·A(t0, T; √v))
 *
 *                              M(j)/M(t0)                     cⱼ
 *     A(t0, T; s) =  Σ         ──────────  ·  ──────────────────────────────────
 *                  t0 < j ≤ T  E(j)/E(t0)     s·√(fⱼ·B(j)/B(t0)) + epsⱼ
 *
 * A depends on the row through s = √v alone. So one table of A over log₂ s for each step t0 serves
 * all rows of all tables, and a step of time costs one addition for each node of each table,
 * whatever the number of rows. A·(s + eps) is smooth in log₂ s: 4 nodes a doubling and cubic
 * interpolation give it to 2e-8. Decay and schedules, of momentum too, are in the products; nothing
 * is assumed of them but that keep > 0.
 *
 * A table is complete once M·B^−½ < 2⁻²⁶, after 200 steps at a momentum of 0.9: the terms to come
 * fall by b1·b2^−½ at least. Complete tables are kept, and cost nothing, until after 32,768 steps
 * (or with 1,024 that are not complete) a block ends: rows that were touched in it are brought up
 * to date then, and those whose momentum is spent are from then on described by E and B alone.
 */
export class Timeline {
  /** Steps taken in this block: the slot at which rows stand that are up to date. */
  now = 0;
  /** Blocks ended. */
  block = 0;
  /** Slots below this one have complete tables: the momentum of their rows is spent. */
  done = 0;
  /** The step being taken, once a table has taken it. */
  step: Step | undefined;
  /** Whether rows may stand at the present slot whose v no step has noted. */
  loose = false;
  private time = 0;
  private logKeep = 0;
  private logShrink = 0;
  private room = FIRST;
  private tables = float32(FIRST * STRIDE); // one after the other, each of the nodes that its rows need
  private begin = 0; // of the present slot's table
  private used = 0; // of `tables`, with it
  private scalars = float64(3 * FIRST);
  private spans = int32(3 * FIRST); // first and last node of each table, and where in `tables` its node 0 would lie
  private readonly logs = new Float64Array(2 * SLOTS); // logKeep and logShrink at each slot
  private readonly madeSlots = new Float64Array(SLOTS).fill(-1); // the time for which a complete slot's scalars hold
  private readonly nodes = float32(2 * STRIDE);
  private readonly ranges = float32(8 * MAX_THREADS);
  private readonly factors = float64(2 * MAX_BLOCKS);
  private readonly made = new Float64Array(MAX_BLOCKS).fill(-1); // the time for which a block's factors hold
  private readonly starts = new Float64Array(2 * MAX_BLOCKS); // logKeep and logShrink at the start of each block

  /** Where the kernels find it: arguments of skipRows from `tables` to `blocks`. */
  places: readonly number[] = [];
  /** How they find √v in a table: shift and scale of log₂ v, and eps. */
  readonly grid: readonly number[];
  /** Where they note which v still move. */
  readonly rangesAt: number;

  constructor(readonly moments: Moments) {
    const { hasV, eps } = moments;
    this.place();
    this.grid = [PER * (BELOW - Math.log2(eps)), PER / 2, eps];
    this.rangesAt = this.ranges.byteOffset;
    for (let i = 0; i < STRIDE; i++) {
      const s = eps * 2 ** (i / PER - BELOW);
      this.nodes[i] = hasV ? s : 0;
      this.nodes[STRIDE + i] = hasV ? s + eps : 1;
    }
    this.clearRanges();
    this.open();
  }

  /** Whether nothing has happened yet, so that further tables can join. */
  get fresh(): boolean {
    return this.time === 0;
  }

  /**
   * Whether the block must end: there is no slot left, or momentum is not spent in so many steps
   * that their tables cost too much.
   */
  get full(): boolean {
    return this.now === SLOTS - 1 || this.now - this.done === MOST_MOVING;
  }

  /** Whether no further block can begin. */
  get over(): boolean {
    return this.block === MAX_BLOCKS - 1;
  }

  /** Makes the factors of rows that have been spent since the start of a block. */
  refresh(block: number): void {
    if (this.made[block] === this.time) return;
    this.made[block] = this.time;
    this.factors[2 * block] = Math.exp(this.logKeep - this.starts[2 * block]);
    this.factors[2 * block + 1] = Math.exp(this.logShrink - this.starts[2 * block + 1]);
  }

  /** Makes the scalars of a slot whose table is complete. */
  refreshSlot(slot: number): void {
    if (this.madeSlots[slot] === this.time) return;
    this.madeSlots[slot] = this.time;
    this.scalars[3 * slot + 1] = Math.exp(this.logShrink - this.logs[2 * slot + 1]);
    this.scalars[3 * slot + 2] = Math.exp(this.logKeep - this.logs[2 * slot]);
  }

  /** Makes the scalars of all such slots. */
  refreshSlots(): void {
    for (let slot = 0; slot < this.done; slot++) this.refreshSlot(slot);
  }

  /** Makes the factors of all blocks. */
  refreshBlocks(): void {
    for (let block = 0; block <= this.block; block++) this.refresh(block);
  }

  /** Takes the step into account: rows without gradient are one step behind from now on. */
  advance(): void {
    const { b1, b2, c, f, eps, keep } = this.step!;
    const { hasM, hasV } = this.moments;
    if (this.now === 0)
      this.bound(); // now it is known which rows move at the start
    else if (this.loose) this.bound({ all: hasV });
    this.loose = false;
    const shrink = hasV ? b2 : 1;
    const [tables, scalars, spans] = this.places;
    const at = [tables, scalars, spans, this.nodes.byteOffset] as const;
    const decay = (hasM ? b1 : 0) / keep;
    kernels().skipAdvance(this.done, this.now + 1, ...at, decay, shrink, keep, c, f, eps);
    this.logKeep += Math.log(keep);
    this.logShrink += Math.log(shrink);
    this.time++;
    this.step = undefined;
    this.now++;
    while (this.done < this.now && (!hasM || this.left(this.done) < SPENT)) this.done++;
    this.open();
    this.clearRanges();
  }

  /** Begins a block, in which the rows that still move stand at slot 0. */
  nextBlock(): void {
    this.block++;
    this.starts[2 * this.block] = this.logKeep;
    this.starts[2 * this.block + 1] = this.logShrink;
    this.now = 0;
    this.done = 0;
    this.used = 0;
    this.madeSlots.fill(-1);
    this.open();
  }

  private clearRanges(): void {
    for (let i = 0; i < this.ranges.length; i++) this.ranges[i] = i % 8 < 4 ? FLOAT_MAX : 0;
  }

  /** Gives its memory back. */
  dispose(): void {
    const { tables, scalars, spans, nodes, ranges, factors } = this;
    for (const array of [tables, scalars, spans, nodes, ranges, factors]) dispose(array);
  }

  /** What is left of the momentum of a slot's rows, against the root of what is left of v. */
  private left(slot: number): number {
    const [r, q, e] = this.scalars.subarray(3 * slot, 3 * slot + 3);
    return (r * e) / Math.sqrt(q);
  }

  /** Begins the present slot, with an empty table. */
  private open(): void {
    const { now } = this;
    if (now === this.room) this.grow(2 * this.room);
    this.logs[2 * now] = this.logKeep;
    this.logs[2 * now + 1] = this.logShrink;
    this.scalars.fill(1, 3 * now, 3 * now + 3);
    this.begin = this.used;
    this.bound();
  }

  /**
   * Gives the present slot's table, which is empty, the nodes about the v that were noted, or all.
   */
  private bound({ all = false }: { all?: boolean } = {}): void {
    let low = FLOAT_MAX;
    let high = 0;
    for (let i = 0; i < this.ranges.length; i++) {
      if (i % 8 < 4) low = Math.min(low, this.ranges[i]);
      else high = Math.max(high, this.ranges[i]);
    }
    const [shift, scale] = this.grid;
    const node = (v: number): number =>
      Math.max(2, Math.min(STRIDE - 4, Math.floor(scale * Math.log2(v) + shift)));
    const none = !this.moments.hasV || high < low;
    const wide = all || Number.isNaN(low + high);
    const lo = wide || none ? 0 : node(low) - 2;
    const hi = wide ? STRIDE - 1 : none ? 3 : node(high) + 3;
    const first = lo & ~3; // nodes are worked on by fours
    const at = this.begin;
    this.used = at + (hi | 3) + 1 - first;
    if (this.used > this.tables.length) this.grow(this.room, 2 * this.tables.length);
    this.tables.fill(0, at, this.used);
    this.spans.set([lo, hi, at - first], 3 * this.now);
  }

  /** Makes room for more slots, and for longer tables. */
  private grow(slots: number, values = this.tables.length): void {
    this.room = slots;
    this.tables = grown(this.tables, float32, values);
    this.scalars = grown(this.scalars, float64, 3 * slots);
    this.spans = grown(this.spans, int32, 3 * slots);
    this.place();
  }

  private place(): void {
    const arrays = [this.tables, this.scalars, this.spans, this.factors];
    this.places = arrays.map(({ byteOffset }) => byteOffset);
  }

  /** All there is to know, as copies, to go on with later. */
  state(): TimelineState {
    const { now, block, done, time, begin, used, logKeep, logShrink } = this;
    return {
      numbers: {
        ...{ now, block, done, time, begin, used, logKeep, logShrink },
        loose: Number(this.loose),
      },
      arrays: {
        tables: this.tables.slice(0, used),
        scalars: this.scalars.slice(0, 3 * (now + 1)),
        spans: this.spans.slice(0, 3 * (now + 1)),
        ranges: this.ranges.slice(),
        starts: this.starts.slice(0, 2 * (block + 1)),
        logs: this.logs.slice(0, 2 * (now + 1)),
      },
    };
  }

  /** Puts a state back. */
  restore({ numbers, arrays }: TimelineState): void {
    Object.assign(this, numbers, { loose: numbers.loose === 1 });
    let slots = this.room;
    while (slots <= this.now) slots *= 2;
    this.grow(slots, Math.max(this.tables.length, this.used));
    for (const name of ['tables', 'scalars', 'spans', 'ranges', 'starts', 'logs'] as const)
      (this[name] as Float64Array).set(arrays[name]);
    this.made.fill(-1);
    this.madeSlots.fill(-1);
    this.step = undefined;
  }
}

/** An array of n numbers that begins with those of another, whose memory is given back. */
function grown<T extends Float32Array | Float64Array | Int32Array>(
  from: T,
  make: (n: number) => T,
  n: number,
): T {
  if (from.length >= n) return from;
  const to = make(n);
  to.set(from as Float64Array);
  dispose(from);
  return to;
}

/** A timeline as plain data. */
export interface TimelineState {
  readonly numbers: Readonly<
    Record<
      'now' | 'block' | 'done' | 'time' | 'begin' | 'used' | 'logKeep' | 'logShrink' | 'loose',
      number
    >
  >;
  readonly arrays: { readonly [name in 'tables' | 'ranges']: Float32Array } & {
    readonly [name in 'scalars' | 'starts' | 'logs']: Float64Array;
  } & { readonly spans: Int32Array };
}
