import path from 'node:path';
import { display } from '../../data/output.js';
import { ArgumentError, UnknownIdError } from '../../errors.js';
import { checkCount, checkNumber, checkOneOf, given, said } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import { type Callback, CancelFitException } from '../callback.js';
import { keepState } from '../checkpoint.js';
import type { Learner } from '../learner.js';
import { greaterByName } from '../metrics.js';
import { modelFile } from '../model-file.js';

const TRACKER = {
  /** Column of the training table: `train_loss`, `valid_loss` (default) or a metric's name. */
  monitor: 'valid_loss',
  /**
   * Whether less or more is better; default: as the metric says (`greater`; all of the library's
   * do). Of a metric that does not say it: less if its name is that of an error (it contains "loss"
   * or "error", as in fastai, or rmse, mae and the like), else more.
   */
  comp: undefined as 'less' | 'greater' | undefined,
  /** A value counts as better if it is so by more than this; default 0. */
  minDelta: 0,
};

/** The column that a callback watches, and when it is better than before; defaults as fastai's. */
export type TrackerOptions = Partial<typeof TRACKER>;

/**
 * Base of callbacks that look for the best value of a column of the training table, anew in each
 * fit (fastai's TrackerCallback).
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
  /** Its name in messages and summaries. */
  abstract readonly name: string;
  /** Its place among the callbacks, which run by ascending order. */
  readonly order: number = 60;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  /** Column of the training table that is watched. */
  readonly monitor: string;
  /** Whether less or more is better; before the first fit, as far as the name tells. */
  comp: 'less' | 'greater';
  /** A value counts as better if it is so by more than this. */
  readonly minDelta: number;
  /** The best value so far; undefined before the first fit, infinite before the first epoch. */
  best: number | undefined;
  private column = 0;
  private readonly asked: 'less' | 'greater' | undefined;

  constructor(options: TrackerOptions = {}) {
    const { monitor, comp, minDelta } = given(TRACKER, options, new.target.name);
    checkNumber(minDelta, minDelta >= 0, 'minDelta must not be negative');
    if (comp !== undefined) checkOneOf(comp, ['less', 'greater'], 'comp');
    this.monitor = monitor;
    this.asked = comp;
    this.comp = comp ?? (greaterByName(monitor) ? 'greater' : 'less');
    this.minDelta = minDelta;
  }

  beforeFit({ recorder, resumed, dls, metrics }: Learner): void {
    const columns = recorder.metricNames.slice(1, -1);
    this.column = columns.indexOf(this.monitor);
    if (this.column < 0) {
      const hint = `${this.name} watches one of: ${columns.join(', ')}.`;
      throw new UnknownIdError('column', this.monitor, columns, hint);
    }
    if (this.column > 0 && dls.valid.n === 0)
      throw new ArgumentError(
        `${this.name} watches ${this.monitor}, but there are no validation rows. Choose { monitor: 'train_loss' }, or split some off.`,
      );
    const greater = metrics[this.column - 2]?.greater; // behind the two losses
    if (this.asked === undefined && greater !== undefined) this.comp = greater ? 'greater' : 'less';
    if (this.best !== undefined && resumed) return;
    this.best = this.comp === 'less' ? Infinity : -Infinity;
    this.reset();
  }

  /** Whether the last epoch's value is the best; undefined where validation was left out. */
  protected compare({ recorder }: Learner): boolean | undefined {
    const value = recorder.values[recorder.values.length - 1][this.column];
    if (value === null) return undefined;
    const { best = NaN, minDelta } = this;
    const better = this.comp === 'less' ? value + minDelta < best : value - minDelta > best;
    if (better) this.best = value;
    return better;
  }

  /** Called when a fit starts to compare anew. */
  protected reset(): void {}
}

const PATIENCE = {
  ...TRACKER,
  /** Epochs without improvement before it acts; default 1. */
  patience: 1,
};

/**
 * Options of trackers that act after epochs without improvement.
 * @example const options: PatienceOptions = { monitor: 'valid_loss', patience: 3 };
 */
export type PatienceOptions = Partial<typeof PATIENCE>;

/** Base of trackers that act after some epochs without improvement. */
abstract class PatientTracker extends Tracker {
  /** Epochs without improvement after which it acts. */
  readonly patience: number;
  /** Epochs since the best. */
  wait = 0;

  constructor(options: PatienceOptions = {}) {
    const { patience, ...rest } = given(PATIENCE, options, new.target.name);
    super(rest);
    checkCount(patience, 'patience');
    this.patience = patience;
  }

  protected override reset(): void {
    this.wait = 0;
  }

  afterEpoch(learn: Learner): void {
    const better = this.compare(learn);
    if (better === undefined) return;
    this.wait = better ? 0 : this.wait + 1;
    if (this.wait >= this.patience) this.act(learn);
  }

  /** What it does after `patience` epochs without improvement. */
  protected abstract act(learn: Learner): void;
}

/**
 * Ends the run after `patience` epochs without improvement (fastai's EarlyStoppingCallback). The
 * weights are those of the last epoch: add SaveModel for the best.
 * @example await learn.fit(50, 1e-3, { cbs: [new EarlyStopping({ monitor: 'valid_loss', patience: 3 })] });
 */
export class EarlyStopping extends PatientTracker {
  readonly name = 'EarlyStopping';
  override readonly order = 63;

  protected act({ epoch }: Learner): void {
    display().text(`No improvement since epoch ${epoch - this.wait}: early stopping`);
    throw new CancelFitException();
  }
}

