import path from 'node:path';
import { display } from '../../data/display.js';
import { ArgumentError } from '../../errors.js';
import { checkOptions, said } from '../../options.js';
import { keepState } from '../keep-state.js';
import type { Learner } from '../learner.js';
import { modelFile } from '../model-file.js';
import { Tracker, type TrackerOptions, trackerOptions } from './tracker.js';

/** Options of SaveModel; defaults as fastai's. */
export interface SaveModelOptions extends TrackerOptions {
  /**
   * Name or path of the file, as in `learn.save`; default `model`. Null keeps the best in memory
   * and writes no file.
   */
  fname?: string | null;
  /**
   * True: save after every epoch, as `fname_0`, `fname_1` …, good or bad; a number n: after every
   * n-th. Default false: save what is better than before.
   */
  everyEpoch?: boolean | number;
  /** Save when the run ends, and do not go back to the best; default false. */
  atEnd?: boolean;
  /** Save the state of training too, so that a run can go on from the file; default false. */
  withOpt?: boolean;
}

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
  readonly fname: string | null;
  readonly everyEpoch: number;
  readonly atEnd: boolean;
  readonly withOpt: boolean;
  /** The file that was written last. */
  lastSavedPath: string | undefined;
  private goBack: (() => void) | undefined;

  constructor(options: SaveModelOptions = {}) {
    checkOptions(
      options,
      [...trackerOptions, 'fname', 'everyEpoch', 'atEnd', 'withOpt'],
      'SaveModel',
    );
    const {
      fname = 'model',
      everyEpoch = false,
      atEnd = false,
      withOpt = false,
      ...rest
    } = options;
    super(rest);
    this.everyEpoch = Number(everyEpoch);
    if (!(Number.isInteger(this.everyEpoch) && this.everyEpoch >= 0)) {
      throw new ArgumentError(
        `everyEpoch is true, false or a whole number of epochs, got ${said(everyEpoch)}.`,
      );
    }
    if (this.everyEpoch && atEnd)
      throw new ArgumentError(
        'everyEpoch and atEnd cannot both be set: the last epoch is saved as one of every epoch.',
      );
    if (fname === null && (this.everyEpoch || atEnd))
      throw new ArgumentError('everyEpoch and atEnd write files: give fname.');
    this.fname = fname;
    this.atEnd = atEnd;
    this.withOpt = withOpt;
  }

  override beforeFit(learn: Learner): void {
    super.beforeFit(learn);
    if (this.fname !== null) modelFile(this.fname, path.resolve(learn.path, learn.modelDir)); // refuses a bad name before anything is trained
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
    if (this.atEnd) this.save(learn, `${this.fname}`);
    else if (!learn.interrupted) this.goBack?.();
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
      // The run is over: what is taken back are weights and moments, not its position.
      learn.epochsTrained = epochsTrained;
      learn.unfinished = undefined;
    };
  }
}
