import { checkArgument } from '../options.js';
import { printed, tree } from '../printed.js';
import type { Module, StateBuffer } from './module.js';
import type { Parameter } from './parameter.js';

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
