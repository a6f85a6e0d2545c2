import type { Tensor } from '@tensorflow/tfjs-core';
import { Random } from '../compute/random.js';
import type { Batch } from '../data/batches.js';
import { ArgumentError } from '../errors.js';
import { initEmbedding } from '../nn/embedding.js';
import type { Model } from '../nn/model.js';
import type { StateBuffer } from '../nn/module.js';
import { Scratch } from '../nn/module.js';
import { Parameter } from '../nn/parameter.js';
import { checkArgument, checkCount, checkOptions, given, said, whatIs } from '../options.js';
import { counted, printed, tree } from '../printed.js';
import { type Tensorflow, tensorflow } from './tensorflow-load.js';

export { type Tensorflow, tensorflow } from './tensorflow-load.js';

/** Facts about a call that a function of TensorFlow.js gets beside tensors. */
export interface TensorflowStep {
  /** Rows of the batch. */
  readonly size: number;
  /** Whether dropout and the like are in force. */
  readonly training: boolean;
  /** Seed for random operations: another one in each step, the same ones in each run. */
  readonly seed: number;
}

/**
 * A model written with TensorFlow.js: from the columns of a batch, as int32 tensors of `size`
 * values (or size × width, for a window of tracks), and the values of the variables, by name, to a
 * tensor of batch.size × outputs predictions (or batch.size, where there is one output).
 */
export type TensorflowFunction<Name extends string = string> = (
  inputs: readonly Tensor[],
  variables: Readonly<Record<Name, Tensor>>,
  step: TensorflowStep,
) => Tensor;

const DEFAULTS = {
  /** Predictions a row: 1 (default) for a rating, the number of classes for a classifier. */
  outputs: 1,
  /** Source of initial values and the seeds of the steps; default `new Random(0)`. */
  random: undefined as Random | undefined,
};

/** Options of tensorflowModel. */
export type TensorflowModelOptions = Partial<typeof DEFAULTS>;

/**
 * A model written with TensorFlow.js, in a cell, which a Learner trains like any other. The values
 * of the variables lie in Parameters (`model.parameters`), and are copied into tensors for each
 * call. A training step calls the function twice, for the predictions and for their derivatives, so
 * it must be deterministic: randomness comes from `step.seed`. Gradients are dense, so the time of
 * a step grows with the tables; {@link tensorflow} says what computes them.
 * @param fn predictions from the batch and the variables
 * @param variables the shape of each variable, or how it starts, by name
 * @example
 * const tf = tensorflow();
 * const { user, item } = dls.classes;
 * const dotBias = tensorflowModel(
 *   ([users, items], { U, V, b, c }) =>
 *     tf.gather(U, users).mul(tf.gather(V, items)).sum(1).add(tf.gather(b, users)).add(tf.gather(c, items)),
 *   { U: [user.length, 50], V: [item.length, 50], b: [user.length], c: [item.length] },
 *   { random: new Random(42) },
 * );
 * await new Learner(dls, dotBias).fitOneCycle(1, 5e-3);
 */
export function tensorflowModel<V extends TensorflowVariables>(
  fn: TensorflowFunction<keyof V & string>,
  variables: V,
  options: TensorflowModelOptions = {},
): TensorflowModel {
  return new TensorflowModel(fn, variables, options);
}

/** The columns of a batch, and their shapes. */
type Columns = readonly { values: Int32Array; shape: [number] | [number, number] }[];

/** See {@link tensorflowModel}, which makes one. */
export class TensorflowModel implements Model {
  readonly outputs: number;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly StateBuffer[];
  private readonly random: Random;
  private readonly steps = new Float32Array(1);
  private readonly out = new Scratch();
  /** The training forward, for the backward pass. */
  private done:
    | { columns: Columns; step: TensorflowStep; shape: number[]; predicted: Float32Array }
    | undefined;

  constructor(
    private readonly fn: TensorflowFunction,
    variables: TensorflowVariables,
    options: TensorflowModelOptions = {},
  ) {
    const { outputs, random = new Random(0) } = given(DEFAULTS, options, 'tensorflowModel');
    const wanted = 'a function ([users, items], { U, V }) => predictions, a tensor';
    checkArgument(typeof fn === 'function', fn, 'tensorflowModel', wanted);
    checkCount(outputs, 'outputs');
    this.outputs = outputs;
    this.random = random;
    this.parameters = parametersOf(variables, random);
    this.buffers = [{ name: 'steps', value: this.steps }];
  }

