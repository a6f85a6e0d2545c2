/** fastai's AvgSmoothLoss: exponential smoothing v ← β·v + (1 − β)·loss, shown as v/(1 − βᵗ). */
export class SmoothLoss {
  /** Losses seen. */
  count = 0;
  private v = 0;

  constructor(private readonly beta = 0.98) {}

  reset(): void {
    this.restore({ count: 0, v: 0 });
  }

  /** What it knows: losses seen, and the sum v. */
  state(): { count: number; v: number } {
    return { count: this.count, v: this.v };
  }

  /** Puts a state back. */
  restore({ count, v }: { count: number; v: number }): void {
    this.count = count;
    this.v = v;
  }

  accumulate(loss: number): void {
    this.count++;
    this.v = this.beta * this.v + (1 - this.beta) * loss;
  }

  /** The smoothed loss; NaN before the first. */
  get value(): number {
    return this.v / (1 - this.beta ** this.count);
  }
}
