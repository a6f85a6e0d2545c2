import { addColumnSums } from '../compute/column-sums.js';
import { type Matrix, matmul, matmulScratch } from '../compute/matmul.js';
import { Random } from '../compute/random.js';
import { parallel } from '../compute/threads.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkNumber, checkOptions } from '../options.js';
import { Dropout } from './dropout.js';
import type { StateBuffer } from './module.js';
import type { PackedSequences } from './packed-sequences.js';
import { Parameter } from './parameter.js';
import { checkRows, checkWidth, Scratch } from './scratch.js';

/** Options of LSTM and GRU. */
export interface RecurrentOptions {
  /** Layers, each on the states of the one before; default 1. */
  numLayers?: number;
  /** Probability of dropout between layers, not after the last; default 0. */
  dropout?: number;
  /** Put before its parameters' names with a dot; default none: `weight_ih_l0` … */
  name?: string;
  /** What weights and dropout masks are drawn from. */
  random: Random;
}

/**
 * Layers of recurrent cells over packed sequences, with forward and backward through time. A
 * sequence's states depend on itself alone: not on its neighbours in the batch, their lengths, or
 * the number of threads.
 */
export abstract class Recurrent {
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly StateBuffer[];
  /** Layers, each on the states of the one before. */
  readonly numLayers: number;
  private readonly layers: readonly RecurrentLayer[];
  private readonly drops: readonly Dropout[];

  /**
   * @param type how it is called when printed
   * @param make makes one layer
   */
  protected constructor(
    private readonly type: string,
    readonly inputSize: number,
    readonly hiddenSize: number,
    options: RecurrentOptions,
    {
      gates,
      make,
    }: {
      gates: number;
      make: (inputSize: number, options: RecurrentLayerOptions) => RecurrentLayer;
    },
  ) {
    checkOptions(options, ['numLayers', 'dropout', 'name', 'random'], type);
    const { numLayers = 1, dropout = 0, name = '', random } = options;
    checkArgument(
      random instanceof Random,
      random,
      type,
      'random, such as { random: new Random(42) }',
    );
    checkNumber(
      dropout,
      dropout >= 0 && dropout < 1,
      'The probability of dropout must be at least 0 and less than 1',
    );
    const what = name ? `${type} ${name}` : type;
    checkWidth(inputSize, `${what}: inputSize`);
    checkWidth(hiddenSize, `${what}: hiddenSize`);
    checkWidth(numLayers, `${what}: numLayers`);
    if (dropout > 0 && numLayers === 1) {
      throw new ArgumentError(
        `${what}: dropout lies between layers, and there is one layer only. Leave it out, or give numLayers: 2.`,
      );
    }
    this.numLayers = numLayers;
    const prefix = name ? `${name}.` : '';
    this.layers = Array.from({ length: numLayers }, (_, layer) =>
      make(layer ? hiddenSize : inputSize, { gates, prefix, layer, random }),
    );
    this.drops = this.layers
      .slice(1)
      .map((_, i) => new Dropout(dropout, { name: `${prefix}dropout_l${i}`, random }));
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
      return layer.forward(i ? this.drops[i - 1].forward(x, packed.total, training) : x, packed);
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

  /**
   * The last state of each sequence of the last forward and, of an LSTM, its cell: PyTorch's `h_n`
   * and `c_n`, numLayers × size × hiddenSize, sequences in the order of the batch. Copies.
   */
  finalStates(): { h: Float32Array; c?: Float32Array } {
    const all = this.layers.map((layer) => layer.finalStates());
    const joined = (parts: readonly Float32Array[]): Float32Array => {
      const out = new Float32Array(parts.reduce((n, part) => n + part.length, 0));
      parts.forEach((part, i) => {
        out.set(part, i * part.length);
      });
      return out;
    };
    const cells = all.flatMap(({ c }) => (c ? [c] : []));
    return { h: joined(all.map(({ h }) => h)), ...(cells.length > 0 && { c: joined(cells) }) };
  }

  /** As PyTorch prints it: `LSTM(50, 100, num_layers=2, batch_first=True)`. */
  toString(): string {
    const more = [
      ...(this.numLayers > 1 ? [`num_layers=${this.numLayers}`] : []),
      'batch_first=True',
    ];
    const p = this.drops[0]?.p ?? 0;
    if (p > 0) more.push(`dropout=${p}`);
    return `${this.type}(${[this.inputSize, this.hiddenSize, ...more].join(', ')})`;
  }
}

/** Options of a recurrent layer. */
export interface RecurrentLayerOptions {
  /** Blocks of the weights: 4 of an LSTM, 3 of a GRU. */
  readonly gates: number;
  /** Put before its parameters' names: '' or `lstm.`. */
  readonly prefix: string;
  /** Number of the layer, in its parameters' names. */
  readonly layer: number;
  readonly random: Random;
}

/**
 * What an LSTM's and a GRU's layer have in common: weights, what the inputs give to the gates (one
 * product for all positions), and the gradients of all weights (one product for all positions).
 * What happens from one position to the next is the cell's.
 */
export abstract class RecurrentLayer {
  /** Of the inputs, gates·hidden × inputs. */
  readonly weightIh: Parameter;
  /** Of the state before, gates·hidden × hidden. */
  readonly weightHh: Parameter;
  readonly biasIh: Parameter;
  readonly biasHh: Parameter;
  readonly parameters: readonly Parameter[];
  protected readonly gates: number;
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
  private readonly what: string;

  constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    { gates, prefix, layer, random }: RecurrentLayerOptions,
  ) {
    this.gates = gates;
    this.what = `Recurrent layer ${prefix}l${layer}`;
    const parameter = (name: string, ...shape: number[]): Parameter => {
      const p = new Parameter(`${prefix}${name}_l${layer}`, shape);
      const draw = random.child(p.name);
      for (let i = 0; i < p.value.length; i++)
        p.value[i] = (2 * draw.uniform() - 1) / Math.sqrt(hiddenSize);
      return p;
    };
    this.weightIh = parameter('weight_ih', gates * hiddenSize, inputSize);
    this.weightHh = parameter('weight_hh', gates * hiddenSize, hiddenSize);
    this.biasIh = parameter('bias_ih', gates * hiddenSize);
    this.biasHh = parameter('bias_hh', gates * hiddenSize);
    this.parameters = [this.weightIh, this.weightHh, this.biasIh, this.biasHh];
  }

  /** The state at every position, total × hidden: a view, valid until the next call. */
  forward(input: Float32Array, packed: PackedSequences): Float32Array {
    const { inputSize, hiddenSize, gates } = this;
    checkRows(input, { size: packed.total, width: inputSize, what: `${this.what}: the input` });
    this.packed = packed;
    this.input = this.room.input.shared(input);
    const width = gates * hiddenSize;
    const z = this.room.gates.get(packed.total * width);
    matmul(
      { m: packed.total, n: width, k: inputSize },
      {
        a: rows(this.input, inputSize),
        b: transposed(this.weightIh.value, inputSize),
        c: rows(z, width),
        bias: this.inputBias(),
      },
    );
    const h = this.room.hidden.get(packed.total * hiddenSize);
    this.cellForward(z, h);
    return h;
  }

  /**
   * Adds the gradients of the weights, and returns dLoss/dInput.
   * @param gradient dLoss/dState at every position
   */
  backward(gradient: Float32Array): Float32Array {
    const { inputSize, hiddenSize, gates, packed } = this;
    const { total } = packed;
    checkRows(gradient, { size: total, width: hiddenSize, what: `${this.what}: the gradient` });
    const width = gates * hiddenSize;
    const dh = this.room.gradient.get(gradient.length);
    dh.set(gradient); // what comes back through time is added to it
    const z = this.room.gates.get(total * width);
    const u = this.cellBackward(z, dh);
    matmul(
      { m: width, n: inputSize, k: total },
      {
        a: transposed(z, width),
        b: rows(this.input, inputSize),
        c: rows(this.weightIh.grad, inputSize),
        add: true,
      },
    );
    const first = packed.sizes[0];
    if (total > first) {
      matmul(
        { m: width, n: hiddenSize, k: total - first },
        {
          a: { ...transposed(u, width), offset: first * width },
          b: rows(this.statesBefore(), hiddenSize),
          c: rows(this.weightHh.grad, hiddenSize),
          add: true,
        },
      );
    }
    addColumnSums(z, total, this.biasIh.grad);
    addColumnSums(u, total, this.biasHh.grad);
    const out = this.room.inputGradient.get(total * inputSize);
    matmul(
      { m: total, n: inputSize, k: width },
      { a: rows(z, width), b: rows(this.weightIh.value, inputSize), c: rows(out, inputSize) },
    );
    return out;
  }

  /**
   * The state of each sequence at its end and, where there is one, the cell; size × hidden, in the
   * order of the batch.
   */
  finalStates(): { h: Float32Array; c?: Float32Array } {
    const { hiddenSize, packed, room } = this;
    const cells = this.cells();
    return {
      h: atEnds(room.hidden.get(packed.total * hiddenSize), packed, hiddenSize),
      ...(cells && { c: atEnds(cells, packed, hiddenSize) }),
    };
  }

  /** The cell at every position, if there is one besides the state. */
  protected cells(): Float32Array | undefined {
    return undefined;
  }

  /** What is added to the gates at every position. */
  protected abstract inputBias(): Float32Array;
  /** From what the inputs give to the gates to the state at every position. */
  protected abstract cellForward(z: Float32Array, h: Float32Array): void;
  /**
   * Turns the gates z into their gradient as far as it reaches the inputs, and returns it as far as
   * it reaches the states before.
   */
  protected abstract cellBackward(z: Float32Array, dh: Float32Array): Float32Array;

