// "Interrupt kernel". tslab abandons a cell that awaits, and its loop runs on in the background.
// Here the work is asked to stop first: library work that has registered with the cell, and code
// that listens for SIGINT, get time to stop by themselves, so that the cell ends in order and its
// variables exist. The cell still counts as failed: cells queued behind it must not run. A cell
// without such work ends at its next stop point (cell-code.ts). A second interrupt, or a cell that
// has not ended after a while, is abandoned, as tslab does it.
//
// A stopped cell stays stopped: nothing more begins in it, even after it was abandoned. The cell
// that work belongs to is known from the chain of its awaits.
import { AsyncLocalStorage } from 'node:async_hooks';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers'; // a cell may replace the global ones
import type { InterruptScope } from '../../recital/compute/interrupt.js';
import type { StopPoints } from './cell-code.js';
import type { InterruptChannel } from './interrupt-channel.js';

const PATIENCE_MS = 3_000; // for work that stops by itself
const LISTENERS_MS = 800; // for a cell that listens for SIGINT itself
const SOON_MS = 400; // for a cell that comes to a stop point

type Work = Parameters<InterruptScope['enter']>[0];

/** Ends the code of a stopped cell at one of its stop points. */
class Stopped extends Error {
  override name = 'InterruptedError'; // as the library calls it

  constructor() {
    super('The cell was stopped.');
  }
}

/** Whether this is what ends the code of a stopped cell. A cell may throw anything. */
export function isStopped(error: unknown): boolean {
  try {
    return error instanceof Stopped;
  } catch {
    return false;
  }
}

/** A cell that runs or has run, as the library's work sees it. */
export class Cell implements InterruptScope {
  readonly work = new Set<Work>();
  stopped = false;
  /** Whether its code ends at its next stop point, without waiting for work. */
  leaving = false;
  /** Promises of its code and of its last expression. */
  readonly pending = new Set<Promise<unknown>>();
  /** Whether it was abandoned while some of these were pending. */
  abandoned = false;
  /** Whether its code runs; false while it is compiled. */
  running = false;
  /** What its work said when it stopped. */
  line: string | undefined;
  /** SIGINT listeners when it began. */
  readonly listening = process.listenerCount('SIGINT');
  /** It was told to stop, and listens for that itself. */
  listens = false;

  constructor(private readonly interrupts: Interrupts) {}

  enter(work: Work): () => void {
    this.work.add(work);
    this.interrupts.busy.add(this);
    return () => {
      this.work.delete(work);
      if (this.work.size === 0) this.interrupts.busy.delete(this);
    };
  }

  section<T>(work: () => T): T {
    return this.interrupts.channel.section(work);
  }

  /** A signal has ended a section directly: marks the cell as stopped, and waits for it to end. */
  interrupt(): void {
    this.interrupts.stopAll();
    this.interrupts.wait(PATIENCE_MS);
  }
}

/** Stops cells. */
export class Interrupts {
  /** The cell that runs. */
  current: Cell | undefined;
  /** Cells with work in progress, including cells that ended without awaiting it. */
  readonly busy = new Set<Cell>();
  private readonly storage = new AsyncLocalStorage<Cell | undefined>();
  private timer: NodeJS.Timeout | undefined;
  private abandon: (() => void) | undefined; // tslab's SIGINT listener
  private readonly listener = (): void => this.onSignal();

  constructor(readonly channel: InterruptChannel) {}

  /** The cell that the work at hand belongs to. */
  cell(): Cell | undefined {
    return this.storage.getStore() ?? this.current;
  }

  /** Takes the place of tslab's SIGINT listener; again, where a cell has removed all listeners. */
  private adopt(): void {
    this.abandon ??= process.listeners('SIGINT')[0] as () => void;
    if (!this.abandon) return;
    // First: without any listener SIGINT would end the kernel.
    if (!process.listeners('SIGINT').includes(this.listener)) process.on('SIGINT', this.listener);
    process.off('SIGINT', this.abandon);
  }