  forward(batch: Batch, training: boolean): Float32Array {
    const tf = tensorflow();
    const { size } = batch;
    const seeds = this.random.child('step').child(training ? this.steps[0] : -1);
    const step = { size, training, seed: seeds.uint32() };
    if (training) this.steps[0] = (this.steps[0] + 1) % 2 ** 24; // as far as float32 counts
    const columns = columnsOf(batch);
    const out = this.out.get(size * this.outputs);
    this.done = undefined;
    tf.tidy(() => {
      const y = this.predict(tf, this.variables(tf), columns, step);
      out.set(y.dataSync() as Float32Array);
      if (training) this.done = { columns, step, shape: y.shape, predicted: out.slice() };
    });
    return out;
  }

  backward(gradient: Float32Array): void {
    const { done, parameters } = this;
    if (!done)
      throw new ArgumentError(
        'There is no training forward to go back through: call forward(batch, true) before backward(gradient).',
      );
    const { columns, step, shape, predicted } = done;
    const tf = tensorflow();
    tf.tidy(() => {
      const variables = this.variables(tf);
      const d = tf.tensor(gradient.slice(0, predicted.length), shape);
      const again = (): Tensor => this.predict(tf, variables, columns, step);
      // tf.grads does the same, but refuses a variable without gradient without saying which
      const { value, grads } = tf.engine().gradients(again, variables, d, true);
      checkSame(value.dataSync() as Float32Array, predicted);
      const without = parameters.filter((p, i) => !grads[i] && p.trainable);
      if (without.length)
        throw new ArgumentError(
          `${without.map(({ name }) => name).join(', ')}: no gradient comes back. Leave out what the function does not use, and what has no derivative, such as tf.round or dataSync.`,
        );
      for (const [i, { grad }] of parameters.entries()) {
        const values = grads[i]?.dataSync() as Float32Array | undefined;
        if (values) for (let j = 0; j < grad.length; j++) grad[j] += values[j];
      }
    });
  }

  /** The values of the parameters: copies, since the function may keep a tensor. */
  private variables(tf: Tensorflow): Tensor[] {
    return this.parameters.map(({ value, shape }) =>
      tf.tensor(value.slice(), [...shape], 'float32'),
    );
  }

  private predict(
    tf: Tensorflow,
    variables: readonly Tensor[],
    columns: Columns,
    step: TensorflowStep,
  ): Tensor {
    const inputs = columns.map(({ values, shape }) => tf.tensor(values, shape, 'int32'));
    const byName = Object.fromEntries(this.parameters.map((p, i) => [p.name, variables[i]]));
    const y: unknown = this.fn(inputs, byName, step);
    const refused = (got: string): ArgumentError =>
      new ArgumentError(
        `The function of tensorflowModel must return a tensor of ${step.size} × ${this.outputs} predictions${got}`,
      );
    if (y instanceof Promise) throw refused('. It cannot be asynchronous.');
    if (!(y instanceof tf.Tensor)) throw refused(`, got ${whatIs(y)}.`);
    if (y.dtype !== 'float32') throw refused(` of float32, got ${said(y.dtype)}.`);
    const n = y.size / step.size;
    if (y.shape[0] === step.size && n === this.outputs) return y;
    const hint = ` For ${counted(n, 'output')} a row, give tensorflowModel the option { outputs: ${n} }.`;
    throw refused(
      `, got one of shape [${y.shape.join(', ')}].${y.shape[0] === step.size ? hint : ''}`,
    );
  }
}

/** The columns of a batch, `size` rows of those that have room in it. */
function columnsOf({ inputs, rows, size }: Batch): Columns {
  if (!(Number.isInteger(size) && size > 0 && size <= rows.length))
    throw new ArgumentError(
      `A batch with room for ${rows.length} rows must have 1 to ${rows.length} of them, got size ${size}.`,
    );
  return inputs.map((values, i) => {
    const width = values.length / rows.length;
    if (!(Number.isInteger(width) && width > 0))
      throw new ArgumentError(
        `Column ${i} of the batch has ${values.length} values for ${rows.length} rows: as many for each were expected.`,
      );
    return { values: values.slice(0, size * width), shape: width === 1 ? [size] : [size, width] };
  });
}

