/** fastai's AvgSmoothLoss: exponential smoothing v ← β·v + (1 − β)·loss, shown as v/(1 − βᵗ). */
export class SmoothLoss {
  /** Losses seen. */
  count = 0;
  private v = 0;

  constructor(private readonly beta = 0.98) {}

  reset(): void {
    this.count = 0;
    this.v = 0;
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