  /**
   * An interrupt has come by another way than a signal: SIGINT listeners hear of it. But inside a
   * section Node has removed them all, and a listener would intercept the signal meant for Node, so
   * that the section could never be ended.
   */
  signal(): void {
    if (this.channel.depth > 0) this.onSignal();
    else {
      this.adopt();
      process.emit('SIGINT', 'SIGINT');
    }
  }

  private onSignal(): void {
    this.channel.heard();
    const { current } = this;
    const isRepeated = current?.stopped;
    this.stopAll();
    if (!current) return;
    if (isRepeated) this.giveUp();
    else if (current.work.size > 0) this.wait(PATIENCE_MS);
    else if (process.listenerCount('SIGINT') > current.listening) {
      current.listens = true;
      this.wait(LISTENERS_MS);
    } else {
      current.leaving = true;
      this.wait(SOON_MS);
    }
  }

  stopAll(): void {
    for (const cell of [...this.busy, ...(this.current ? [this.current] : [])]) {
      cell.stopped = true;
      for (const work of [...cell.work]) work.interrupt();
    }
  }

  wait(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.giveUp(), ms);
  }

  private giveUp(): void {
    clearTimeout(this.timer);
    if (!this.current?.running) return;
    this.current.leaving = true;
    this.current.abandoned = this.current.pending.size > 0;
    this.endCell();
  }

  /** Has tslab end the cell that runs, whatever it awaits; false if none runs. */
  endCell(): boolean {
    if (this.current) this.abandon?.();
    return this.current !== undefined;
  }

  /** A cell begins: first it is compiled. */
  begin(): Cell {
    this.adopt();
    clearTimeout(this.timer);
    this.current = new Cell(this);
    return this.current;
  }

  /** Runs the cell's code: what begins in it, and after its awaits, belongs to the cell. */
  within<T>(work: () => T): T {
    return this.storage.run(this.current, work);
  }

  /** The cell is not over before this promise is settled. */
  awaiting(promise: Promise<unknown>): void {
    const pending = this.current?.pending;
    if (!pending) return void promise.catch(() => {});
    const settled = (): boolean => pending.delete(promise);
    pending.add(promise);
    promise.then(settled, settled);
  }

  /** A cell has ended; returns it. */
  end(): Cell | undefined {
    clearTimeout(this.timer);
    const { current } = this;
    this.current = undefined;
    return current;
  }

  /**
   * Work was stopped: `line` says where, and what stays. False if no message of a cell can say it.
   */
  say(line: string): boolean {
    const cell = this.cell();
    if (!cell || (cell !== this.current && !cell.abandoned)) return false;
    cell.line = line; // in an abandoned cell it comes too late
    return true;
  }

  /** What cells call at their stop points. */
  readonly stopPoints: StopPoints = {
    resumed: (value) => {
      if (this.heardBy()?.leaving) throw new Stopped();
      return value;
    },
    // Also where a `catch` has swallowed what was thrown before. Work that stops by itself goes on.
    round: () => {
      const cell = this.heardBy();
      const isOver = cell?.stopped && !cell.listens && cell.work.size === 0;
      if (cell?.leaving || isOver) throw new Stopped();
    },
    asked: () => this.channel.asked() || this.current?.stopped === true,
    ended: () => {
      const cell = this.storage.getStore();
      if (cell?.stopped && !cell.listens) throw new Stopped();
    },
  };

  /**
   * The cell that the code at hand belongs to. Loops, and awaits that do not wait, give the event
   * loop no turn to hear of an interrupt, so this looks for one.
   */
  private heardBy(): Cell | undefined {
    const cell = this.storage.getStore();
    if (cell?.running && cell === this.current && this.channel.asked()) this.signal();
    return cell;
  }
}

/**
 * Hears a signal that came while this thread was busy, for instance with compiling a cell: Node
 * drops it where the cell's code begins. Takes two turns, as the first may come before the event
 * loop has looked for signals.
 */
export async function heard(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
