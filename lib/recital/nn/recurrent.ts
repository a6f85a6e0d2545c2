import { addColumnSums, matmul, matmulScratch } from '../compute/matmul.js';
import { int32 } from '../compute/memory.js';
import type { Random } from '../compute/random.js';
import { parallel } from '../compute/threads.js';
import { ArgumentError } from '../errors.js';
import { checkCount, given } from '../options.js';
import { checkProbability, Dropout } from './dropout.js';
import { addWeightGradient, affine, inputGradient } from './linear.js';
import { checkRandom, checkRows, Scratch, type StateBuffer } from './module.js';
import { initUniform, Parameter } from './parameter.js';

/**
 * Sequences of different lengths, laid out so that no padding is computed: PyTorch's
 * `pack_padded_sequence`. The rows of the batch are sorted by length, the longest first; then come
 * all first items, all second items, and so on. Position t has sizes[t] rows, and they are the
 * first ones.
 *
 * @example
 * const packed = new PackedSequences(Int32Array.of(1, 3, 2), { steps: 3 });
 * packed.total; // 6
 * [...packed.order]; // [1, 2, 0]
 * [...packed.sizes]; // [3, 2, 1]
 */
export class PackedSequences {
  /** Sequences. */
  readonly size: number;
  /** Positions: the length of the longest sequence. */
  readonly steps: number;
  /** Items of all sequences. */
  readonly total: number;
  /** The number in the batch of each packed row. */
  readonly order: Int32Array;
  /** Rows that have an item at position t; on the shared memory. */
  readonly sizes: Int32Array;
  /** Index of the first item of position t. */
  readonly starts: Int32Array;
  /** Index of the last item of each sequence of the batch. */
  readonly last: Int32Array;

  /**
   * @param lengths length of each sequence, 1 … steps
   * @param options.steps the largest length that is possible; `size`: number of rows, default all;
   *   `room`: an array of int32() for `sizes`, of `steps` numbers, to be used for batch after batch
   * @throws ArgumentError for a length that is out of range
   */
  constructor(
    readonly lengths: Int32Array,
    options: { steps: number; size?: number; room?: Int32Array },
  ) {
    const { steps: most, size = lengths.length, room } = options;
    if (!(Number.isInteger(size) && size >= 1 && size <= lengths.length))
      throw new ArgumentError(
        `A batch of sequences needs at least one row and a length for each: ${size} rows, ${lengths.length} lengths.`,
      );
    let steps = 0;
    let total = 0;
    for (let r = 0; r < size; r++) {
      const n = lengths[r];
      if (!(n >= 1 && n <= most))
        throw new ArgumentError(
          `Row ${r} of the batch has length ${n}; lengths are 1 to ${most}. Leave empty sequences out.`,
        );
      if (n > steps) steps = n;
      total += n;
    }
    this.size = size;
    this.steps = steps;
    this.total = total;
    this.sizes = room ? room.subarray(0, steps).fill(0) : int32(steps);
    for (let r = 0; r < size; r++) this.sizes[lengths[r] - 1]++; // how many end there, then how many reach it
    for (let t = steps - 2; t >= 0; t--) this.sizes[t] += this.sizes[t + 1];
    this.starts = new Int32Array(steps);
    for (let t = 1; t < steps; t++) this.starts[t] = this.starts[t - 1] + this.sizes[t - 1];
    this.order = new Int32Array(size);
    this.last = new Int32Array(size);
    const next = Int32Array.from(this.sizes, (_, t) => this.sizes[t + 1] ?? 0); // after the longer ones
    for (let r = 0; r < size; r++) {
      const t = lengths[r] - 1;
      const at = next[t]++;
      this.order[at] = r;
      this.last[r] = this.starts[t] + at;
    }
  }

  /**
   * The items of an array of size × room values, packed; items beyond a row's length are not read.
   * @param items row-major, `room` values a row
   * @param options `out`: the array to write them into; default: a new one
   */
  pack(
    items: Int32Array,
    { room, out = new Int32Array(this.total) }: { room: number; out?: Int32Array },
  ): Int32Array {
    const { steps, sizes, starts, order } = this;
    for (let t = 0; t < steps; t++)
      for (let r = 0; r < sizes[t]; r++) out[starts[t] + r] = items[order[r] * room + t];
    return out;
  }
}

const DEFAULTS = {
  /** Number of layers, each on the states of the one before. */
  numLayers: 1,
  /** Probability of dropout between layers, not after the last. */
  dropout: 0,
  /** Put before its parameters' names with a dot; default none: `weight_ih_l0` … */
  name: '',
  /** Source of initial weights and dropout masks. */
  random: undefined as Random | undefined,
};

