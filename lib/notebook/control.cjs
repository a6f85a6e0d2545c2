// How an interrupt reaches the main thread of a kernel. Between turns of the event loop it is a message. Code that gives no turns is ended by SIGINT: Node
// terminates a script that asks for it (`breakOnSigint`), but for that it takes away all listeners, so that a signal a moment too early or too late would end
// the kernel, and one that has come before would be forgotten. Hence the thread of control-worker.cjs sends the signal itself, only while such a section is
// entered, and until it is heard.
const path = require('node:path');
const { Script } = require('node:vm');
const { Worker } = require('node:worker_threads');

const [SECTION, HEARD, CLOSING, ASKED] = [0, 1, 2, 3];
const CLOSE_MS = 300;
const WORK = Symbol.for('recital.section');
const script = new Script("globalThis[Symbol.for('recital.section')]()", { filename: 'section' });

/** The signal has ended a section. */
const ENDED = 'ERR_SCRIPT_EXECUTION_INTERRUPTED';

class Control {
  constructor() {
    this.state = new Int32Array(new SharedArrayBuffer(16));
    this.depth = 0;
    this.worker = undefined;
  }

  /**
   * Takes over the control channel.
   * @param {string} address where to bind
   * @param {string} zmqFile the module zeromq
   * @param {{ interrupt(): void, message(socket: object, frames: Buffer[]): void }} handler what to do on the main thread
   */
  async bind(address, zmqFile, handler) {
    const { state } = this;
    this.worker = new Worker(path.join(__dirname, 'control-worker.cjs'), { workerData: { address, zmqFile, state }, execArgv: [] });
    const socket = { send: (frames) => this.worker.postMessage(frames.map((frame) => Buffer.from(frame))) };
    await new Promise((bound, failed) => {
      this.worker.once('error', failed);
      this.worker.on('message', (message) => {
        if (message === 'bound') bound();
        else if (message.frames)
          handler.message(
            socket,
            message.frames.map((frame) => Buffer.from(frame)),
          );
        else if (message.interrupt === Atomics.load(state, HEARD)) handler.interrupt(); // else it has been heard
      });
    });
  }

  /** Whether there is an interrupt that nobody has dealt with. */
  asked() {
    return Atomics.load(this.state, ASKED) > Atomics.load(this.state, HEARD);
  }

  /** An interrupt is being dealt with. */
  heard() {
    Atomics.add(this.state, HEARD, 1);
  }

  /** The kernel ends: gives the channel back. */
  async close() {
    Atomics.store(this.state, CLOSING, 1);
    if (!this.worker) return;
    const closed = new Promise((done) => this.worker.once('exit', done));
    this.worker.postMessage(undefined);
    await Promise.race([closed, new Promise((done) => setTimeout(done, CLOSE_MS))]);
  }

  /**
   * Runs code that a signal ends, wherever it is.
   * @returns what it returns
   * @throws what it throws, and an error with the code ERR_SCRIPT_EXECUTION_INTERRUPTED if it was ended
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
        if (this.depth === 0 && Atomics.compareExchange(state, SECTION, 1, 0) === 2) for (;;); // ended by the signal, which is on its way
      }
    };
    const { depth } = this;
    try {
      return script.runInThisContext({ breakOnSigint: true });
    } catch (error) {
      if (error?.code === ENDED) {
        this.depth = depth;
        Atomics.store(state, SECTION, depth > 0 ? 1 : 0);
        this.heard();
      }
      throw error;
    }
  }
}

module.exports = { Control, ENDED };
