// "Interrupt kernel". tslab abandons a cell that awaits, and its loop runs on in the background.
// Here the work is asked first: what registers with its cell (InterruptGuard), or listens for
// SIGINT, has time to stop by itself, so that the cell ends in order and its variables exist. The
// cell still counts as failed: the cells queued behind it must not run. A cell without such work
// ends at its next stop point (stop-points.cjs). A second interrupt, or what has not ended after a
// while, is left to tslab.
//
// A stopped cell stays stopped: nothing more begins in it, also when it was abandoned and, in the
// stock kernel, its own loop goes on. Which cell a piece of work belongs to is known from the chain
// of its awaits.
const { AsyncLocalStorage } = require('node:async_hooks');
const { clearTimeout, setImmediate, setTimeout } = require('node:timers'); // a cell may put others in the place of the global ones

const PATIENCE_MS = 3_000; // for work that stops by itself
const LISTENERS_MS = 800; // for a cell that listens for SIGINT itself
const SOON_MS = 400; // for one that comes to a stop point

/** Ends the code of a cell that was stopped, at one of its places for that: see stop-points.cjs. */
class Stopped extends Error {
  constructor() {
    super('The cell was stopped.');
    this.name = 'InterruptedError'; // the library's name for it
  }
}

/** A cell that runs, or has run: the library's InterruptScope. */
class Cell {
  constructor(interrupts) {
    this.interrupts = interrupts;
    this.work = new Set();
    this.stopped = false;
    this.leaving = false; // nothing is waited for: its code ends at the next stop point
    this.pending = new Set(); // promises of its code, and of its last value
    this.abandoned = false; // while some of these were pending
    this.running = false; // its code: not while it is compiled
    this.line = undefined; // what the work said when it stopped
    this.listening = process.listenerCount('SIGINT'); // when it began
    this.listens = false; // it was told to stop, and listens for that itself
  }

  enter(work) {
    this.work.add(work);
    this.interrupts.busy.add(this);
    return () => {
      this.work.delete(work);
      if (this.work.size === 0) this.interrupts.busy.delete(this);
    };
  }

  section(work) {
    return this.interrupts.control.section(work);
  }

  /** Work was ended by a signal, which nobody else has heard of: the cell will end by itself. */
  interrupt() {
    this.interrupts.stopAll();
    this.interrupts.wait(PATIENCE_MS);
  }
}

class Interrupts {
  /** @param {import('./interrupt-channel.cjs').Control} control */
  constructor(control) {
    this.control = control;
    this.current = undefined; // the cell that runs
    this.busy = new Set(); // cells with work in progress, those that have ended without awaiting it as well
    this.storage = new AsyncLocalStorage();
    this.timer = undefined;
    this.abandon = undefined;
    this.listener = () => this.onSignal();
  }

  /** The cell that the work at hand belongs to. */
  cell() {
    return this.storage.getStore() ?? this.current;
  }

  /**
   * Takes the place of tslab's SIGINT listener, the only one between cells; again, where a cell has
   * taken off all there are.
   */
  adopt() {
    this.abandon ??= process.listeners('SIGINT')[0];
    if (!this.abandon) return;
    if (!process.listeners('SIGINT').includes(this.listener)) process.on('SIGINT', this.listener); // first: with no listener at all SIGINT would end the kernel
    process.off('SIGINT', this.abandon);
  }

  /**
   * An interrupt that has come by another way than a signal: whoever listens for one hears of it.
   * But in a section Node has taken all listeners off, and one put there would take the signal away
   * from Node, which may be on its way: then nothing could end the section any more.
   */
  signal() {
    if (this.control.depth > 0) return this.onSignal();
    this.adopt();
    process.emit('SIGINT', 'SIGINT');
  }

