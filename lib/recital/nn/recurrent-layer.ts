import { addColumnSums } from '../compute/column-sums.js';
import { type Matrix, matmul } from '../compute/matmul.js';
import type { Random } from '../compute/random.js';
import { Parameter } from './parameter.js';
import type { PackedSequences } from './recurrent-packed.js';
import { checkRows, Scratch } from './scratch.js';

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
