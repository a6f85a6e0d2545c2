import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../lib/recital/compute/random.js';
import type { Batch } from '../../lib/recital/data/batches.js';
import { checkGradients } from '../../lib/recital/nn/check-gradients.js';
import { lossGradient, MSELossFlat } from '../../lib/recital/nn/losses.js';
import type { Model } from '../../lib/recital/nn/model.js';
import type { Module } from '../../lib/recital/nn/module.js';
import { Parameter } from '../../lib/recital/nn/parameter.js';
import { expectClose } from './golden.js';

tf.enableProdMode(); // no banner

/** n standard normal numbers. */
export function normals(n: number, seed: number | string): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: n }, () => random.normal());
}

/**
 * A layer as a model whose input is a parameter too, so that a gradient check covers what
 * `backward` returns; every value that comes out is a row.
 */
export function moduleModel(
  module: Module,
  options: { input: Float32Array; size: number },
): Model & { readonly input: Parameter } {
  const input = new Parameter('input', [options.input.length]);
  input.value.set(options.input);
  return {
    input,
    parameters: [input, ...module.parameters],
    buffers: module.buffers,
    outputs: 1,
    touch() {},
    forward: (_, training) => module.forward(input.value, options.size, training),
    backward(gradient) {
      const d = module.backward(gradient);
      for (let i = 0; i < d.length; i++) input.grad[i] += d[i];
    },
  };
}

/** A batch of random targets, for a layer that makes n values. */
export function targetsFor(n: number): Batch {
  return { size: n, inputs: [], targets: normals(n, 'targets'), rows: new Int32Array(n) };
}

/** Remembers values that are written in place; the function that comes back restores them. */
export function remember(kept: readonly { readonly value: Float32Array }[]): () => void {
  const values = kept.map((k) => k.value.slice());
  return () => {
    for (const [i, { value }] of kept.entries()) value.set(values[i]);
  };
}

/** What TensorFlow.js computes from the input and the parameters of a layer, in this order. */
export type TensorFunction = (x: tf.Tensor2D, ...parameters: tf.Tensor[]) => tf.Tensor;

/**
 * Checks a layer against TensorFlow.js: output, gradient of the input and of every parameter, in
 * training; and its gradients against central differences.
 * @param reference the same function in TensorFlow.js
 */
export function expectModule(
  module: Module,
  options: { input: Float32Array; size: number; reference: TensorFunction },
): void {
  const { input, size, reference } = options;
  const restore = remember(module.buffers);
  const model = moduleModel(module, { input, size });
  const out = module.forward(model.input.value, size, true).slice();
  const batch = targetsFor(out.length);
  const gradient = new Float32Array(out.length);
  lossGradient(new MSELossFlat(), { ...batch, pred: out }, { out: gradient });
  model.backward(gradient);
  const tensors = model.parameters.map((p, i) =>
    tf.tensor(p.value.slice(), i === 0 ? [size, input.length / size] : [...p.shape]),
  );
  const loss = (...inputs: tf.Tensor[]): tf.Scalar => {
    const y = tf.reshape(reference(inputs[0] as tf.Tensor2D, ...inputs.slice(1)), [-1]);
    return tf.mean(tf.squaredDifference(y, tf.tensor1d(batch.targets))) as tf.Scalar;
  };
  expectClose(
    out,
    reference(tensors[0] as tf.Tensor2D, ...tensors.slice(1)).dataSync(),
    2e-5,
    'output',
  );
  tf.grads(loss)(tensors).forEach((grad, i) => {
    expectClose(
      model.parameters[i].grad,
      grad.dataSync(),
      2e-5,
      `gradient of ${model.parameters[i].name}`,
    );
  });
  restore();
  checkGradients(model, batch, { samples: Infinity });
}