const PLATEAU = {
  ...PATIENCE,
  /** The learning rate is divided by this; default 10. */
  factor: 10,
  /** It never falls below this; default 0. */
  minLr: 0,
};

/** Options of ReduceLROnPlateau; defaults as fastai's. */
export type ReduceLROnPlateauOptions = Partial<typeof PLATEAU>;

/**
 * Divides the learning rate by `factor` after `patience` epochs without improvement (fastai's
 * ReduceLROnPlateau). For `fit`: the schedules of fitOneCycle and the like would set the rate
 * again.
 * @example await learn.fit(20, 1e-2, { cbs: [new ReduceLROnPlateau({ patience: 2, factor: 3 })] });
 */
export class ReduceLROnPlateau extends PatientTracker {
  readonly name = 'ReduceLROnPlateau';
  override readonly order = 62;
  /** What the learning rate is divided by. */
  readonly factor: number;
  /** The learning rate never falls below this. */
  readonly minLr: number;

  constructor(options: ReduceLROnPlateauOptions = {}) {
    const { factor, minLr, ...rest } = given(PLATEAU, options, 'ReduceLROnPlateau');
    super(rest);
    checkNumber(factor, factor > 1, 'factor must be more than 1');
    checkNumber(minLr, minLr >= 0, 'minLr must not be negative');
    this.factor = factor;
    this.minLr = minLr;
  }

  protected act({ opt, epoch }: Learner): void {
    const before = opt.hypers.lr;
    const lr = opt.groups.map(({ hypers }) => Math.max(hypers.lr / this.factor, this.minLr));
    opt.setHypers({ lr });
    this.wait = 0;
    if (opt.hypers.lr < before) display().text(`Epoch ${epoch}: reducing lr to ${opt.hypers.lr}`);
  }
}

const SAVE_MODEL = {
  ...TRACKER,
  /**
   * Name or path of the file, as in `learn.save`; default `model`. Null keeps the best in memory
   * and writes no file.
   */
  fname: 'model' as string | null,
  /**
   * True: save after every epoch, as `fname_0`, `fname_1` …, good or bad; a number n: after every
   * n-th. Default false: save what is better than before.
   */
  everyEpoch: false as boolean | number,
  /** Save the state of training too, so that a run can be resumed from the file; default false. */
  withOpt: false,
};

/** Options of SaveModel; defaults as fastai's. */
export type SaveModelOptions = Partial<typeof SAVE_MODEL>;

/**
 * Keeps the best model of a run, and goes back to it at the end (fastai's SaveModelCallback). With
 * `everyEpoch` and `withOpt` a run survives its process: `learn.load('model_3')` and
 * `await learn.resume()` in a new one end with the same weights.
 *
 * After an interrupt the weights stay those of the last batch, so that `resume` can go on:
 * `learn.load(fname)` takes the best.
 * @example await learn.fitOneCycle(10, 5e-3, { cbs: [new SaveModel({ monitor: 'valid_loss', fname: 'best' })] });
 */
export class SaveModel extends Tracker {
  readonly name = 'SaveModel';
  override readonly order = 61;
  /** Name of the file, in the learner's `modelDir`; null: kept in memory alone. */
  readonly fname: string | null;
  /** Saves after every n-th epoch, good or bad; 0: only what is better. */
  readonly everyEpoch: number;
  /** Whether the state of training is saved as well. */
  readonly withOpt: boolean;
  /** The file that was written last. */
  lastSavedPath: string | undefined;
  private goBack: (() => void) | undefined;

  constructor(options: SaveModelOptions = {}) {
    const { fname, everyEpoch, withOpt, ...rest } = given(SAVE_MODEL, options, 'SaveModel');
    super(rest);
    this.everyEpoch = Number(everyEpoch);
    if (!(Number.isInteger(this.everyEpoch) && this.everyEpoch >= 0))
      throw new ArgumentError(
        `everyEpoch is true, false or a whole number of epochs, got ${said(everyEpoch)}.`,
      );
    if (fname === null && this.everyEpoch)
      throw new ArgumentError('everyEpoch writes files: give fname.');
    this.fname = fname;
    this.withOpt = withOpt;
  }

  override beforeFit(learn: Learner): void {
    super.beforeFit(learn);
    if (this.fname !== null) modelFile(this.fname, path.resolve(learn.path, learn.modelDir)); // refuses a bad name early
  }

  protected override reset(): void {
    this.goBack = undefined;
  }

  afterEpoch(learn: Learner): void {
    const { epoch } = learn;
    if (this.everyEpoch) {
      if (epoch % this.everyEpoch === 0) this.save(learn, `${this.fname}_${epoch}`);
      return;
    }
    if (!this.compare(learn)) return;
    display().text(
      `Better model found at epoch ${epoch} with ${this.monitor} value: ${this.best}.`,
    );
    this.keep(learn);
  }

  afterFit(learn: Learner): void {
    if (!learn.interrupted) this.goBack?.();
  }

  private save(learn: Learner, name: string): void {
    this.lastSavedPath = learn.save(name, { withOpt: this.withOpt });
  }

  private keep(learn: Learner): void {
    const { fname, withOpt } = this;
    if (fname === null) {
      this.goBack = keepState(learn, { withOpt });
      return;
    }
    this.save(learn, fname);
    this.goBack = () => {
      const { epochsTrained } = learn;
      learn.load(fname, { withOpt });
      learn.epochsTrained = epochsTrained; // weights and moments go back, the run is over
      learn.unfinished = undefined;
    };
  }
}

printed(Tracker, (cb) => asMade(cb, Object.keys({ ...PLATEAU, ...SAVE_MODEL })));
