import { display } from '../../data/display.js';
import { checkNumber, checkOptions } from '../../options.js';
import type { Learner } from '../learner.js';
import { type PatienceOptions, PatientTracker, patienceOptions } from './tracker.js';

/** Options of ReduceLROnPlateau; defaults as fastai's. */
export interface ReduceLROnPlateauOptions extends PatienceOptions {
  /** The learning rate is divided by this; default 10. */
  factor?: number;
  /** It never falls below this; default 0. */
  minLr?: number;
}

/**
 * Divides the learning rate by `factor` after `patience` epochs without improvement (fastai's
 * ReduceLROnPlateau). For `fit`: the schedule of fitOneCycle and its like would set the rate again.
 * @example await learn.fit(20, 1e-2, { cbs: [new ReduceLROnPlateau({ patience: 2, factor: 3 })] });
 */
export class ReduceLROnPlateau extends PatientTracker {
  readonly name = 'ReduceLROnPlateau';
  override readonly order = 62;
  readonly factor: number;
  readonly minLr: number;

  constructor(options: ReduceLROnPlateauOptions = {}) {
    checkOptions(options, [...patienceOptions, 'factor', 'minLr'], 'ReduceLROnPlateau');
    const { factor = 10, minLr = 0, ...rest } = options;
    super(rest);
    checkNumber(factor, factor > 1, 'factor must be more than 1');
    checkNumber(minLr, minLr >= 0, 'minLr must not be negative');
    this.factor = factor;
    this.minLr = minLr;
  }

  protected act({ opt, epoch }: Learner): void {
    const before = opt.hypers.lr;
    opt.setHypers({
      lr: opt.groups.map(({ hypers }) => Math.max(hypers.lr / this.factor, this.minLr)),
    });
    this.wait = 0;
    if (opt.hypers.lr < before) display().text(`Epoch ${epoch}: reducing lr to ${opt.hypers.lr}`);
  }
}