/** Options of LSTM and GRU. */
export type RecurrentOptions = Partial<typeof DEFAULTS> & { random: Random };

/**
 * Layers of recurrent cells over packed sequences, with forward and backward through time. The
 * states of a sequence do not depend on the other sequences of the batch or the number of threads.
 */
export abstract class Recurrent {
  /** Weights and biases of all layers. */
  readonly parameters: readonly Parameter[];
  /** The states of its random numbers, which a resumed run needs. */
  readonly buffers: readonly StateBuffer[];
  /** Number of layers. */
  readonly numLayers: number;
  private readonly layers: readonly RecurrentLayer[];
  private readonly drops: readonly Dropout[];

  /**
   * @param type the name that is printed
   * @param Layer the class of one layer
   */
  protected constructor(
    private readonly type: string,
    /** Values of an input. */
    readonly inputSize: number,
    /** Values of a state. */
    readonly hiddenSize: number,
    options: RecurrentOptions,
    Layer: new (inputSize: number, hiddenSize: number, options: LayerOptions) => RecurrentLayer,
  ) {
    const { numLayers, dropout, name, random } = given(DEFAULTS, options, type);
    checkRandom(random, type);
    checkProbability(dropout);
    const what = name ? `${type} ${name}` : type;
    for (const [name, n] of Object.entries({ inputSize, hiddenSize, numLayers }))
      checkCount(n, `${what}: ${name}`);
    if (dropout > 0 && numLayers === 1)
      throw new ArgumentError(
        `${what}: dropout lies between layers, and there is one layer only. Leave it out, or give numLayers: 2.`,
      );
    this.numLayers = numLayers;
    const prefix = name ? `${name}.` : '';
    this.layers = Array.from({ length: numLayers }, (_, layer) => {
      const inputs = layer ? hiddenSize : inputSize;
      return new Layer(inputs, hiddenSize, { prefix, layer, random });
    });
    this.drops = this.layers.slice(1).map((_, i) => {
      return new Dropout(dropout, { name: `${prefix}dropout_l${i}`, random });
    });
    this.parameters = this.layers.flatMap((layer) => layer.parameters);
    this.buffers = this.drops.flatMap((drop) => drop.buffers);
  }

  /**
   * The states of the last layer at every position, total × hiddenSize, packed: a view, valid until
   * the next call.
   * @param input packed.total × inputSize, packed
   * @param packed lengths and order of the sequences
   * @param training whether dropout is in force
   */
  forward(input: Float32Array, packed: PackedSequences, training: boolean): Float32Array {
    return this.layers.reduce((x, layer, i) => {
      const dropped = i ? this.drops[i - 1].forward(x, packed.total, training) : x;
      return layer.forward(dropped, packed);
    }, input);
  }

  /**
   * Adds the gradients of all weights, and returns dLoss/dInput, packed.
   * @param gradient dLoss/dState of the last layer at every position of the last forward
   */
  backward(gradient: Float32Array): Float32Array {
    return this.layers.reduceRight((d, layer, i) => {
      const below = layer.backward(d);
      return i ? this.drops[i - 1].backward(below) : below;
    }, gradient);
  }

  /** As PyTorch prints it: `LSTM(50, 100, num_layers=2, batch_first=True)`. */
  toString(): string {
    const { inputSize, hiddenSize, numLayers, drops } = this;
    const more = numLayers > 1 ? [`num_layers=${numLayers}`] : [];
    const dropout = drops[0]?.p > 0 ? [`dropout=${drops[0].p}`] : [];
    const parts = [inputSize, hiddenSize, ...more, 'batch_first=True', ...dropout];
    return `${this.type}(${parts.join(', ')})`;
  }
}

/** Options of a recurrent layer. */
interface LayerOptions {
  /** Put before its parameters' names: '' or `lstm.`. */
  readonly prefix: string;
  /** Number of the layer, in its parameters' names. */
  readonly layer: number;
  readonly random: Random;
}

/**
 * Base class of an LSTM's and a GRU's layer: the weights, the inputs' part of the gates (one
 * product for all positions), and the gradients of all weights (one product for all positions). The
 * step from one position to the next is the subclass's.
 */
