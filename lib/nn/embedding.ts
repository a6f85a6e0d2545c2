import type { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { Parameter } from './parameter.js';
import { checkRows, checkWidth, Scratch } from './scratch.js';

/** Options of Embedding. */
export interface EmbeddingOptions {
  /** `'fastai'` (default): 0.01·fmod(z, 2), z standard normal. `'pytorch'`: z. */
  init?: 'fastai' | 'pytorch';
  /** Prefix of its parameter's name; default `embedding`. */
  name?: string;
  /** What the vectors are drawn from. */
  random: Random;
}

/** Where rows lie in a wider array: `column` is where they start in its rows of `stride` values. */
export interface Columns {
  readonly column: number;
  readonly stride: number;
}

/**
 * A table of vectors, looked up by index. PyTorch's `nn.Embedding`, fastai's `Embedding`. A training step calls `touch`, `forward` and `backward` with
 * the same indices.
 * @example new Embedding(1000, 50, { random: new Random(42) })
 */
export class Embedding {
  /** The vectors, rows × width. */
  readonly weight: Parameter;
  readonly parameters: readonly Parameter[];
  private readonly what: string;
  private indices = new Int32Array(0);
  private size = 0;
  private readonly room = new Scratch();

  /**
   * @param rows number of vectors
   * @param width length of a vector
   * @param options see EmbeddingOptions
   */
  constructor(
    readonly rows: number,
    readonly width: number,
    { init = 'fastai', name = 'embedding', random }: EmbeddingOptions,
  ) {
    this.what = `Embedding ${name}`;
    checkWidth(rows, `${this.what}: rows`);
    checkWidth(width, `${this.what}: width`);
    if (init !== 'fastai' && init !== 'pytorch') throw new ArgumentError(`${this.what}: init must be 'fastai' or 'pytorch', got '${init}'.`);
    this.weight = new Parameter(`${name}.weight`, [rows, width], {
      table: true,
    });
    const draw = random.child(this.weight.name);
    if (init === 'fastai') initEmbedding(this.weight, draw);
    else for (let i = 0; i < this.weight.value.length; i++) this.weight.value[i] = draw.normal();
    this.parameters = [this.weight];
  }

  /** Tells the table which rows the step reads. */
  touch(indices: Int32Array, size = indices.length): void {
    this.check(indices, size);
    this.weight.touch(indices, size);
  }

  /**
   * The vectors of the first `size` indices, one row each: a view, or written into columns of `options.into` and returned as that.
   * @throws ArgumentError for an index that is not a row
   */
  forward(indices: Int32Array, size = indices.length, options?: Columns & { into: Float32Array }): Float32Array {
    this.check(indices, size);
    const { width } = this;
    if (this.indices.length < size) this.indices = new Int32Array(size);
    for (let r = 0; r < size; r++) this.indices[r] = indices[r];
    this.size = size;
    const {
      into: out,
      column,
      stride,
    } = options ?? {
      into: this.room.get(size * width),
      column: 0,
      stride: width,
    };
    checkRows(out, {
      size,
      width: stride,
      what: `${this.what}: the array to write into`,
    });
    const { value } = this.weight;
    for (let r = 0, o = column; r < size; r++, o += stride) {
      for (let c = 0, i = indices[r] * width; c < width; c++) out[o + c] = value[i + c];
    }
    return out;
  }

  /**
   * Adds the gradient of each row of the last forward to that of its vector.
   * @param gradient dLoss/dOutput, size × width, or columns of a wider array
   */
  backward(gradient: Float32Array, { column, stride }: Columns = { column: 0, stride: this.width }): void {
    const { width, indices, size } = this;
    checkRows(gradient, {
      size,
      width: stride,
      what: `${this.what}: the gradient`,
    });
    const { grad, slots } = this.weight;
    for (let r = 0, o = column; r < size; r++, o += stride) {
      const slot = slots![indices[r]];
      if (slot < 0)
        throw new ArgumentError(`${this.what}: row ${indices[r]} was not touched. Call touch() with the batch's indices before forward().`);
      for (let c = 0, i = slot * width; c < width; c++) grad[i + c] += gradient[o + c];
    }
  }

  private check(indices: Int32Array, size: number): void {
    if (indices.length < size) throw new ArgumentError(`${this.what}: ${size} indices were expected, got ${indices.length}.`);
    for (let r = 0; r < size; r++) {
      if (!(indices[r] >= 0 && indices[r] < this.rows)) {
        throw new ArgumentError(`${this.what}: row ${r} of the batch has index ${indices[r]}; the table has rows 0 to ${this.rows - 1}.`);
      }
    }
  }
}

/** fastai's initial weights of an embedding: 0.01·fmod(z, 2), z standard normal. fmod wraps the tails, so |w| < 0.02. */
export function initEmbedding(p: Parameter, random: Random): Parameter {
  for (let i = 0; i < p.value.length; i++) p.value[i] = 0.01 * (random.normal() % 2);
  return p;
}
