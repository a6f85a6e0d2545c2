import { type Chart, display } from '../data/output.js';
import { RecitalError } from '../errors.js';
import { checkCount, given } from '../options.js';
import { counted, printed } from '../printed.js';
import type { Callback } from './callback.js';
import type { Learner } from './learner.js';
import type { LrFindResult } from './lr-find.js';
import type { Metric } from './metrics.js';
import { plotLoss, plotSched } from './plots.js';

/** A row of the training table: epoch, losses, metrics, seconds; null where validation was left out. */
export type LogRow = (number | null)[];

/** The contents of a Recorder: plain data. */
export interface RecorderState {
  /** Learning rate of every training batch. */
  readonly lrs: readonly number[];
  /** Smoothed loss after every training batch. */
  readonly losses: readonly number[];
  /** Training batches done at the end of each epoch. */
  readonly iters: readonly number[];
  /** Losses and metrics of each epoch. */
  readonly values: readonly LogRow[];
  /** Scheduled hyper-parameters of every training batch, by name. */
  readonly hps: Readonly<Record<string, readonly number[]>>;
  /** The running mean of the training loss: batches, and its value before the correction. */
  readonly smooth: { readonly count: number; readonly v: number };
}

/**
 * The record of a run (fastai's Recorder): the smoothed training loss of every batch, the
 * hyper-parameters, and a row of losses and metrics for every epoch. The training loss of a row is
 * the smoothed loss at the end of the epoch, which continues over epochs; it is not the epoch's
 * mean.
 * @example
 * await learn.fit(1);
 * learn.recorder.losses.at(-1); // the smoothed training loss after the last batch
 */
export class Recorder implements Callback {
  readonly name = 'Recorder';
  readonly order = 50;
  readonly removeOnFetch = true;
  /** Learning rate (of the last parameter group) of every training batch. */
  lrs: number[] = [];
  /** Smoothed loss after every training batch. */
  losses: number[] = [];
  /** Training batches done at the end of each epoch. */
  iters: number[] = [];
  /** Per epoch: train loss, valid loss, metrics. */
  values: LogRow[] = [];
  /** Scheduled hyper-parameters of every training batch, by name. */
  hps: Record<string, number[]> = {};
  /** Column names of the table. */
  metricNames: string[] = [];
  /** The row of the last epoch: its number, losses, metrics, seconds; in `afterEpoch`, of this one. */
  log: LogRow = [];
  /** The result of the last lrFind. */
  lrFound: LrFindResult | undefined;
  /** The running mean of the training loss. */
  readonly smoothLoss = new SmoothLoss();
  private readonly validLoss = { sum: 0, rows: 0 };
  private started = 0;
  private validated = false;
  private closed = false;

  constructor(private readonly metrics: readonly Metric[]) {}

  beforeFit({ resumed }: Learner): void {
    const before = resumed && structuredClone(resumed.recorder);
    const { lrs = [], losses = [], iters = [], values = [], hps = {}, smooth } = before ?? {};
    Object.assign(this, { lrs, losses, iters, values, hps, log: [] });
    const names = this.metrics.map(({ name }) => name);
    this.metricNames = ['epoch', 'train_loss', 'valid_loss', ...names, 'time'];
    this.smoothLoss.restore(smooth);
  }

  /** A copy of its contents. */
  state(): RecorderState {
    const { lrs, losses, iters, values, hps, smoothLoss } = this;
    return structuredClone({ lrs, losses, iters, values, hps, smooth: smoothLoss.state() });
  }

  beforeEpoch(): void {
    this.started = performance.now();
    this.validated = false;
    this.closed = false;
  }

  afterTrain({ dls, epoch }: Learner): void {
    if (dls.valid.n === 0) this.close(epoch);
  }

  beforeValidate(): void {
    this.validLoss.sum = 0;
    this.validLoss.rows = 0;
    for (const m of this.metrics) m.reset();
  }

  afterBatch(learn: Learner): void {
    if (learn.training) {
      this.smoothLoss.accumulate(learn.loss);
      this.lrs.push(learn.opt.hypers.lr);
      this.losses.push(this.smoothLoss.value);
      return;
    }
    this.validLoss.sum += learn.loss * learn.batch.size;
    this.validLoss.rows += learn.batch.size;
    for (const m of this.metrics) m.accumulate(learn);
  }

  afterValidate({ loop, epoch }: Learner): void {
    this.validated = this.validLoss.rows > 0;
    if (loop.fitting) this.close(epoch);
  }

  afterCancelEpoch({ epoch }: Learner): void {
    this.close(epoch);
  }

  afterEpoch(): void {
    this.log[this.log.length - 1] = this.seconds();
  }

  /** Adds the epoch's row, once it is complete, so that all callbacks see it in `afterEpoch`. */
  private close(epoch: number): void {
    if (this.closed) return;
    this.closed = true;
    this.values.push([this.smoothLoss.count ? this.smoothLoss.value : null, ...this.validValues()]);
    this.iters.push(this.smoothLoss.count);
    this.log = [epoch, ...this.values[this.values.length - 1], this.seconds()];
  }

  private seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  /** Validation loss and metrics of the last pass; null each if there was none. */
  validValues(): LogRow {
    if (!this.validated) return [null, ...this.metrics.map(() => null)];
    return [this.validLoss.sum / this.validLoss.rows, ...this.metrics.map((m) => m.value)];
  }

  /**
   * Plots the smoothed training loss, leaving out the first `skipStart` batches (default 5), and
   * the validation loss of each epoch.
   * @returns the chart, which is shown: to be saved, for example
   * @example
   * await learn.fit(1);
   * learn.recorder.plotLoss().save('loss.png')
   */
  plotLoss(options: { skipStart?: number } = {}): Chart {
    const all = given({ skipStart: 5 }, options, 'plotLoss');
    checkCount(all.skipStart, 'skipStart', { least: 0 });
    return shown(plotLoss(this, all));
  }

  /** Shows the chart of the last lrFind again, and returns it. */
  plotLrFind(): Chart {
    if (!this.lrFound)
      throw new RecitalError('There is no learning rate search to plot yet: call lrFind first.');
    return shown(this.lrFound.chart);
  }

  /** Shows the scheduled hyper-parameters of the last run, batch by batch; returns the chart. */
  plotSched(): Chart {
    return shown(plotSched(this));
  }
}

/** Shows a chart, and passes it on. */
function shown(chart: Chart): Chart {
  display().chart(chart);
  return chart;
}

printed(Recorder, ({ values, losses, metricNames }) => {
  if (losses.length === 0) return 'Recorder: no run yet';
  const last = (values.at(-1) ?? []).flatMap((x, i) =>
    x === null ? [] : [`${metricNames[i + 1]} ${x.toFixed(4)}`],
  );
  const size = `${counted(values.length, 'epoch')}, ${counted(losses.length, 'batch', 'batches')}`;
  return `Recorder: ${size}${last.length ? `; ${last.join(', ')}` : ''}`;
});

/** fastai's AvgSmoothLoss: exponential smoothing v ← β·v + (1 − β)·loss, read as v/(1 − βᵗ). */
export class SmoothLoss {
  /** Losses seen. */
  count = 0;
  private v = 0;

  constructor(private readonly beta = 0.98) {}

  /** The number of losses seen, and v. */
  state(): { count: number; v: number } {
    return { count: this.count, v: this.v };
  }

  /** Sets a state; without one, that of the start. */
  restore({ count, v } = { count: 0, v: 0 }): void {
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
