import { ArgumentError } from '../errors.js';
import { checkArgument } from '../options.js';
import { printed } from '../printed.js';
import type { Callback } from './callback.js';
import type { Learner } from './learner.js';
import type { Schedule } from './schedules.js';

/**
 * Sets hyper-parameters before every training batch from the position in the run, `learn.pctTrain`,
 * and has the recorder keep them (fastai's ParamScheduler).
 *
 * @example
 * // three epochs: one of warming up, two of cooling down
 * const lr = combineScheds([1 / 3, 2 / 3], [schedLin(1e-4, 1e-2), schedCos(1e-2, 1e-6)]);
 * await learn.fit(3, 1e-2, { cbs: new ParamScheduler({ lr }) });
 */
export class ParamScheduler implements Callback {
  readonly name: string = 'ParamScheduler';
  readonly order = 60;
  readonly runValid = false;

  /**
   * @param scheds by hyper-parameter (`lr`, `mom`, `wd` …) a schedule for all parameter groups, or
   * one for each
   */
  constructor(readonly scheds: Readonly<Record<string, Schedule | readonly Schedule[]>>) {
    checkArgument(
      typeof scheds === 'object' && scheds !== null,
      scheds,
      'new ParamScheduler',
      'schedules by hyper-parameter, such as { lr: schedCos(1e-2, 1e-5) }',
    );
    for (const [name, sched] of Object.entries(scheds)) {
      if ([sched].flat().every((each) => typeof each === 'function')) continue;
      throw new ArgumentError(
        `The schedule of ${name} must be a function of the position in the run, such as schedCos(1e-2, 1e-5), or one for each group.`,
      );
    }
  }

  beforeFit({ recorder, opt }: Learner): void {
    for (const name of Object.keys(this.scheds)) opt.checkName(name);
    for (const name of Object.keys(this.scheds)) recorder.hps[name] ??= [];
  }

  beforeBatch(learn: Learner): void {
    this.update(learn, learn.pctTrain);
  }

  afterBatch({ recorder, opt }: Learner): void {
    for (const name of Object.keys(this.scheds)) recorder.hps[name].push(opt.hypers[name]);
  }

  protected update(learn: Learner, pos: number): void {
    for (const [name, sched] of Object.entries(this.scheds)) {
      learn.opt.setHypers({
        [name]: typeof sched === 'function' ? sched(pos) : sched.map((each) => each(pos)),
      });
    }
  }
}

printed(
  ParamScheduler,
  ({ constructor: type, scheds }) => `${type.name}(${Object.keys(scheds).join(', ')})`,
);
