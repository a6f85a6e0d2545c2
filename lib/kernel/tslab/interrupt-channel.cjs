// How an interrupt reaches the main thread of a kernel. Between turns of the event loop it is a
// message. Code that gives no turns is ended by SIGINT: Node terminates a script that asks for it
// (`breakOnSigint`), but for that it takes away all listeners, so that a signal a moment too early
// or too late would end the kernel, and one that has come before would be forgotten. Hence the
// thread of interrupt-channel-thread.cjs sends the signal itself, only while such a section is entered, and
// until it is heard.
const path = require('node:path');
const { performance } = require('node:perf_hooks');
const { Script } = require('node:vm');
const { Worker } = require('node:worker_threads');

/**
 * What the two threads share: whether a section is entered (see there), interrupts that were dealt
 * with, whether the kernel ends, interrupts that were asked for.
 */
const slots = { SECTION: 0, HEARD: 1, CLOSING: 2, ASKED: 3 };
const { SECTION, HEARD, CLOSING, ASKED } = slots;
const CLOSE_MS = 300;
const SIGNAL_MS = 500; // from a signal to the end of a section
const RESTARTS = 20;
const RESTART_MS = 100;
const WORK = Symbol.for('recital.section');
const script = new Script("globalThis[Symbol.for('recital.section')]()", { filename: 'section' });

/** The signal has ended a section. */
const ENDED = 'ERR_SCRIPT_EXECUTION_INTERRUPTED';

/**
 * Whether this was thrown because a signal has ended a section. A cell throws whatever it likes.
 */
function hasEnded(error) {
  try {
    return error?.code === ENDED;
  } catch {
    return false;
  }
}

class Control {
  constructor() {
    this.state = new Int32Array(new SharedArrayBuffer(16));
    this.depth = 0;
    this.worker = undefined;
    this.binds = []; // the channels that the thread has
    this.waiting = new Map(); // by channel: who waits for it to be bound
    this.request = undefined; // whose cell runs
  }

  /**
   * Starts the thread that has the channels.
   * @param {string} zmqFile the module zeromq
   * @param {{ interrupt(): void, message(frames: Buffer[]): void }} handler what to do on the main
   *   thread
   */
  start(zmqFile, handler) {
    const { state } = this;
    let reason = 'it has ended';
    this.worker = new Worker(path.join(__dirname, 'interrupt-channel-thread.cjs'), {
      workerData: { zmqFile, state, slots },
      execArgv: [],
    });
    this.worker.on('message', ({ bound, failed, frames, interrupt, dying }) => {
      if (dying) reason = dying;
      else if (bound) this.waiting.get(bound)?.(failed);
      else if (frames) handler.message(frames.map((frame) => Buffer.from(frame)));
      else if (interrupt === Atomics.load(state, HEARD)) handler.interrupt(); // else it has been heard
    });
    this.worker.on('error', (error) => {
      reason = error.message; // before it could run
    });
    this.worker.on('exit', () => {
      if (Atomics.load(state, CLOSING) === 0)
        void this.restart(reason, () => this.start(zmqFile, handler));
    });
  }

  /** The thread has died, and with it the channels. */
  async restart(reason, start) {
    process._rawDebug(
      `The thread that listens for the stop button has died: ${reason}. It is started again.`,
    );
    start();
    this.post({ running: this.request });
    for (const bind of this.binds) {
      for (let tries = 1; ; tries++) {
        const failed = await this.bound(bind);
        if (!failed || Atomics.load(this.state, CLOSING) === 1) break;
        if (tries === RESTARTS)
          return process._rawDebug(
            `It cannot listen on ${bind.address}: ${failed}. Restart the kernel.`,
          );
        await new Promise((done) => setTimeout(done, RESTART_MS)); // until the system has given the place back
      }
    }
  }

  /**
   * Takes over a channel.
   * @param {{ channel: 'control' | 'iopub', address: string, connection: object }} bind which,
   *   where, and the connection file
   * @throws an Error if that place is taken
   */
  async bind(bind) {
    const failed = await this.bound(bind);
    if (failed) throw new Error(failed);
    this.binds.push(bind);
  }

  bound(bind) {
    this.post({ bind });
    return new Promise((done) => this.waiting.set(bind.channel, done));
  }

  /** What stands for the socket of a channel. */
  socket(channel) {
    return { send: (frames) => this.post({ channel, frames }), close: () => {} };
  }

  post(message) {
    this.worker.postMessage(message);
  }

  /** The cell of a request, which has this header, begins; undefined: it has ended. */
  runs(header) {
    this.request = header;
    this.post({ running: header });
  }

  /** Whether there is an interrupt that nobody has dealt with. */
  asked() {
    return Atomics.load(this.state, ASKED) > Atomics.load(this.state, HEARD);
  }

  /** An interrupt is being dealt with. */
  heard() {
    Atomics.add(this.state, HEARD, 1);
  }

  /** The kernel ends: gives the channels back. */
  async close() {
    Atomics.store(this.state, CLOSING, 1);
    if (!this.worker) return;
    const closed = new Promise((done) => this.worker.once('exit', done));
    this.post({ close: true });
    await Promise.race([closed, new Promise((done) => setTimeout(done, CLOSE_MS))]);
  }

  /**
   * Runs code that a signal ends, wherever it is.
   * @returns what it returns
   * @throws what it throws, and an error with the code ERR_SCRIPT_EXECUTION_INTERRUPTED if it was
   *   ended
   */
  section(work) {
    const { state } = this;
    globalThis[WORK] = () => {
      // Only in here is the signal sure to find Node's own handler.
      this.depth++;
      Atomics.compareExchange(state, SECTION, 0, 1);
      try {
        return work();
      } finally {
        this.depth--;
        if (this.depth === 0 && Atomics.compareExchange(state, SECTION, 1, 0) > 1)
          this.awaitSignal();
      }
    };
    const { depth } = this;
    try {
      return script.runInThisContext({ breakOnSigint: true });
    } catch (error) {
      if (hasEnded(error)) {
        this.depth = depth;
        Atomics.store(state, SECTION, depth > 0 ? 1 : 0);
        this.heard();
      }
      throw error;
    }
  }

  /**
   * A signal is on its way, which ends this. It does not if the cell has put a listener of its own
   * in the place of Node's handler: then this ends by itself.
   */
  awaitSignal() {
    while (Atomics.load(this.state, SECTION) === 2);
    for (const end = performance.now() + SIGNAL_MS; performance.now() < end; );
    throw Object.assign(new Error('Script execution was interrupted by `SIGINT`'), { code: ENDED });
  }
}

module.exports = { Control, hasEnded };
