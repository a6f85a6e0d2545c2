import type { Tensor } from '@tensorflow/tfjs-core';
import type { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { initEmbedding } from '../nn/embedding.js';
import { Parameter } from '../nn/parameter.js';
import { checkOptions, whatIs } from '../options.js';

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

/**
 * The parameters that hold the values of variables. Each draws from a child of its name, so that
 * another variable does not change its start.
 */
export function parametersOf(variables: TensorflowVariables, random: Random): Parameter[] {
  const wanted =
    'variables by name, each as its shape or { shape, init }, such as { U: [100, 5], b: { shape: [100], init: 0 } }';
  if (typeof variables !== 'object' || variables === null || Array.isArray(variables)) {
    throw new ArgumentError(`tensorflowModel needs ${wanted}; got ${whatIs(variables)}.`);
  }
  const names = Object.keys(variables);
  if (!names.length)
    throw new ArgumentError(
      `tensorflowModel needs ${wanted}; there is none, so nothing could be learnt.`,
    );
  return names.map((name) => parameterOf(name, variables[name], random.child(name)));
}

function parameterOf(
  name: string,
  variable: TensorflowVariables[string],
  random: Random,
): Parameter {
  const { shape, init, decay = true } = described(name, variable);
  if (!Array.isArray(shape))
    throw new ArgumentError(
      `Variable ${name} needs a shape, such as [100, 5], got ${whatIs(shape)}.`,
    );
  const p = new Parameter(name, [...(shape as readonly number[])], { decay });
  if (init === undefined) return initEmbedding(p, random);
  fill(p, init, random);
  const bad = p.value.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0)
    throw new ArgumentError(
      `Variable ${name} starts with ${p.value[bad]} at place ${bad}: finite numbers were expected.`,
    );
  return p;
}

function described(name: string, variable: TensorflowVariables[string]): TensorflowVariable {
  if (isShape(variable)) return { shape: variable };
  if (isTensor(variable)) return { shape: variable.shape, init: variable.dataSync() };
  checkOptions(variable, ['shape', 'init', 'decay'], `variable ${name}`);
  return variable;
}

function isShape(variable: TensorflowVariables[string]): variable is readonly number[] {
  return Array.isArray(variable);
}

function isTensor(variable: TensorflowVariable | Tensor): variable is Tensor {
  return typeof (variable as Partial<Tensor> | undefined)?.dataSync === 'function';
}

function fill(p: Parameter, init: NonNullable<TensorflowVariable['init']>, random: Random): void {
  const { value } = p;
  if (typeof init === 'number') value.fill(init);
  else if (typeof init === 'function')
    for (let i = 0; i < value.length; i++) value[i] = init(random);
  else if (init?.length === value.length) value.set(init);
  else {
    const got =
      typeof init === 'object' && init !== null && 'length' in init
        ? `${init.length} values`
        : whatIs(init);
    throw new ArgumentError(
      `Variable ${p.name} needs as init a number, ${p.shape.join(' × ')} = ${value.length} numbers, or a function that draws one; got ${got}.`,
    );
  }
}
