// process.exit in a cell. It would end the kernel without a word: here the cell fails with an error
// that says so, its message is sent, and then the kernel ends.
const { setTimeout } = require('node:timers'); // a cell may put others in the place of the global ones

const FAREWELL_MS = 100; // for messages that are on their way

class KernelExit extends Error {
  constructor(code) {
    super(`process.exit(${code ?? ''}) was called: the kernel ends, and its variables are gone.`);
    this.name = 'KernelExit';
  }
}

class Exit {
  /**
   * @param {() => boolean} abandon ends the cell that runs, if one does; else false
   * @param {() => Promise<void>} close what to do before the end
   */
  constructor(abandon, close) {
    this.abandon = abandon;
    this.close = close;
    this.error = undefined; // the call, once there was one
    this.end = () => {};
  }

  /** Takes the place of process.exit. Returns what ends the process in order. */
  install() {
    const really = process.exit.bind(process);
    const exit = (code) => this.close().then(() => really(code));
    process.exit = (code) => {
      if (!this.error) {
        this.error = new KernelExit(code);
        this.end = () => setTimeout(() => exit(code), FAREWELL_MS);
        if (!this.abandon()) {
          console.error(this.error.message);
          this.end();
        }
      }
      throw this.error; // nothing after the call may run
    };
    return exit;
  }
}

module.exports = { Exit };
