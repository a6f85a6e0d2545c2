/**
 * The events of a training run, in fastai's order (callback/core.py). `afterX` comes in every case,
 * after `afterCancelX` if X was cancelled.
 * @example events.indexOf('beforeBatch') // 4
 */
export const events = [
  'afterCreate',
  'beforeFit',
  'beforeEpoch',
  'beforeTrain',
  'beforeBatch',
  'afterPred',
  'afterLoss',
  'beforeBackward',
  'afterCancelBackward',
  'afterBackward',
  'beforeStep',
  'afterCancelStep',
  'afterStep',
  'afterCancelBatch',
  'afterBatch',
  'afterCancelTrain',
  'afterTrain',
  'beforeValidate',
  'afterCancelValidate',
  'afterValidate',
  'afterCancelEpoch',
  'afterEpoch',
  'afterCancelFit',
  'afterFit',
] as const;

/**
 * The name of an event.
 * @example const at: EventName = 'afterBatch';
 */
export type EventName = (typeof events)[number];

/**
 * The events that come for every batch: `runTrain` and `runValid` limit these.
 * @example innerLoop.has('afterEpoch') // false
 */
export const innerLoop: ReadonlySet<EventName> = new Set<EventName>([
  'beforeBatch',
  'afterPred',
  'afterLoss',
  'beforeBackward',
  'afterCancelBackward',
  'afterBackward',
  'beforeStep',
  'afterCancelStep',
  'afterStep',
  'afterCancelBatch',
  'afterBatch',
]);

/**
 * Thrown by a callback to leave a part of the run; not an error.
 * @example new CancelFitException() instanceof CancelException // true
 */
export class CancelException extends Error {}
/**
 * Leaves the batch: the next one follows. Thrown in `beforeStep` it leaves out the step but keeps
 * the gradients, and those of the next batch are added.
 * @example await learn.fit(1, 1e-3, { cbs: { name: 'everyOther', beforeBatch: ({ iter }) => { if (iter % 2) throw new CancelBatchException(); } } });
 */
export class CancelBatchException extends CancelException {}
/**
 * Leaves the backward pass: the step follows.
 * @example await learn.fit(1, 1e-3, { cbs: { name: 'noBackward', beforeBackward: () => { throw new CancelBackwardException(); } } });
 */
export class CancelBackwardException extends CancelException {}
/**
 * Leaves out the optimizer's step; gradients are cleared all the same.
 * @example await learn.fit(1, 1e-3, { cbs: { name: 'noStep', beforeStep: () => { throw new CancelStepException(); } } });
 */
export class CancelStepException extends CancelException {}
/**
 * Leaves the training part of the epoch: validation follows.
 * @example
 * const tenBatches: Callback = { name: 'tenBatches', afterBatch: ({ training, iter }) => { if (training && iter === 9) throw new CancelTrainException(); } };
 * await learn.fit(1, 1e-3, { cbs: tenBatches });
 */
export class CancelTrainException extends CancelException {}
/**
 * Leaves validation.
 * @example await learn.fit(1, 1e-3, { cbs: { name: 'noValidation', beforeValidate: () => { throw new CancelValidException(); } } });
 */
export class CancelValidException extends CancelException {}
/**
 * Leaves the epoch: the next one follows.
 * @example await learn.fit(2, 1e-3, { cbs: { name: 'oneEpoch', beforeEpoch: ({ epoch }) => { if (epoch > 0) throw new CancelEpochException(); } } });
 */
export class CancelEpochException extends CancelException {}
/**
 * Ends the run.
 * @example
 * const enough: Callback = { name: 'enough', afterEpoch: ({ recorder }) => { if (Number(recorder.log[2]) < 0.2) throw new CancelFitException(); } };
 * await learn.fit(50, 1e-3, { cbs: enough });
 */
export class CancelFitException extends CancelException {}
