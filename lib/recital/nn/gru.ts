import { matmulScratch } from '../compute/matmul.js';
import { parallel } from '../compute/threads.js';
import { Recurrent, type RecurrentOptions } from './recurrent.js';
import { RecurrentLayer, type RecurrentLayerOptions } from './recurrent-layer.js';
import { Scratch } from './scratch.js';

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
