// "Interrupt kernel" while a cell awaits. tslab abandons such a cell at once, and its loop runs on in the background. Here the work is asked first:
// when something of ours listens for SIGINT (a training loop, see InterruptGuard), tslab's own listener is held back, so that the loop stops by itself,
// the cell ends in order and its variables exist. The cell still counts as failed: the cells queued behind it must not run. A second interrupt, or
// work that has not stopped after a while, is left to tslab.

const PATIENCE_MS = 3_000;

class Interrupts {
  constructor() {
    this.asked = false;
    this.timer = undefined;
    this.abandon = undefined;
  }

  /** Takes the place of tslab's SIGINT listener, the only one between cells. */
  adopt() {
    if (this.abandon) return;
    const [own] = process.listeners('SIGINT');
    if (!own) return;
    this.abandon = own;
    process.on('SIGINT', () => this.onSignal()); // before the other is taken off: with no listener at all SIGINT would end the kernel
    process.off('SIGINT', own);
  }

  onSignal() {
    const working = process.listenerCount('SIGINT') > 1;
    if (!working || this.asked) {
      this.begin();
      this.abandon();
      return;
    }
    this.asked = true;
    this.timer = setTimeout(() => this.abandon(), PATIENCE_MS);
  }

  /** A cell begins. */
  begin() {
    clearTimeout(this.timer);
    this.asked = false;
  }

  /** A cell has ended; true if it was asked to stop. */
  end() {
    const asked = this.asked;
    this.begin();
    return asked;
  }
}

module.exports = { Interrupts };
