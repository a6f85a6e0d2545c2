import { kernels } from '../compute/kernels.js';
import { int32 } from '../compute/memory.js';
import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkOptions, said } from '../options.js';
import { printed } from '../printed.js';
import { Parameter } from './parameter.js';
import { checkLayerName, checkRows, checkWidth, onSharedMemory, Scratch } from './scratch.js';

/** Options of Embedding. */
export interface EmbeddingOptions {
  /** `'fastai'` (default): 0.01·fmod(z, 2), z standard normal. `'pytorch'`: z. */
  init?: 'fastai' | 'pytorch';
  /** Prefix of its parameter's name; default `embedding`. */
  name?: string;
  /** What the vectors are drawn from; without it they are 0, to be loaded. */
  random?: Random;
}

/** Where rows lie in a wider array: `column` is where they start in its rows of `stride` values. */
export interface Columns {
  readonly column: number;
  readonly stride: number;
}

/**
 * A table of vectors, looked up by index. PyTorch's `nn.Embedding`, fastai's `Embedding`. A
 * training step calls `touch`, `forward` and `backward` with the same indices.
 * @example new Embedding(1000, 50, { random: new Random(42) })
 */
export class Embedding {
  /** The vectors, rows × width. */
  readonly weight: Parameter;
  readonly parameters: readonly Parameter[];
  private readonly what: string;
  private indices: Int32Array = int32(0);
  private slots: Int32Array = int32(0);
  private size = 0;
  private readonly room = { out: new Scratch(), gradient: new Scratch() };

  /**
   * @param rows number of vectors
   * @param width length of a vector
   * @param options see EmbeddingOptions
   */
  constructor(
    readonly rows: number,
    readonly width: number,
    options: EmbeddingOptions = {},
  ) {
    checkOptions(options, ['random', 'init', 'name'], 'Embedding');
    const { init = 'fastai', name = 'embedding', random } = options;
    checkLayerName(name);
    this.what = `Embedding ${name}`;
    checkWidth(rows, `${this.what}: rows`);
    checkWidth(width, `${this.what}: width`);
    if (init !== 'fastai' && init !== 'pytorch')
      throw new ArgumentError(
        `${this.what}: init must be 'fastai' or 'pytorch', got '${said(init)}'.`,
      );
    this.weight = new Parameter(`${name}.weight`, [rows, width], { table: true });
    checkArgument(
      random === undefined || random instanceof Random,
      random,
      this.what,
      'random, such as { random: new Random(42) }',
    );
    const draw = random?.child(this.weight.name);
    if (draw && init === 'fastai') initEmbedding(this.weight, draw);
    else if (draw)
      for (let i = 0; i < this.weight.value.length; i++) this.weight.value[i] = draw.normal();
    this.parameters = [this.weight];
  }

  /** Tells the table which rows the step reads. */
  touch(indices: Int32Array, size = indices?.length): void {
    this.check(indices, size);
    this.weight.touch(indices, size);
  }

  /**
   * The vectors of the first `size` indices, one row each: a view, or written into columns of
   * `options.into`, which must be an array of float32(), and returned as that.
   * @throws ArgumentError for an index that is not a row
   */
  forward(
    indices: Int32Array,
    size = indices?.length,
    options?: Columns & { into: Float32Array },
  ): Float32Array {
    this.check(indices, size);
    const { width } = this;
    if (this.indices.length < size) this.indices = int32(size);
    for (let r = 0; r < size; r++) this.indices[r] = indices[r];
    this.size = size;
    const {
      into: out,
      column,
      stride,
    } = options ?? { into: this.room.out.get(size * width), column: 0, stride: width };
    checkRows(out, { size, width: stride, what: `${this.what}: the array to write into` });
    this.checkColumns(column, stride);
    if (!onSharedMemory(out))
      throw new ArgumentError(
        `${this.what}: the array to write into must lie on the shared memory. Make it with float32(n).`,
      );
    kernels().gatherRows(
      size,
      width,
      this.indices.byteOffset,
      this.weight.value.byteOffset,
      out.byteOffset + 4 * column,
      stride,
    );
    return out;
  }

  /**
   * Adds the gradient of each row of the last forward to that of its vector.
   * @param gradient dLoss/dOutput, size × width, or columns of a wider array
   */
  backward(
    gradient: Float32Array,
    { column, stride }: Columns = { column: 0, stride: this.width },
  ): void {
    const { width, indices, size } = this;
    checkRows(gradient, { size, width: stride, what: `${this.what}: the gradient` });
    this.checkColumns(column, stride);
    if (this.slots.length < size) this.slots = int32(size);
    const slots = this.weight.slots!;
    for (let r = 0; r < size; r++) {
      this.slots[r] = slots[indices[r]];
      if (this.slots[r] < 0) {
        throw new ArgumentError(
          `${this.what}: row ${indices[r]} was not touched. Call touch() with the batch's indices before forward().`,
        );
      }
    }
    const d = this.room.gradient.shared(gradient);
    kernels().scatterRows(
      size,
      width,
      this.slots.byteOffset,
      d.byteOffset + 4 * column,
      stride,
      this.weight.grad.byteOffset,
    );
  }

  /** A kernel does not look whether it leaves the rows. */
  private checkColumns(column: number, stride: number): void {
    if (
      Number.isInteger(column) &&
      Number.isInteger(stride) &&
      column >= 0 &&
      column + this.width <= stride
    )
      return;
    throw new ArgumentError(
      `${this.what}: ${this.width} columns from column ${column} on do not lie in rows of ${stride}.`,
    );
  }

  private check(indices: Int32Array, size: number): void {
    checkArgument(indices instanceof Int32Array, indices, this.what, 'row numbers, an Int32Array');
    if (!(Number.isInteger(size) && size >= 0))
      throw new ArgumentError(
        `${this.what}: size must be a whole number of indices, got ${said(size)}.`,
      );
    if (indices.length < size)
      throw new ArgumentError(
        `${this.what}: ${size} indices were expected, got ${indices.length}.`,
      );
    for (let r = 0; r < size; r++) {
      if (!(indices[r] >= 0 && indices[r] < this.rows)) {
        throw new ArgumentError(
          `${this.what}: row ${r} of the batch has index ${indices[r]}; the table has rows 0 to ${this.rows - 1}.`,
        );
      }
    }
  }
}

/**
 * fastai's initial weights of an embedding: 0.01·fmod(z, 2), z standard normal. fmod wraps the
 * tails, so |w| < 0.02.
 */
export function initEmbedding(p: Parameter, random: Random): Parameter {
  for (let i = 0; i < p.value.length; i++) p.value[i] = 0.01 * (random.normal() % 2);
  return p;
}

printed(Embedding, ({ rows, width }) => `Embedding(${rows}, ${width})`);
