/** The events of a training run, in fastai's order (callback/core.py). `afterX` comes in every case, after `afterCancelX` if X was cancelled. */
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

/** The name of an event. */
export type EventName = (typeof events)[number];

/** The events that come for every batch: `runTrain` and `runValid` limit these. */
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

/** Thrown by a callback to leave a part of the run; not an error. */
export class CancelException extends Error {}
/** Leaves the batch: the next one follows. Thrown in `beforeStep` it leaves out the step but keeps the gradients, and those of the next batch are added. */
export class CancelBatchException extends CancelException {}
/** Leaves the backward pass: the step follows. */
export class CancelBackwardException extends CancelException {}
/** Leaves out the optimizer's step; gradients are cleared all the same. */
export class CancelStepException extends CancelException {}
/** Leaves the training part of the epoch: validation follows. */
export class CancelTrainException extends CancelException {}
/** Leaves validation. */
export class CancelValidException extends CancelException {}
/** Leaves the epoch: the next one follows. */
export class CancelEpochException extends CancelException {}
/** Ends the run. */
export class CancelFitException extends CancelException {}
