import { InterruptedError } from '../errors.js';
import { checkArgument, isFunction } from '../options.js';
import { nextTurn, stopProcess, unwatchStop, watchStop } from './host.js';

/** What work belongs to and is stopped with: a cell of a notebook. A plain script has none. */
export interface InterruptScope {
  /** Whether it was asked to stop. It stays so: nothing more begins in it. */
  readonly stopped: boolean;
  /** Work begins. Returns what to call when it is over. */
  enter(work: { interrupt(): void }): () => void;
  /** Asks all work to stop. */
  interrupt(): void;
  /**
   * Runs code that a signal ends wherever it is: then it throws an error with the code
   * ERR_SCRIPT_EXECUTION_INTERRUPTED.
   */
  section<T>(work: () => T): T;
}

let scopeOf: () => InterruptScope | undefined = () => undefined;

/** Sets the function that returns the current scope: for notebooks. */
export function setInterruptScope(find: () => InterruptScope | undefined): void {
  scopeOf = find;
}

/** Work in progress, the earlier first. */
const working: InterruptGuard[] = [];
/**
 * When the event loop last had a turn, shared by all work: many short pieces would otherwise never
 * give it one.
 */
let lastTurn = performance.now();

function scopeToBegin(): InterruptScope | undefined {
  const scope = scopeOf();
  if (scope?.stopped) throw new InterruptedError('The cell was stopped.');
  return scope;
}

/**
 * What {@link stoppable} and the training loop are made of: work asks `due()` often (cheap), then
 * awaits `turn()`, which gives the event loop a turn and says whether to stop, and calls `stop()`
 * when it is over. In a script, a second SIGINT before a turn ends the process as usual.
 * @throws InterruptedError in a notebook's cell that was stopped: nothing more begins in it
 */
export class InterruptGuard {
  private readonly scope = scopeToBegin();
  private readonly leave = this.scope?.enter(this);
  private listening = false;
  /** Whether the work was asked to stop, as far as is known without a turn. */
  interrupted = false;

  private readonly onSignal = (): void => {
    if (this.interrupted) {
      this.stop();
      stopProcess();
    }
    this.interrupt();
  };

  /**
   * @param onStop called as soon as the work is asked to stop, for work that goes on elsewhere,
   *   such as a query
   */
  constructor(private readonly onStop?: () => void) {
    working.push(this);
  }

  /** Whether 50 ms have gone by since the last turn, of any guard. */
  due(): boolean {
    return performance.now() - lastTurn > 50;
  }

  /** False if enclosing work was asked to stop, too. */
  get outermost(): boolean {
    const first = working.find(
      (guard) => guard === this || (guard.scope === this.scope && guard.interrupted),
    );
    return first === undefined || first === this;
  }

  /** Gives the event loop a turn; true if the work should stop. */
  async turn(): Promise<boolean> {
    // Two, as the first may come before the event loop has looked for signals.
    for (let i = 0; i < 2; i++) await nextTurn();
    // Only after an await: in the synchronous part of a notebook's cell Node has taken all
    // listeners away for a while, and would forget this one.
    if (!this.scope && !this.listening) {
      this.listening = true;
      watchStop(this.onSignal);
    }
    lastTurn = performance.now();
    return this.interrupted;
  }

  /** Asks the work to stop. */
  interrupt(): void {
    if (this.interrupted) return;
    this.interrupted = true;
    this.onStop?.();
  }

  /** The work is over. */
  stop(): void {
    const at = working.indexOf(this);
    if (at >= 0) working.splice(at, 1);
    this.leave?.();
    unwatchStop(this.onSignal);
    this.listening = false;
  }
}

/** What tells work in steps to stop. */
export interface Stop {
  /** False if enclosing work was asked to stop, too: only the outermost reports it. */
  readonly outermost: boolean;
}

/**
 * Long work in steps: it yields between them, and gets back whether it should stop. It returns what
 * it has then.
 */
export type Steps<T> = Generator<void, T, Stop | undefined>;

