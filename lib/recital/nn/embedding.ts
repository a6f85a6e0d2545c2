import { kernels } from '../compute/kernels.js';
import { int32 } from '../compute/memory.js';
import type { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkCount, checkOneOf, given, said } from '../options.js';
import { printed } from '../printed.js';
import { checkLayerName, checkRandom, checkRows, onSharedMemory, Scratch } from './module.js';
import { Parameter } from './parameter.js';

const DEFAULTS = {
  /** Source of the initial vectors; without it they are 0, to be loaded. */
  random: undefined as Random | undefined,
  /** `'fastai'` (default): 0.01·fmod(z, 2), z standard normal. `'pytorch'`: z. */
  init: 'fastai' as 'fastai' | 'pytorch',
  /** Prefix of its parameter's name. */
  name: 'embedding',
};

/** Options of Embedding. */
export type EmbeddingOptions = Partial<typeof DEFAULTS>;

/** Columns of a wider array, whose rows have `stride` values: they start at `column`. */
export interface Columns {
  /** The first of the columns, from 0. */
  readonly column: number;
  /** Values in a row of the wider array. */
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
  /** The vectors, its one parameter. */
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
    const { init, name, random } = given(DEFAULTS, options, 'Embedding');
    checkLayerName(name);
    this.what = `Embedding ${name}`;
    checkCount(rows, `${this.what}: rows`);
    checkCount(width, `${this.what}: width`);
    checkOneOf(init, ['fastai', 'pytorch'], `${this.what}: init`);
    this.weight = new Parameter(`${name}.weight`, [rows, width], { table: true });
    if (random !== undefined) checkRandom(random, this.what);
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
   * The vectors of the first `size` indices, one row each: a view, or `options.into`, an array of
   * float32(), after they were written into its columns.
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
    gatherRows(this.indices, this.weight.value, out, { size, width, column, stride });
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
      if (this.slots[r] < 0) throw untouched(this.what, indices[r]);
    }
    const d = this.room.gradient.shared(gradient);
    scatterRows(this.slots, d, this.weight.grad, { size, width, column, stride });
  }

  /** Throws unless the columns lie within the rows: a kernel does not check that. */
  private checkColumns(column: number, stride: number): void {
    const whole = Number.isInteger(column) && Number.isInteger(stride);
    if (whole && column >= 0 && column + this.width <= stride) return;
    throw new ArgumentError(
      `${this.what}: ${this.width} columns from column ${column} on do not lie in rows of ${stride}.`,
    );
  }

  private check(indices: Int32Array, size: number): void {
    checkArgument(indices instanceof Int32Array, indices, this.what, 'row numbers, an Int32Array');
    if (!(Number.isInteger(size) && size >= 0 && size <= indices.length))
      throw new ArgumentError(
        `${this.what}: ${said(size)} indices were expected, got ${indices.length}; size must be a whole number.`,
      );
    for (let r = 0; r < size; r++)
      if (!(indices[r] >= 0 && indices[r] < this.rows))
        throw new ArgumentError(
          `${this.what}: row ${r} of the batch has index ${indices[r]}; the table has rows 0 to ${this.rows - 1}.`,
        );
  }
}

/** Rows of `width` values, in columns of a wider array unless `stride` is left out. */
interface Rows {
  readonly size: number;
  readonly width: number;
  readonly column?: number;
  readonly stride?: number;
}

/** out[r] = table[indices[r]] for the first `size` rows, on the shared memory. */
export function gatherRows(
  indices: Int32Array,
  table: Float32Array,
  out: Float32Array,
  { size, width, column = 0, stride = width }: Rows,
): void {
  const to = out.byteOffset + 4 * column;
  kernels().gatherRows(size, width, indices.byteOffset, table.byteOffset, to, stride);
}

/** table[indices[r]] += rows[r] for the first `size` rows, on the shared memory. */
export function scatterRows(
  indices: Int32Array,
  rows: Float32Array,
  table: Float32Array,
  { size, width, column = 0, stride = width }: Rows,
): void {
  const from = rows.byteOffset + 4 * column;
  kernels().scatterRows(size, width, indices.byteOffset, from, stride, table.byteOffset);
}

/** The error for a row without gradient: a kernel would write beside the gradients. */
export function untouched(table: string, row: number): ArgumentError {
  return new ArgumentError(
    `${table}: row ${row} was not touched, so it has no gradient. Call touch() with the batch before forward().`,
  );
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
