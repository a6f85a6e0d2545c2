import type { Batch } from '../data/batch.js';
import { ArgumentError } from '../errors.js';
import { whatIs } from '../options.js';
import type { Model } from './model.js';
import type { Parameter } from './parameter.js';

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
