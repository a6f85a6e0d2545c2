import { zero } from '../compute/matmul.js';
import { dispose, float32, int32 } from '../compute/memory.js';
import type { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, given } from '../options.js';
import { printed } from '../printed.js';

const DEFAULTS = { decay: true, table: false, norm: false };

/**
 * A tensor that is learnt: its value and gradient, row-major float32 on the shared memory.
 *
 * A dense parameter has a gradient of its own shape. A **table** (an embedding: rows looked up by
 * index) has gradients for the rows of the current batch only: `touch(rows)` gives each distinct
 * row a slot, `grad` holds the slots one after the other, and every other row's gradient is zero.
 * @example
 * const w = new Parameter('w', [2, 3]);
 * w.value.fill(0.1);
 */
export class Parameter {
  /** The weights. A view on shared memory: copy what is to be kept. */
  readonly value: Float32Array;
  /** Gradients: of the whole value, or of the touched rows (a table). */
  grad: Float32Array;
  /** Values in a row of a table; 1 for a dense parameter. */
  readonly width: number;
  /** The slot of each row in `grad`, −1 for none; undefined for a dense parameter. */
  readonly slots: Int32Array | undefined;
  /** Rows that have a gradient, in the order of their slots: the first `touchedCount`. */
  touched: Int32Array;
  /** Number of rows that have a gradient. */
  touchedCount = 0;
  /** Whether the optimizer changes it: see Learner.freeze. */
  trainable = true;

  /** Whether weight decay applies. */
  readonly decay: boolean;
  /** Whether it belongs to batch norm. */
  readonly norm: boolean;

  /**
   * @param name unique in its model, e.g. `uWeight`
   * @param shape sizes of its dimensions; a table is [rows, width]
   * @param options.decay whether weight decay applies (default true; fastai spares batch norm and
   *   the biases of linear layers); `table`: an embedding; `norm`: a weight or bias of batch norm,
   *   which is trained even in a frozen group (fastai's `train_bn`)
   */
  constructor(
    readonly name: string,
    readonly shape: readonly number[],
    options: Partial<typeof DEFAULTS> = {},
  ) {
    const { decay, table, norm } = given(DEFAULTS, options, 'Parameter');
    const wanted = "a name, such as 'layers.0.weight'";
    checkArgument(typeof name === 'string', name, 'A parameter', wanted);
    checkArgument(Array.isArray(shape), shape, `Parameter ${name}`, 'its sizes, such as [10, 5]');
    if (!shape.length || !shape.every((d) => Number.isInteger(d) && d > 0))
      throw new ArgumentError(
        `Parameter ${name} needs positive whole sizes, got [${shape.join(', ')}].`,
      );
    const size = shape.reduce((a, b) => a * b, 1);
    this.decay = decay;
    this.norm = norm;
    this.value = float32(size);
    this.width = table ? size / shape[0] : 1;
    this.slots = table ? int32(shape[0]).fill(-1) : undefined;
    this.grad = float32(table ? this.width : size);
    this.touched = new Int32Array(table ? 1 : 0);
  }

  /**
   * Gives each distinct row of `rows` (its first n entries) a slot with zero gradient. Rows touched
   * before are kept.
   * @throws ArgumentError for a row that the table does not have; nothing is touched then
   */
  touch(rows: Int32Array, n = rows.length): void {
    const { slots, width } = this;
    if (!slots)
      throw new ArgumentError(`Parameter ${this.name} is not a table: it has no rows to touch.`);
    if (!(Number.isInteger(n) && n >= 0 && n <= rows.length))
      throw new ArgumentError(`${n} rows cannot be touched; there are ${rows.length}.`);
    this.reserve(this.touchedCount + n);
    const { touched, grad } = this;
    let count = this.touchedCount;
    for (let j = 0; j < n; j++) {
      const row = rows[j];
      const slot = slots[row];
      if (slot >= 0) continue;
      if (slot === undefined) throw this.noRow(row, touched.subarray(this.touchedCount, count));
      slots[row] = count;
      touched[count++] = row;
    }
    grad.fill(0, this.touchedCount * width, count * width);
    this.touchedCount = count;
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    const { slots, touched } = this;
    if (!slots) {
      zero(this.grad);
      return;
    }
    for (let j = 0; j < this.touchedCount; j++) slots[touched[j]] = -1;
    this.touchedCount = 0;
  }

  /** Number of gradient values in use: all, or those of the touched rows. */
  get gradSize(): number {
    return this.slots ? this.touchedCount * this.width : this.grad.length;
  }

  private noRow(row: number, touched: Int32Array): ArgumentError {
    for (const r of touched) this.slots![r] = -1;
    return new ArgumentError(
      `Parameter ${this.name} has rows 0 to ${this.shape[0] - 1}, so row ${row} cannot be touched.`,
    );
  }

  private reserve(rows: number): void {
    if (rows <= this.touched.length) return;
    const room = Math.min(this.shape[0], Math.max(rows, 2 * this.touched.length));
    if (room <= this.touched.length) return;
    const touched = new Int32Array(room);
    touched.set(this.touched);
    const grad = float32(room * this.width);
    grad.set(this.grad.subarray(0, this.touchedCount * this.width));
    dispose(this.grad);
    this.touched = touched;
    this.grad = grad;
  }
}

/** Initial weights uniform in ±1/√inputs, PyTorch's for linear and recurrent layers. */
export function initUniform(p: Parameter, inputs: number, random: Random): Parameter {
  const draw = random.child(p.name);
  for (let i = 0; i < p.value.length; i++)
    p.value[i] = (2 * draw.uniform() - 1) / Math.sqrt(inputs);
  return p;
}

printed(Parameter, ({ name, shape, value, trainable }) => {
  const mean = value.reduce((sum, x) => sum + x, 0) / value.length;
  const variance = value.reduce((sum, x) => sum + (x - mean) ** 2, 0) / value.length;
  const statistics = `mean ${mean.toPrecision(3)}, std ${Math.sqrt(variance).toPrecision(3)}`;
  return `Parameter ${name}: ${shape.join(' × ')}, ${statistics}${trainable ? '' : ', frozen'}`;
});
