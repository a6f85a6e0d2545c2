import { ArgumentError } from '../errors.js';
import type { Module, StateBuffer } from './module.js';
import { Parameter } from './parameter.js';
import { checkRows, checkWidth, Scratch } from './scratch.js';

/** Options of BatchNorm1d; defaults as PyTorch's. */
export interface BatchNorm1dOptions {
  /** Weight of the batch in the running statistics; default 0.1. */
  momentum?: number;
  /** Added to the variance; default 1e-5. */
  eps?: number;
  /** Prefix of its parameters' and buffers' names; default `batch_norm`. */
  name?: string;
}

/**
 * Batch normalisation of each column, PyTorch's `nn.BatchNorm1d` with fastai's start:
 *
 *     y = w·(x − μ)/√(σ² + eps) + b
 *
 * In training μ and σ² are the mean and variance (÷ n) of the batch, and the running ones take in `momentum` of them (the variance ÷ (n − 1)); otherwise
 * they are the running ones. w starts at 1, b at 0.001 (fastai's, not PyTorch's 0); weight decay spares both.
 */
export class BatchNorm1d implements Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly parameters: readonly Parameter[];
  /** Running means, 0 at first. */
  readonly runningMean: Float32Array;
  /** Running variances, 1 at first. */
  readonly runningVar: Float32Array;
  readonly buffers: readonly StateBuffer[];
  private readonly momentum: number;
  private readonly eps: number;
  private readonly what: string;
  private size = 0;
  private ofBatch = false;
  private readonly mean: Float64Array;
  private readonly scale: Float64Array; // 1/√(σ² + eps)
  private readonly room = {
    out: new Scratch(),
    normal: new Scratch(),
    inputGradient: new Scratch(),
  };

  /**
   * @param width columns
   * @param options see BatchNorm1dOptions
   */
  constructor(
    readonly width: number,
    { momentum = 0.1, eps = 1e-5, name = 'batch_norm' }: BatchNorm1dOptions = {},
  ) {
    this.what = `BatchNorm1d ${name}`;
    checkWidth(width, `${this.what}: width`);
    if (!(momentum >= 0 && momentum <= 1)) throw new ArgumentError(`${this.what}: momentum must be between 0 and 1, got ${momentum}.`);
    if (!(eps > 0 && Number.isFinite(eps))) throw new ArgumentError(`${this.what}: eps must be a positive number, got ${eps}.`);
    this.momentum = momentum;
    this.eps = eps;
    this.weight = new Parameter(`${name}.weight`, [width], { decay: false });
    this.bias = new Parameter(`${name}.bias`, [width], { decay: false });
    this.weight.value.fill(1);
    this.bias.value.fill(1e-3);
    this.parameters = [this.weight, this.bias];
    this.runningMean = new Float32Array(width);
    this.runningVar = new Float32Array(width).fill(1);
    this.buffers = [
      { name: `${name}.running_mean`, value: this.runningMean },
      { name: `${name}.running_var`, value: this.runningVar },
    ];
    this.mean = new Float64Array(width);
    this.scale = new Float64Array(width);
  }

  forward(input: Float32Array, size: number, training: boolean): Float32Array {
    const { width, mean, scale } = this;
    checkRows(input, { size, width, what: `${this.what}: the input` });
    this.size = size;
    this.ofBatch = training;
    if (training) this.takeStatistics(input, size);
    else {
      mean.set(this.runningMean);
      for (let c = 0; c < width; c++) scale[c] = 1 / Math.sqrt(this.runningVar[c] + this.eps);
    }
    const w = this.weight.value;
    const b = this.bias.value;
    const normal = this.room.normal.get(input.length);
    const out = this.room.out.get(input.length);
    for (let o = 0; o < out.length; o += width) {
      for (let c = 0; c < width; c++) {
        const z = (input[o + c] - mean[c]) * scale[c];
        normal[o + c] = z;
        out[o + c] = w[c] * z + b[c];
      }
    }
    return out;
  }

  private takeStatistics(input: Float32Array, size: number): void {
    if (size < 2) throw new ArgumentError(`${this.what} needs at least 2 rows to take their variance, got ${size}. Choose a larger bs.`);
    const { width, mean, scale, momentum } = this;
    mean.fill(0);
    for (let o = 0; o < input.length; o += width) for (let c = 0; c < width; c++) mean[c] += input[o + c];
    for (let c = 0; c < width; c++) mean[c] /= size;
    const square = scale.fill(0);
    for (let o = 0; o < input.length; o += width) for (let c = 0; c < width; c++) square[c] += (input[o + c] - mean[c]) ** 2;
    for (let c = 0; c < width; c++) {
      this.runningMean[c] += momentum * (mean[c] - this.runningMean[c]);
      this.runningVar[c] += momentum * (square[c] / (size - 1) - this.runningVar[c]);
      scale[c] = 1 / Math.sqrt(square[c] / size + this.eps);
    }
  }

  backward(gradient: Float32Array): Float32Array {
    const { width, size, scale } = this;
    checkRows(gradient, { size, width, what: `${this.what}: the gradient` });
    const normal = this.room.normal.get(gradient.length);
    const w = this.weight.value;
    const sum = new Float64Array(width); // Σ dy
    const dot = new Float64Array(width); // Σ dy·z
    for (let o = 0; o < gradient.length; o += width) {
      for (let c = 0; c < width; c++) {
        sum[c] += gradient[o + c];
        dot[c] += gradient[o + c] * normal[o + c];
      }
    }
    for (let c = 0; c < width; c++) {
      this.bias.grad[c] += sum[c];
      this.weight.grad[c] += dot[c];
    }
    // dx = w·scale·(dy − (Σ dy + z·Σ dy·z)/n): mean and variance move with the batch; running ones do not
    const share = this.ofBatch ? 1 / size : 0;
    const d = this.room.inputGradient.get(gradient.length);
    for (let o = 0; o < d.length; o += width) {
      for (let c = 0; c < width; c++) d[o + c] = w[c] * scale[c] * (gradient[o + c] - share * (sum[c] + normal[o + c] * dot[c]));
    }
    return d;
  }
}
