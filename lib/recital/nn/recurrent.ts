import { Random } from '../compute/random.js';
import { ArgumentError } from '../errors.js';
import { checkArgument, checkNumber, checkOptions } from '../options.js';
import { Dropout } from './dropout.js';
import type { StateBuffer } from './module.js';
import type { Parameter } from './parameter.js';
import type { RecurrentLayer, RecurrentLayerOptions } from './recurrent-layer.js';
import type { PackedSequences } from './recurrent-packed.js';
import { checkWidth } from './scratch.js';

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
