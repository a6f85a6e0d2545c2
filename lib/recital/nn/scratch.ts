import { float32 } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, said } from '../options.js';

const none: Float32Array = new Float32Array(0);

/** Whether an array lies on the shared memory, where kernels reach it. */
export function onSharedMemory(values: Float32Array): boolean {
  return (values.buffer as ArrayBufferLike) instanceof SharedArrayBuffer;
}

/**
 * An array on the shared memory that a layer uses in each call; it grows when a batch is larger than
 * any before.
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
