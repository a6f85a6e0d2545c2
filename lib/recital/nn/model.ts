import type { Batch } from '../data/batches.js';
import { ArgumentError } from '../errors.js';
import { whatIs } from '../options.js';
import type { StateBuffer } from './module.js';
import type { Parameter } from './parameter.js';

/**
 * A loss of its own that a model has in training, in place of the learner's: one that is not a
 * function of `outputs` predictions a row, such as a loss at every position of a sequence, or on a
 * sample of the classes. The learner's loss still measures validation.
 */
export interface TrainingLoss {
  /** The loss of the batch of the last forward, a mean. */
  readonly value: number;
  /** Of how many targets the class had the highest prediction, if every class was predicted. */
  readonly hits?: { readonly right: number; readonly of: number };
  /** Adds `scale` times the gradients of every parameter. */
  backward(scale: number): void;
}

/**
 * What the Learner trains: a function of a batch with a hand-written derivative. In a training step
 * the calls come in the order touch, forward, backward; in validation forward alone. Any object
 * with these members is one; `checkGradients(model, batch)` says whether its derivative is right.
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
   * The loss of its own that a model has for the batch of the last training forward, which then has
   * made no predictions: an empty array.
   */
  trainingLoss?(): TrainingLoss | undefined;
  /**
   * What the model adds to the learner's loss in training, for the batch of the last forward: a
   * penalty on its weights, say. It is trained on, and not shown, so that the losses of training
   * and validation can be compared.
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

/** What a model must have, what it may have, and how a message says so. */
const members: readonly {
  name: keyof Model;
  optional?: boolean;
  is: (value: unknown) => boolean;
  wanted: string;
}[] = [
  {
    name: 'parameters',
    is: isParameters,
    wanted: "the Parameters that are learnt, such as [new Parameter('weight', [10, 5])]",
  },
  {
    name: 'outputs',
    is: (n) => Number.isInteger(n) && (n as number) > 0,
    wanted: 'the number of predictions a row, such as 1',
  },
  {
    name: 'forward',
    is: isFunction,
    wanted:
      'a function (batch, training) that returns batch.size × outputs predictions, a Float32Array',
  },
  {
    name: 'backward',
    is: isFunction,
    wanted: "a function (gradient) of dLoss/dPrediction that adds to each parameter's grad",
  },
  {
    name: 'buffers',
    optional: true,
    is: isBuffers,
    wanted: 'its further state, such as [{ name, value: new Float32Array(1) }]',
  },
  {
    name: 'touch',
    optional: true,
    is: isFunction,
    wanted:
      'a function (batch) that calls touch(rows) of each table, or nothing where there is no table',
  },
  { name: 'trainingLoss', optional: true, is: isFunction, wanted: 'a function, or nothing' },
  { name: 'penalty', optional: true, is: isFunction, wanted: 'a function, or nothing' },
  { name: 'validBatch', optional: true, is: isFunction, wanted: 'a function (batch), or nothing' },
];

/**
 * Throws unless an object has what training calls: it may have been written in a cell.
 * @param model what was given
 * @param of who needs it, e.g. `A learner`
 */
export function checkModel(model: Model, of: string): void {
  if (typeof model !== 'object' || model === null || !members.some(({ name }) => name in model)) {
    throw new ArgumentError(
      `${of} needs a model, such as new EmbeddingDotBias(50, dls.classes), got ${whatIs(model)}.`,
    );
  }
  for (const { name, optional, is, wanted } of members) {
    const value = model[name];
    if ((optional && value === undefined) || is(value)) continue;
    const got = typeof value === 'number' ? String(value) : whatIs(value);
    throw new ArgumentError(`${of} needs a model whose ${name} is ${wanted}; got ${got}.`);
  }
  const table = model.parameters.find((p) => p.slots);
  if (table && !model.touch) {
    throw new ArgumentError(
      `${of} needs a model with touch(batch), since its parameter ${table.name} is a table: it calls touch(rows) of each table. Or make the parameter without { table: true }.`,
    );
  }
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

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isParameters(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (p: Partial<Parameter> | undefined) =>
        p?.value instanceof Float32Array && p.grad instanceof Float32Array,
    )
  );
}

function isBuffers(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((b: { value?: unknown } | undefined) => b?.value instanceof Float32Array)
  );
}
