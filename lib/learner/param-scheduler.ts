import type { Callback } from './callback.js';
import type { Learner } from './learner.js';
import type { Schedule } from './schedules.js';

/** Sets hyper-parameters before every training batch from the position in the run, `learn.pctTrain`, and records them (fastai's ParamScheduler). */
export class ParamScheduler implements Callback {
  readonly name: string = 'ParamScheduler';
  readonly order = 60;
  readonly runValid = false;
  private hps: Record<string, number[]> = {};

  /** @param scheds a schedule by hyper-parameter, e.g. `{ lr: combinedCos(0.25, [2e-4, 5e-3, 5e-8]) }` */
  constructor(readonly scheds: Readonly<Record<string, Schedule>>) {}

  beforeFit(_learn: Learner): void {
    this.hps = Object.fromEntries(Object.keys(this.scheds).map((name) => [name, []]));
  }

  beforeBatch(learn: Learner): void {
    this.update(learn, learn.pctTrain);
  }

  afterBatch(learn: Learner): void {
    for (const [name, values] of Object.entries(this.hps)) values.push(learn.opt.hypers[name]);
  }

  afterFit(learn: Learner): void {
    learn.recorder.hps = this.hps;
  }

  protected update(learn: Learner, pos: number): void {
    learn.opt.setHypers(Object.fromEntries(Object.entries(this.scheds).map(([name, sched]) => [name, sched(pos)])));
  }
}
