// Promises that a cell leaves behind. One that is the cell's last value, `learn.fit(1)` without
// `await`, belongs to the cell: it is awaited before the cell ends, its error is the cell's error,
// and its value is shown. Of others, only a rejection can be noticed: it is kept until somebody
// asks.
const { clearImmediate, clearTimeout, setImmediate, setTimeout } = require('node:timers'); // a cell may put others in the place of the global ones
const { inspect } = require('node:util');
const { isNativeError, isPromise } = require('node:util').types;

const STEP_MS = 20;
const PATIENCE_MS = 5_000; // for work that goes on
const ALWAYS = new Set([
  'FSEventWrap',
  'StatWatcher',
  'PipeWrap',
  'TTYWrap',
  'TCPSocketWrap',
  'TCPServerWrap',
  'MessagePort',
  'Worker',
]); // the compiler's, and waiting
const name = 'tsLastExpr';
const timers = [setTimeout(() => {}), setImmediate(() => {})].map((timer) => {
  clearTimeout(timer);
  clearImmediate(timer);
  return timer.constructor;
});

/**
 * The text for the value that a cell ends with; undefined for one that says nothing to the reader,
 * which is a timer.
 * @param {(error: Error) => string} ofError the text for an error
 */
function textOf(value, ofError) {
  if (typeof value === 'string') return value;
  if (isNativeError(value)) return ofError(value);
  return isTimer(value) ? undefined : inspect(value);
}

function isTimer(value) {
  try {
    return timers.includes(Object.getPrototypeOf(value)?.constructor);
  } catch {
    return false; // a Proxy
  }
}

class LastValue {
  /**
   * @param {(value: unknown) => void} print shows a value that the library does not draw
   * @param {(promise: Promise<unknown>) => void} awaiting is told of a promise that is awaited
   */
  constructor(print, awaiting) {
    this.print = print;
    this.awaiting = awaiting;
    this.promise = undefined;
    this.abandon = undefined;
    this.rejections = [];
  }

  /** Takes the place of the function by which tslab prints a cell's last value. */
  log(value) {
    if (!isPromise(value)) return this.print(value);
    this.promise = value;
    this.promise.catch(() => {}); // it is awaited below
  }

  /** A replacement of tslab's `interrupt`: it abandons what is awaited here, too. */
  interrupter(interrupt) {
    return () => {
      interrupt();
      this.abandon?.(new Error('Interrupted asynchronously')); // tslab's words
    };
  }

  /**
   * Waits for the promise that the cell has ended with, if any, and shows its value. Rejects as it
   * does.
   */
  async settle() {
    for (let { promise } = this; promise; promise = this.promise) {
      this.promise = undefined;
      const abandoned = new Promise((_, reject) => {
        this.abandon = reject;
      });
      this.awaiting(promise);
      let value;
      try {
        value = await Promise.race([promise, abandoned]);
      } finally {
        this.abandon = undefined;
      }
      this.show(value);
    }
  }

  /**
   * As tslab does it: the library looks at what is assigned to this property, and draws tables and
   * charts.
   */
  show(value) {
    const cells = globalThis.__tslab__.exports;
    cells[name] = value;
    const left = cells[name];
    delete cells[name];
    if (left !== null && left !== undefined) this.log(left);
  }

  /** A promise that nobody awaits was rejected. */
  rejected(content) {
    this.rejections.push(content);
  }

  /** The rejections since they were last asked for. */
  taken() {
    return this.rejections.splice(0);
  }

  /**
   * Before the kernel stops: waits, for some seconds, while timers or requests say that something
   * goes on that no cell awaits.
   * @returns the rejections, and whether it still goes on
   */
  async finish() {
    const end = performance.now() + PATIENCE_MS;
    let running = true;
    for (let idle = 0; idle < 2 && performance.now() < end; idle = running ? 0 : idle + 1) {
      running = process.getActiveResourcesInfo().some((kind) => !ALWAYS.has(kind));
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
    return { rejections: this.taken(), running };
  }
}

module.exports = { LastValue, textOf };
