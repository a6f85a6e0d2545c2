import { checkArgument } from '../options.js';
import { printed, tree } from '../printed.js';
import type { Parameter } from './parameter.js';

/**
 * State of a model that is not learnt by gradients, such as running statistics and step counters. It
 * is saved and restored with the model.
 */
export interface StateBuffer {
  /** Unique in its model, e.g. `layers.0.2.running_mean` (PyTorch's names). */
  readonly name: string;
  /** The values: written in place. */
  readonly value: Float32Array;
}

/**
 * A layer: a function of rows of numbers, with a hand-written derivative. Its arrays hold exactly
 * their rows, row-major. An output is a view, valid until the layer's next call; inputs are never
 * changed, and need not lie on the shared memory (`float32()`): if not, they are copied.
 */
export interface Module {
  /** Its parameters, in PyTorch's order. */
  readonly parameters: readonly Parameter[];
  /** Its further state. */
  readonly buffers: readonly StateBuffer[];
  /**
   * The output rows.
   * @param input `size` rows
   * @param size number of rows
   * @param training whether dropout and batch statistics are in force
   */
  forward(input: Float32Array, size: number, training: boolean): Float32Array;
  /**
   * Adds the gradients of the parameters, and returns dLoss/dInput.
   * @param gradient dLoss/dOutput of the last forward, of its shape
   */
  backward(gradient: Float32Array): Float32Array;
}

/**
 * Layers one after the other; PyTorch's `nn.Sequential`.
 * @example
 * const random = new Random(42);
 * new Sequential([new Linear(4, 8, { random }), new ReLU(), new Linear(8, 1, { random })])
 */
export class Sequential implements Module {
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly StateBuffer[];

  /** @param modules the layers, the first one first */
  constructor(readonly modules: readonly Module[]) {
    checkArgument(
      Array.isArray(modules) && modules.every((m) => typeof m?.forward === 'function'),
      modules,
      'new Sequential',
      'an array of layers, such as [new Linear(4, 1, { random })]',
    );
    this.parameters = modules.flatMap((m) => m.parameters);
    this.buffers = modules.flatMap((m) => m.buffers);
  }

  forward(input: Float32Array, size: number, training: boolean): Float32Array {
    let x = input;
    for (const module of this.modules) x = module.forward(x, size, training);
    return x;
  }

  backward(gradient: Float32Array): Float32Array {
    let d = gradient;
    for (let i = this.modules.length - 1; i >= 0; i--) d = this.modules[i].backward(d);
    return d;
  }
}

printed(Sequential, ({ modules }) => tree('Sequential', { ...modules }));