  /** The state before each position but the first ones. */
  private statesBefore(): Float32Array {
    const { hiddenSize, packed } = this;
    const { total, steps, sizes, starts } = packed;
    const h = this.room.hidden.get(total * hiddenSize);
    if (sizes[steps - 1] === sizes[0]) return h; // all of one length: they lie one position before
    const before = this.room.before.get((total - sizes[0]) * hiddenSize);
    for (let t = 1; t < steps; t++) {
      const from = starts[t - 1] * hiddenSize;
      before.set(
        h.subarray(from, from + sizes[t] * hiddenSize),
        (starts[t] - sizes[0]) * hiddenSize,
      );
    }
    return before;
  }
}

/** The rows at the ends of the sequences. */
function atEnds(values: Float32Array, { last }: PackedSequences, width: number): Float32Array {
  const out = new Float32Array(last.length * width);
  for (let r = 0; r < last.length; r++)
    out.set(values.subarray(last[r] * width, (last[r] + 1) * width), r * width);
  return out;
}

function rows(values: Float32Array, width: number): Matrix {
  return { values, rowStride: width };
}

function transposed(values: Float32Array, width: number): Matrix {
  return { values, rowStride: 1, columnStride: width };
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
    super('LSTM', inputSize, hiddenSize, options, {
      gates: 4,
      make: (size, layer) => new LSTMLayer(size, hiddenSize, layer),
    });
  }
}

class LSTMLayer extends RecurrentLayer {
  private readonly more = {
    bias: new Scratch(),
    cell: new Scratch(),
    squashed: new Scratch(),
    cellGradient: new Scratch(),
  };

  constructor(inputSize: number, hiddenSize: number, options: RecurrentLayerOptions) {
    super(inputSize, hiddenSize, options);
  }

  protected inputBias(): Float32Array {
    const bias = this.more.bias.get(this.biasIh.value.length);
    for (let j = 0; j < bias.length; j++) bias[j] = this.biasIh.value[j] + this.biasHh.value[j];
    return bias;
  }

  protected override cells(): Float32Array {
    return this.more.cell.get(this.packed.total * this.hiddenSize);
  }

  protected cellForward(z: Float32Array, h: Float32Array): void {
    this.overRows('lstmForward', z, h);
  }

  protected cellBackward(z: Float32Array, dh: Float32Array): Float32Array {
    this.overRows(
      'lstmBackward',
      z,
      dh,
      this.more.cellGradient.get(this.packed.size * this.hiddenSize),
    );
    return z;
  }

  private overRows(
    kernel: 'lstmForward' | 'lstmBackward',
    z: Float32Array,
    ...last: Float32Array[]
  ): void {
    const { hiddenSize, packed } = this;
    const [cell, squashed] = [this.more.cell, this.more.squashed].map((room) =>
      room.get(packed.total * hiddenSize),
    );
    const arrays = [packed.sizes, this.weightHh.value, z, cell, squashed, ...last].map(
      (array) => array.byteOffset,
    );
    parallel(kernel, packed.size, [packed.steps, hiddenSize, ...arrays, matmulScratch()], {
      grain: 4,
    });
  }
}

/**
 * Gated recurrent units (Cho et al. 2014), PyTorch's
 * `nn.GRU(inputSize, hiddenSize, numLayers, dropout)`. At each position, with the state h' of the
 * one before (0 at first),
 *
 * r, z = σ(W_ih·x + b_ih + W_hh·h' + b_hh) n = tanh(W_in·x + b_in + r·(W_hn·h' + b_hn)) h = (1 −
 * z)·n + z·h'
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
    super('GRU', inputSize, hiddenSize, options, {
      gates: 3,
      make: (size, layer) => new GRULayer(size, hiddenSize, layer),
    });
  }
}

class GRULayer extends RecurrentLayer {
  private readonly recurrentPart = new Scratch();

  constructor(inputSize: number, hiddenSize: number, options: RecurrentLayerOptions) {
    super(inputSize, hiddenSize, options);
  }

  protected inputBias(): Float32Array {
    return this.biasIh.value;
  }

  protected cellForward(z: Float32Array, h: Float32Array): void {
    const u = this.recurrentPart.get(z.length);
    this.overRows('gruForward', [this.weightHh.value, this.biasHh.value, z, u, h]);
  }

  protected cellBackward(z: Float32Array, dh: Float32Array): Float32Array {
    const u = this.recurrentPart.get(z.length);
    const h = this.room.hidden.get(dh.length);
    this.overRows('gruBackward', [this.weightHh.value, z, u, h, dh]);
    return u;
  }

  private overRows(kernel: 'gruForward' | 'gruBackward', arrays: readonly Float32Array[]): void {
    const { hiddenSize, packed } = this;
    const addresses = arrays.map((array) => array.byteOffset);
    parallel(
      kernel,
      packed.size,
      [packed.steps, hiddenSize, packed.sizes.byteOffset, ...addresses, matmulScratch()],
      { grain: 4 },
    );
  }
}