/** The same with awaits between the steps. */
export type AsyncSteps<T> = AsyncGenerator<void, T, Stop | undefined>;

/**
 * Runs long work in steps, so that Ctrl-C or "interrupt kernel" stops it without losing anything:
 * every 50 ms the event loop has a turn, and then the work is told whether to stop. In a script a
 * second Ctrl-C ends the process as usual.
 * @param work a generator, which yields often (that is cheap) and gets a {@link Stop} once it
 *   should end
 * @param options.onStop called as soon as the work is asked to stop, for work that goes on
 *   elsewhere, such as a query
 * @returns what the generator returns
 * @throws InterruptedError in a notebook's cell that was stopped before: nothing more begins in it
 * @example
 * function* sum(n: number): Generator<void, number, object | undefined> {
 *   let total = 0;
 *   for (let i = 0; i < n; i++) {
 *     total += i;
 *     if (yield) break; // asked to stop: what is summed so far
 *   }
 *   return total;
 * }
 * await stoppable(sum(1000)) // 499500
 */
export async function stoppable<T>(
  work: Steps<T> | AsyncSteps<T>,
  options: { onStop?: () => void } = {},
): Promise<T> {
  const isSteps = typeof work?.next === 'function';
  checkArgument(isSteps, work, 'stoppable', 'a generator, as in sum(1000)');
  const guard = new InterruptGuard(options.onStop);
  try {
    await guard.turn(); // from its first turn on it hears of Ctrl-C
    let step = await work.next();
    while (!step.done) {
      if (guard.due()) await guard.turn();
      const next = work.next(guard.interrupted ? guard : undefined);
      step = next instanceof Promise ? await next : next;
    }
    return step.value;
  } finally {
    guard.stop();
  }
}

/**
 * Wraps work for {@link stoppable} whose partial result is useless: it throws when it is asked to
 * stop. Its `finally` blocks run.
 * @param message of the InterruptedError, e.g. `Interrupted before PCA was fitted.`
 */
export function* orInterrupted<T>(work: Steps<T>, message: string): Steps<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (yield) {
      work.return(undefined as T);
      throw new InterruptedError(message);
    }
  }
}

/** The result of work in steps, without a pause: for work that is known to be short. */
export function atOnce<T>(work: Steps<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Milliseconds of work between two turns of the event loop, see {@link inSlices}. */
const SLICE = 10;

/**
 * Runs work in steps beside other work, such as requests of a server: after every 10 ms the event
 * loop has a turn. Ctrl-C is left to the program.
 * @throws InterruptedError in a notebook's cell that was stopped
 */
export async function inSlices<T>(work: Steps<T>): Promise<T> {
  try {
    for (let since = performance.now(); ; ) {
      const step = work.next();
      if (step.done) return step.value;
      if (performance.now() - since < SLICE) continue;
      await nextTurn();
      scopeToBegin();
      since = performance.now();
    }
  } finally {
    work.return(undefined as T); // its `finally` blocks run, if it has not come to its end
  }
}

/**
 * Runs long work that never gives the event loop a turn so that a notebook's stop button ends it
 * all the same: at once, wherever it is. So it must leave nothing half changed. In a script it just
 * runs.
 * @param work a function that computes, and returns no promise
 * @throws InterruptedError if it was ended, and in a cell that was stopped before
 * @example
 * const primes = interruptible(() => Array.from({ length: 1000 }, (_, n) => n).filter((n) => n > 1 && ![2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31].some((p) => p < n && n % p === 0)));
 * primes.length // 168
 */
export function interruptible<T>(work: () => T): T {
  checkArgument(isFunction(work), work, 'interruptible', 'a function, such as () => work()');
  const scope = scopeToBegin();
  if (!scope) return work();
  try {
    return scope.section(work);
  } catch (error) {
    if ((error as NodeJS.ErrnoException | undefined)?.code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED')
      throw error;
    scope.interrupt();
    throw new InterruptedError('The cell was stopped.');
  }
}
