import { matmulScratch } from '../compute/matmul.js';
import { parallel } from '../compute/threads.js';
import { Recurrent, type RecurrentOptions } from './recurrent.js';
import { RecurrentLayer, type RecurrentLayerOptions } from './recurrent-layer.js';
import { Scratch } from './scratch.js';

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
