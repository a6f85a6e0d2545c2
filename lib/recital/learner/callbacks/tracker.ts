import { ArgumentError, UnknownIdError } from '../../errors.js';
import { checkNumber, checkOptions, said } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import type { Callback } from '../callback.js';
import type { Learner } from '../learner.js';
import { greaterByName } from '../metrics.js';

/** What a callback watches, and when it is better than before. Defaults as fastai's. */
export interface TrackerOptions {
  /**
   * Column of the training table: `train_loss`, `valid_loss` or a metric's name; default
   * `valid_loss`.
   */
  monitor?: string;
  /**
   * Whether less or more is better; default: as the metric says, which all of the library's do, and
   * those of your own by `greater`, see {@link AvgMetric}. Of one that does not: less if its name
   * is that of an error (it contains "loss" or "error", as in fastai, or rmse, mae and the like),
   * else more.
   */
  comp?: 'less' | 'greater';
  /** A value counts as better if it is so by more than this; default 0. */
  minDelta?: number;
  /** Whether each fit starts to compare anew; default true. */
  resetOnFit?: boolean;
}

/** Their names. */
export const trackerOptions = ['monitor', 'comp', 'minDelta', 'resetOnFit'] as const;

/**
 * Base of callbacks that look for the best value of a column of the training table (fastai's
 * TrackerCallback).
 * @example
 * class Best extends Tracker {
 *   readonly name = 'Best';
 *   afterEpoch(learn: Learner): void {
 *     if (this.compare(learn)) console.log(`best ${this.monitor} so far: ${this.best}`);
 *   }
 * }
 * await learn.fit(3, 1e-3, { cbs: new Best({ monitor: 'valid_loss' }) });
 */
export abstract class Tracker implements Callback {
  abstract readonly name: string;
  readonly order: number = 60;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  readonly monitor: string;
  /** Whether less or more is better: until a fit begins, as far as the name tells. */
  comp: 'less' | 'greater';
  readonly minDelta: number;
  readonly resetOnFit: boolean;
  /** The best value so far; undefined before the first fit, infinite before the first epoch. */
  best: number | undefined;
  /** Whether the last epoch's is the best. */
  newBest = false;
  private column = 0;
  private readonly asked: 'less' | 'greater' | undefined;

  constructor(options: TrackerOptions = {}) {
    checkOptions(options, trackerOptions, new.target.name);
    const { monitor = 'valid_loss', comp, minDelta = 0, resetOnFit = true } = options;
    checkNumber(minDelta, minDelta >= 0, 'minDelta must not be negative');
    if (comp !== undefined && comp !== 'less' && comp !== 'greater')
      throw new ArgumentError(`comp is 'less' or 'greater', got '${said(comp)}'.`);
    this.monitor = monitor;
    this.asked = comp;
    this.comp = comp ?? (greaterByName(monitor) ? 'greater' : 'less');
    this.minDelta = minDelta;
    this.resetOnFit = resetOnFit;
  }

  beforeFit({ recorder, resumed, dls, metrics }: Learner): void {
    const columns = recorder.metricNames.slice(1, -1);
    this.column = columns.indexOf(this.monitor);
    if (this.column < 0)
      throw new UnknownIdError(
        'column',
        this.monitor,
        columns,
        `${this.name} watches one of: ${columns.join(', ')}.`,
      );
    if (this.column > 0 && dls.valid.n === 0) {
      throw new ArgumentError(
        `${this.name} watches ${this.monitor}, but there are no validation rows. Choose { monitor: 'train_loss' }, or split some off.`,
      );
    }
    const greater = metrics[this.column - 2]?.greater; // behind the two losses
    if (this.asked === undefined && greater !== undefined) this.comp = greater ? 'greater' : 'less';
    if (this.best !== undefined && (resumed || !this.resetOnFit)) return;
    this.best = this.comp === 'less' ? Infinity : -Infinity;
    this.reset();
  }

  /** Compares the last epoch's value. Without one (validation was left out) `undefined`. */
  protected compare({ recorder }: Learner): boolean | undefined {
    const value = recorder.values[recorder.values.length - 1][this.column];
    this.newBest = false;
    if (value === null) return undefined;
    const { best = NaN, minDelta } = this;
    this.newBest = this.comp === 'less' ? value + minDelta < best : value - minDelta > best;
    if (this.newBest) this.best = value;
    return this.newBest;
  }

  /** Starts anew. */
  protected reset(): void {}
}

/** Options of the trackers that lose patience. */
export interface PatienceOptions extends TrackerOptions {
  /** Epochs without improvement that are borne; default 1. */
  patience?: number;
}

/** Their names. */
export const patienceOptions = [...trackerOptions, 'patience'] as const;

/**
 * Base of trackers that act after some epochs without improvement.
 * @example
 * class Say extends PatientTracker {
 *   readonly name = 'Say';
 *   act(): void {
 *     console.log(`${this.wait} epochs without a better ${this.monitor}`);
 *   }
 * }
 * await learn.fit(3, 1e-3, { cbs: new Say({ patience: 2 }) });
 */
export abstract class PatientTracker extends Tracker {
  readonly patience: number;
  /** Epochs since the best. */
  wait = 0;

  constructor(options: PatienceOptions = {}) {
    checkOptions(options, patienceOptions, new.target.name);
    const { patience = 1, ...rest } = options;
    super(rest);
    if (!(Number.isInteger(patience) && patience > 0))
      throw new ArgumentError(
        `patience must be a positive whole number of epochs, got ${said(patience)}.`,
      );
    this.patience = patience;
  }

  override beforeFit(learn: Learner): void {
    super.beforeFit(learn);
    if (!learn.resumed) this.wait = 0;
  }

  afterEpoch(learn: Learner): void {
    const better = this.compare(learn);
    if (better === undefined) return;
    this.wait = better ? 0 : this.wait + 1;
    if (this.wait >= this.patience) this.act(learn);
  }

  /** What happens then. */
  protected abstract act(learn: Learner): void;
}

const shown = [
  'monitor',
  'comp',
  'minDelta',
  'resetOnFit',
  'patience',
  'factor',
  'minLr',
  'fname',
  'everyEpoch',
  'atEnd',
  'withOpt',
];
printed(Tracker, (cb) => asMade(cb, shown));