abstract class RecurrentLayer {
  /** Weights of the inputs, gates·hidden × inputs. */
  readonly weightIh: Parameter;
  /** Weights of the state before, gates·hidden × hidden. */
  readonly weightHh: Parameter;
  readonly biasIh: Parameter;
  readonly biasHh: Parameter;
  readonly parameters: readonly Parameter[];
  protected input: Float32Array = new Float32Array(0);
  protected packed!: PackedSequences;
  protected readonly room = {
    input: new Scratch(),
    gates: new Scratch(),
    hidden: new Scratch(),
    before: new Scratch(),
    gradient: new Scratch(),
    inputGradient: new Scratch(),
  };
  /** Values of all gates at a position. */
  private readonly width: number;
  private readonly what: string;

  constructor(
    gates: number,
    readonly inputSize: number,
    readonly hiddenSize: number,
    { prefix, layer, random }: LayerOptions,
  ) {
    this.what = `Recurrent layer ${prefix}l${layer}`;
    this.width = gates * hiddenSize;
    const parameter = (name: string, ...shape: number[]): Parameter =>
      initUniform(new Parameter(`${prefix}${name}_l${layer}`, shape), hiddenSize, random);
    this.weightIh = parameter('weight_ih', this.width, inputSize);
    this.weightHh = parameter('weight_hh', this.width, hiddenSize);
    this.biasIh = parameter('bias_ih', this.width);
    this.biasHh = parameter('bias_hh', this.width);
    this.parameters = [this.weightIh, this.weightHh, this.biasIh, this.biasHh];
  }

  /** The state at every position, total × hidden: a view, valid until the next call. */
  forward(input: Float32Array, packed: PackedSequences): Float32Array {
    const { inputSize: inputs, hiddenSize, width: outputs } = this;
    checkRows(input, { size: packed.total, width: inputs, what: `${this.what}: the input` });
    this.packed = packed;
    this.input = this.room.input.shared(input);
    const z = this.room.gates.get(packed.total * outputs);
    affine(this.input, this.weightIh.value, z, { inputs, outputs, bias: this.inputBias() });
    const h = this.room.hidden.get(packed.total * hiddenSize);
    this.cellForward(z, h);
    return h;
  }

  /**
   * Adds the gradients of the weights, and returns dLoss/dInput.
   * @param gradient dLoss/dState at every position
   */
  backward(gradient: Float32Array): Float32Array {
    const { inputSize: inputs, hiddenSize, width, packed } = this;
    const { total } = packed;
    checkRows(gradient, { size: total, width: hiddenSize, what: `${this.what}: the gradient` });
    const dh = this.room.gradient.get(gradient.length);
    dh.set(gradient); // the gradient that comes back through time is added to it
    const z = this.room.gates.get(total * width);
    const u = this.cellBackward(z, dh);
    addWeightGradient(z, this.input, this.weightIh.grad, { inputs, outputs: width });
    const first = packed.sizes[0];
    if (total > first) {
      matmul(
        { m: width, n: hiddenSize, k: total - first },
        {
          a: { values: u, offset: first * width, rowStride: 1, columnStride: width },
          b: { values: this.statesBefore(), rowStride: hiddenSize },
          c: { values: this.weightHh.grad, rowStride: hiddenSize },
          add: true,
        },
      );
    }
    addColumnSums(z, total, this.biasIh.grad);
    addColumnSums(u, total, this.biasHh.grad);
    const out = this.room.inputGradient.get(total * inputs);
    inputGradient(z, this.weightIh.value, out, { inputs, outputs: width });
    return out;
  }

  /** The bias that is added to the gates at every position. */
  protected abstract inputBias(): Float32Array;
  /** Computes the states h from the inputs' part z of the gates. */
  protected abstract cellForward(z: Float32Array, h: Float32Array): void;
  /**
   * Replaces z by the gradient of the gates with respect to the inputs' part, and returns that with
   * respect to the part of the states before.
   */
  protected abstract cellBackward(z: Float32Array, dh: Float32Array): Float32Array;

  /** Runs a kernel over the sequences of the batch. */
  protected run(
    kernel: 'lstmForward' | 'lstmBackward' | 'gruForward' | 'gruBackward',
    arrays: readonly Float32Array[],
  ): void {
    const { packed, hiddenSize } = this;
    const addresses = [packed.sizes, ...arrays].map((array) => array.byteOffset);
    const args = [packed.steps, hiddenSize, ...addresses, matmulScratch()];
    parallel(kernel, packed.size, args, { grain: 4 });
  }