/** Throws if the second evaluation differs by more than rounding from the first. */
function checkSame(now: Float32Array, before: Float32Array): void {
  const largest = before.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const i = now.findIndex((x, j) => Math.abs(x - before[j]) > 1e-3 * largest);
  if (i >= 0)
    throw new ArgumentError(
      `The function of tensorflowModel answers ${now[i]} after ${before[i]} for the same batch. Operations with chance take the seed that it is given: ([users], { U }, { seed }) => … tf.dropout(x, 0.1, undefined, seed).`,
    );
}

/** A variable, and how it starts. */
export interface TensorflowVariable {
  /** Sizes of its dimensions. */
  shape: readonly number[];
  /**
   * Its first values: one for all (0 for a bias), all of them, row-major, or a function that draws
   * each, such as `(random) => 0.1 * random.normal()`. Default: those of fastai's embeddings,
   * 0.01·fmod(z, 2), z standard normal.
   */
  init?: number | ArrayLike<number> | ((random: Random) => number);
  /** Whether weight decay applies; default true. fastai spares the biases of linear layers. */
  decay?: boolean;
}

/**
 * Variables by name: each as its shape, as a TensorflowVariable, or as a tensor with its first
 * values (copied: it stays yours to dispose of).
 */
export type TensorflowVariables = Readonly<
  Record<string, readonly number[] | TensorflowVariable | Tensor>
>;

/** The parameters that hold the values of variables, each drawn from a child of its name. */
function parametersOf(variables: TensorflowVariables, random: Random): Parameter[] {
  const wanted =
    'variables by name, each as its shape or { shape, init }, such as { U: [100, 5], b: { shape: [100], init: 0 } }';
  const isObject = typeof variables === 'object' && variables !== null && !Array.isArray(variables);
  checkArgument(isObject, variables, 'tensorflowModel', wanted);
  const entries = Object.entries(variables);
  if (!entries.length)
    throw new ArgumentError(
      `tensorflowModel needs ${wanted}; there is none, so nothing could be learnt.`,
    );
  return entries.map(([name, variable]) => parameterOf(name, described(name, variable), random));
}

function parameterOf(
  name: string,
  { shape, init, decay = true }: TensorflowVariable,
  all: Random,
): Parameter {
  checkArgument(Array.isArray(shape), shape, `Variable ${name}`, 'a shape, such as [100, 5]');
  const p = new Parameter(name, [...shape], { decay });
  const { value } = p;
  const random = all.child(name);
  if (init === undefined) return initEmbedding(p, random);
  if (typeof init === 'number') value.fill(init);
  else if (typeof init === 'function')
    for (let i = 0; i < value.length; i++) value[i] = init(random);
  else if (init?.length === value.length) value.set(init);
  else {
    const length = typeof init === 'object' && init !== null && 'length' in init;
    throw new ArgumentError(
      `Variable ${name} needs as init a number, ${p.shape.join(' × ')} = ${value.length} numbers, or a function that draws one; got ${length ? `${init.length} values` : whatIs(init)}.`,
    );
  }
  const bad = value.findIndex((x) => !Number.isFinite(x));
  if (bad < 0) return p;
  throw new ArgumentError(
    `Variable ${name} starts with ${value[bad]} at place ${bad}: finite numbers were expected.`,
  );
}

/** A variable as an object, whichever way it was given. */
function described(name: string, variable: TensorflowVariables[string]): TensorflowVariable {
  if (Array.isArray(variable)) return { shape: variable };
  const tensor = variable as Partial<Tensor> | undefined;
  if (typeof tensor?.dataSync === 'function')
    return { shape: tensor.shape!, init: tensor.dataSync() };
  checkOptions(variable as TensorflowVariable, ['shape', 'init', 'decay'], `variable ${name}`);
  return variable as TensorflowVariable;
}

printed(TensorflowModel, ({ parameters }) =>
  tree(
    'TensorflowModel',
    Object.fromEntries(parameters.map(({ name, shape }) => [name, shape.join(' × ')])),
  ),
);
