/**
 * Lets long work be stopped by Ctrl-C or "interrupt kernel" without losing anything. The work asks `due()` often (cheap) and then awaits `turn()`, which
 * gives the event loop a turn and says whether to stop. A second SIGINT before that ends the process as usual.
 *
 * @example
 * const guard = new InterruptGuard();
 * try {
 *   for (const batch of batches) if (guard.due() && (await guard.turn())) break;
 * } finally {
 *   guard.stop();
 * }
 */
export class InterruptGuard {
  private requested = false;
  private listening = false;
  private last = performance.now();

  private readonly onInterrupt = (): void => {
    if (this.requested) {
      this.stop();
      process.kill(process.pid, 'SIGINT');
    }
    this.requested = true;
  };

  /** Whether 50 ms have gone by since the last turn. */
  due(): boolean {
    return performance.now() - this.last > 50;
  }

  /** Gives the event loop a turn; true if the work should stop. */
  async turn(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    // Only after an await: in a notebook cell, a listener added in its synchronous part costs the kernel its own (tslab's handling of SIGINT).
    if (!this.listening) {
      this.listening = true;
      process.on('SIGINT', this.onInterrupt);
    }
    this.last = performance.now();
    return this.requested;
  }

  /** Stops listening. */
  stop(): void {
    process.off('SIGINT', this.onInterrupt);
    this.listening = false;
  }
}