  /** The state before each position except the first ones. */
  private statesBefore(): Float32Array {
    const { hiddenSize, packed } = this;
    const { total, steps, sizes, starts } = packed;
    const h = this.room.hidden.get(total * hiddenSize);
    if (sizes[steps - 1] === sizes[0]) return h; // equal lengths: they lie one position earlier
    const before = this.room.before.get((total - sizes[0]) * hiddenSize);
    for (let t = 1; t < steps; t++) {
      const from = starts[t - 1] * hiddenSize;
      const states = h.subarray(from, from + sizes[t] * hiddenSize);
      before.set(states, (starts[t] - sizes[0]) * hiddenSize);
    }
    return before;
  }
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997), PyTorch's
 * `nn.LSTM(inputSize, hiddenSize, numLayers, dropout)`. At each position, with the state h' and the
 * cell c' of the one before (0 at first),
 *
 *     i, f, o = σ(W_ih·x + b_ih + W_hh·h' + b_hh)    g = tanh(…)    c = f·c' + i·g    h = o·tanh c
 *
 * Weights hold the blocks i, f, g, o one below the other, and start uniform in ±1/√hiddenSize,
 * biases too. Weight decay applies to all of them, as in fastai.
 * @example new LSTM(50, 100, { numLayers: 2, dropout: 0.2, random: new Random(42) })
 */
export class LSTM extends Recurrent {
  /**
   * @param inputSize values of an item
   * @param hiddenSize values of a state
   * @param options see RecurrentOptions
   */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super('LSTM', inputSize, hiddenSize, options, LSTMLayer);
  }
}

class LSTMLayer extends RecurrentLayer {
  private readonly cells = new Scratch();
  private readonly squashed = new Scratch(); // tanh of the cells
  private readonly cellGradient = new Scratch();
  private readonly bias = new Scratch();

  constructor(inputSize: number, hiddenSize: number, options: LayerOptions) {
    super(4, inputSize, hiddenSize, options);
  }

  protected inputBias(): Float32Array {
    const bias = this.bias.get(this.biasIh.value.length);
    for (let j = 0; j < bias.length; j++) bias[j] = this.biasIh.value[j] + this.biasHh.value[j];
    return bias;
  }

  protected cellForward(z: Float32Array, h: Float32Array): void {
    const [c, tanh] = [this.cells, this.squashed].map((room) => room.get(h.length));
    this.run('lstmForward', [this.weightHh.value, z, c, tanh, h]);
  }

  protected cellBackward(z: Float32Array, dh: Float32Array): Float32Array {
    const [c, tanh] = [this.cells, this.squashed].map((room) => room.get(dh.length));
    const dc = this.cellGradient.get(this.packed.size * this.hiddenSize);
    this.run('lstmBackward', [this.weightHh.value, z, c, tanh, dh, dc]);
    return z;
  }
}

/**
 * Gated recurrent units (Cho et al. 2014), PyTorch's
 * `nn.GRU(inputSize, hiddenSize, numLayers, dropout)`. At each position, with the state h' of the
 * one before (0 at first),
 *
 *     r, z = σ(W_ih·x + b_ih + W_hh·h' + b_hh)    n = tanh(W_in·x + b_in + r·(W_hn·h' + b_hn))
 *     h = (1 − z)·n + z·h'
 *
 * Weights hold the blocks r, z, n one below the other, and start uniform in ±1/√hiddenSize, biases
 * too. Weight decay applies to all of them, as in fastai.
 * @example new GRU(50, 100, { random: new Random(42) })
 */
export class GRU extends Recurrent {
  /**
   * @param inputSize values of an item
   * @param hiddenSize values of a state
   * @param options see RecurrentOptions
   */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super('GRU', inputSize, hiddenSize, options, GRULayer);
  }
}

class GRULayer extends RecurrentLayer {
  private readonly recurrentPart = new Scratch();

  constructor(inputSize: number, hiddenSize: number, options: LayerOptions) {
    super(3, inputSize, hiddenSize, options);
  }

  protected inputBias(): Float32Array {
    return this.biasIh.value;
  }

  protected cellForward(z: Float32Array, h: Float32Array): void {
    const u = this.recurrentPart.get(z.length);
    this.run('gruForward', [this.weightHh.value, this.biasHh.value, z, u, h]);
  }

  protected cellBackward(z: Float32Array, dh: Float32Array): Float32Array {
    const u = this.recurrentPart.get(z.length);
    const h = this.room.hidden.get(dh.length);
    this.run('gruBackward', [this.weightHh.value, z, u, h, dh]);
    return u;
  }
}