  onSignal() {
    this.control.heard();
    const { current } = this;
    const again = current?.stopped;
    this.stopAll();
    if (!current) return;
    if (again) this.giveUp();
    else if (current.work.size > 0) this.wait(PATIENCE_MS);
    else if (process.listenerCount('SIGINT') > current.listening) {
      current.listens = true;
      this.wait(LISTENERS_MS);
    } else {
      current.leaving = true;
      this.wait(SOON_MS);
    }
  }

  stopAll() {
    for (const cell of [...this.busy, ...(this.current ? [this.current] : [])]) {
      cell.stopped = true;
      for (const work of [...cell.work]) work.interrupt();
    }
  }

  wait(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.giveUp(), ms);
  }

  giveUp() {
    clearTimeout(this.timer);
    if (!this.current?.running) return;
    this.current.leaving = true;
    this.current.abandoned = this.current.pending.size > 0;
    this.endCell();
  }

  /** Has tslab end the cell that runs, whatever it awaits; false if none runs. */
  endCell() {
    if (this.current) this.abandon?.();
    return this.current !== undefined;
  }

  /** A cell begins. */
  begin() {
    clearTimeout(this.timer);
    this.current = new Cell(this);
  }

  /** Does the cell's work: what begins in it, and after its awaits, belongs to the cell. */
  within(work) {
    return this.storage.run(this.current, work);
  }

  /** The cell's code begins. */
  start() {
    if (this.current) this.current.running = true;
  }

  /** The cell that runs is over when this promise is settled, or later. */
  awaiting(promise) {
    const { pending } = this.current ?? new Cell(this);
    const settled = () => pending.delete(promise);
    pending.add(promise);
    promise.then(settled, settled);
  }

  /**
   * The code of a cell goes on after an await that gave `value`. Awaits that do not wait, and
   * loops, leave the event loop no turn to hear of an interrupt in, so it is looked for here as
   * well.
   * @returns `value`
   * @throws Stopped if nothing is waited for any more
   */
  resumed(value) {
    if (this.heardBy()?.leaving) throw new Stopped();
    return value;
  }

  /**
   * A loop of the cell begins its next round.
   * @throws Stopped if the cell was stopped, and no work of it that stops by itself goes on: also
   *   where a `catch` has swallowed what was thrown
   */
  round() {
    const cell = this.heardBy();
    if (cell?.leaving || (cell?.stopped && !cell.listens && cell.work.size === 0))
      throw new Stopped();
  }

  /** Whether a loop that gives no turns should look: cheap. */
  asked() {
    return this.control.asked() || this.current?.stopped === true;
  }

  /**
   * The cell that the code at hand belongs to, after it has heard of an interrupt that may have
   * come.
   */
  heardBy() {
    const cell = this.storage.getStore();
    if (cell?.running && cell === this.current && this.control.asked()) this.signal();
    return cell;
  }

  /**
   * A statement of the cell that awaits is done.
   * @throws Stopped if the cell was stopped: what comes next is not run
   */
  ended() {
    const cell = this.storage.getStore();
    if (cell?.stopped && !cell.listens) throw new Stopped();
  }

  /** A cell has ended; returns it. */
  end() {
    clearTimeout(this.timer);
    const { current } = this;
    this.current = undefined;
    return current;
  }

  /**
   * Some work has stopped: in `line` it says where, and what stays. False if nobody will read it in
   * the message of a cell.
   */
  say(line) {
    const cell = this.cell();
    if (!cell || (cell !== this.current && !cell.abandoned)) return false;
    cell.line = line; // of an abandoned cell it comes too late
    return true;
  }
}

/** Whether this is what ends the code of a stopped cell. A cell throws whatever it likes. */
function isStopped(error) {
  try {
    return error instanceof Stopped;
  } catch {
    return false;
  }
}

/**
 * Hears of a signal that has come while this thread was busy, with compiling a cell for instance:
 * where the cell's code begins, Node drops it. Two turns, as the first may come before the event
 * loop has looked for signals.
 */
async function heard() {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}

module.exports = { isStopped, heard, Interrupts };
