import { float32, SharedBuffer } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, said } from '../options.js';
import { printed, tree } from '../printed.js';
import type { Parameter } from './parameter.js';

/**
 * State of a model that is not learnt by gradients, such as running statistics and step counters.
 * It is saved and restored with the model.
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
    const fits = Array.isArray(modules) && modules.every((m) => typeof m?.forward === 'function');
    const wanted = 'an array of layers, such as [new Linear(4, 1, { random })]';
    checkArgument(fits, modules, 'new Sequential', wanted);
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

const none: Float32Array = new Float32Array(0);

/** Whether an array lies on the shared memory, where kernels reach it. */
export function onSharedMemory(values: Float32Array): boolean {
  return (values.buffer as ArrayBufferLike) instanceof SharedBuffer;
}

/**
 * An array on the shared memory that a layer uses in each call; it grows when a batch is larger
 * than any before.
 */
export class Scratch {
  private all: Float32Array | undefined;
  private view: Float32Array = none;

  /** A view of n values, on the same memory each time; they are what was last written there. */
  get(n: number): Float32Array {
    if (this.view.length !== n) {
      if (!this.all || this.all.length < n) this.all = float32(n);
      this.view = this.all.subarray(0, n);
    }
    return this.view;
  }

  /** The values themselves if they lie on the shared memory, else a copy there. */
  shared(values: Float32Array): Float32Array {
    if (onSharedMemory(values)) return values;
    const copy = this.get(values.length);
    copy.set(values);
    return copy;
  }
}

/** Throws unless these are numbers on which a layer works. */
export function checkFloats(values: Float32Array, what: string): void {
  checkArgument(values instanceof Float32Array, values, what, 'a Float32Array');
}

/**
 * Throws unless `values` holds `size` rows of `width` values.
 * @param options.what names the array, e.g. `Linear layers.0.0: the input`
 */
export function checkRows(
  values: Float32Array,
  { size, width, what }: { size: number; width: number; what: string },
): void {
  checkFloats(values, what);
  if (values.length === size * width && Number.isInteger(size)) return;
  throw new ArgumentError(
    `${what} must hold ${said(size)} rows × ${width} values = ${size * width}, got ${values.length}. Is a layer before it of another width, or the array longer than its rows?`,
  );
}

/**
 * Throws unless `values` holds as many values as the last output.
 * @param what names the array, e.g. `ReLU: the gradient`
 */
export function checkLength(values: Float32Array, n: number, what: string): void {
  checkFloats(values, what);
  if (values.length !== n)
    throw new ArgumentError(
      `${what} must hold ${n} values, as many as the last output, got ${values.length}.`,
    );
}

/** Throws unless a layer's name is a text. */
export function checkLayerName(name: string): void {
  if (typeof name !== 'string')
    throw new ArgumentError(`The name of a layer must be a text, got ${said(name)}.`);
}

/**
 * Throws unless the source of initial weights and masks is a Random.
 * @param of names the layer or model
 */
export function checkRandom(random: unknown, of: string): asserts random is Random {
  checkArgument(random instanceof Random, random, of, 'random, such as { random: new Random(42) }');
}
