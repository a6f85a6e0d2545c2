import type { Batch } from '../data/batches.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, whatIs } from '../options.js';
import type { StateBuffer } from './module.js';
import type { Parameter } from './parameter.js';

/**
 * A model's own training loss, in place of the learner's: for a loss that is not a function of
 * `outputs` predictions a row, such as one at every position of a sequence, or on a sample of the
 * classes. The learner's loss still measures validation.
 */
export interface TrainingLoss {
  /** The loss of the batch of the last forward, a mean. */
  readonly value: number;
  /** Number of targets with the highest prediction, of all, if every class was predicted. */
  readonly hits?: { readonly right: number; readonly of: number };
  /** Adds `scale` times the gradients of every parameter. */
  backward(scale: number): void;
}

/**
 * A function of a batch with a hand-written derivative, which a Learner trains. A training step
 * calls touch, forward, backward, in this order; validation calls forward alone. Any object with
 * these members is a model; `checkGradients(model, batch)` tests its derivative.
 *
 * @example
 * const { user, item } = dls.classes;
 * const [U, V] = [new Parameter('U', [user.length, 8]), new Parameter('V', [item.length, 8])];
 * const random = new Random(42);
 * for (const { value } of [U, V]) for (let j = 0; j < value.length; j++) value[j] = random.normal();
 * let pred = new Float32Array(0);
 * let at: Batch;
 * const terms = (work: (r: number, u: number, v: number) => void) => {
 *   for (let r = 0; r < at.size; r++) for (let f = 0; f < 8; f++) work(r, 8 * at.inputs[0][r] + f, 8 * at.inputs[1][r] + f);
 * };
 * const scaledDot: Model = { // U[user]·V[item] / √8
 *   parameters: [U, V],
 *   outputs: 1,
 *   forward(batch) {
 *     at = batch;
 *     pred = new Float32Array(batch.size);
 *     terms((r, u, v) => (pred[r] += (U.value[u] * V.value[v]) / Math.sqrt(8)));
 *     return pred;
 *   },
 *   backward(gradient) {
 *     terms((r, u, v) => {
 *       U.grad[u] += (gradient[r] * V.value[v]) / Math.sqrt(8);
 *       V.grad[v] += (gradient[r] * U.value[u]) / Math.sqrt(8);
 *     });
 *   },
 * };
 * checkGradients(scaledDot, dls.oneBatch());
 * await new Learner(dls, scaledDot).fit(1, 0.01);
 */
export interface Model<B extends Batch = Batch> {
  /** All parameters, in the order of fastai's `model.parameters()`. */
  readonly parameters: readonly Parameter[];
  /**
   * Its state that is not learnt, if it has any: saved with the model, and put back after lrFind.
   */
  readonly buffers?: readonly StateBuffer[];
  /** Outputs per row: 1 for a rating, the number of classes for a softmax. */
  readonly outputs: number;
  /**
   * Tells each table which of its rows the batch reads, so that they have gradients and the
   * optimizer can bring them up to date. A model without tables needs none.
   */
  touch?(batch: B): void;
  /**
   * The predictions, batch.size × outputs, row-major. A view: valid until the next forward.
   * @param training whether dropout and batch statistics are in force
   */
  forward(batch: B, training: boolean): Float32Array;
  /**
   * The model's own loss for the batch of the last training forward, which then returned an empty
   * array in place of predictions.
   */
  trainingLoss?(): TrainingLoss | undefined;
  /**
   * A term added to the training loss of the last forward's batch, such as a penalty on the
   * weights. It is not part of the loss that is shown, so that training and validation can be
   * compared.
   */
  penalty?(): TrainingLoss | undefined;
  /**
   * The batch as validation and getPreds see it, one target for each row, if the batches of
   * training have more.
   */
  validBatch?(batch: B): B;
  /**
   * Adds the gradients of every parameter, to what its `grad` holds, given dLoss/dPrediction of the
   * last forward. The array may be longer than batch.size × outputs.
   */
  backward(gradient: Float32Array): void;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const hasFloats = (values: unknown, ...names: string[]): boolean =>
  Array.isArray(values) &&
  values.every((it?: Record<string, unknown>) =>
    names.every((name) => it?.[name] instanceof Float32Array),
  );

type Check = [is: (value: unknown) => boolean, wanted: string];

/** The members that a model must have: a check, and the words of the message. */
const required: Readonly<Record<string, Check>> = {
  parameters: [
    (value) => hasFloats(value, 'value', 'grad'),
    "the Parameters that are learnt, such as [new Parameter('weight', [10, 5])]",
  ],
  outputs: [
    (n) => Number.isInteger(n) && (n as number) > 0,
    'the number of predictions a row, such as 1',
  ],
  forward: [
    isFunction,
    'a function (batch, training) that returns batch.size × outputs predictions, a Float32Array',
  ],
  backward: [
    isFunction,
    "a function (gradient) of dLoss/dPrediction that adds to each parameter's grad",
  ],
};
/** Those that it may have. */
const optional: Readonly<Record<string, Check>> = {
  buffers: [
    (value) => hasFloats(value, 'value'),
    'its further state, such as [{ name, value: new Float32Array(1) }]',
  ],
  touch: [isFunction, 'a function (batch) that calls touch(rows) of each table, or nothing'],
  trainingLoss: [isFunction, 'a function, or nothing'],
  penalty: [isFunction, 'a function, or nothing'],
  validBatch: [isFunction, 'a function (batch), or nothing'],
};

/**
 * Throws unless an object has the members of a model: it may have been written in a cell.
 * @param of what needs the model, e.g. `A learner`
 */
export function checkModel(model: Model, of: string): void {
  const members = { ...required, ...optional };
  const some = typeof model === 'object' && model && Object.keys(members).some((n) => n in model);
  checkArgument(Boolean(some), model, of, 'a model, such as new EmbeddingDotBias(50, dls.classes)');
  for (const [name, [is, wanted]] of Object.entries(members)) {
    const value = model[name as keyof Model];
    if ((value === undefined && name in optional) || is(value)) continue;
    const got = typeof value === 'number' ? String(value) : whatIs(value);
    throw new ArgumentError(`${of} needs a model whose ${name} is ${wanted}; got ${got}.`);
  }
  const table = model.parameters.find((p) => p.slots);
  if (table && !model.touch)
    throw new ArgumentError(
      `${of} needs a model with touch(batch), since its parameter ${table.name} is a table: it calls touch(rows) of each table. Or make the parameter without { table: true }.`,
    );
}

/** The predictions for a batch, if they are an array that the losses can read. */
export function predictions(
  model: Model,
  batch: Batch,
  { training }: { training: boolean },
): Float32Array {
  const values: unknown = model.forward(batch, training);
  if (values instanceof Float32Array) return values;
  throw new ArgumentError(
    `The model's forward must return batch.size × outputs = ${batch.size * model.outputs} predictions, a Float32Array, got ${whatIs(values)}.`,
  );
}
