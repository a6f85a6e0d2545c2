import { kernels } from '../compute/kernels.js';
import { float32 } from '../compute/memory.js';
import { ArgumentError } from '../errors.js';
import { checkCount, checkNumber, given, said } from '../options.js';
import { printed } from '../printed.js';
import type { Module, StateBuffer } from './module.js';
import { checkLayerName, checkRows, Scratch } from './module.js';
import { Parameter } from './parameter.js';

const DEFAULTS = {
  /** Weight of the batch in the running statistics. */
  momentum: 0.1,
  /** Added to the variance. */
  eps: 1e-5,
  /** Prefix of its parameters' and buffers' names. */
  name: 'batch_norm',
};

/** Options of BatchNorm1d; defaults as PyTorch's. */
export type BatchNorm1dOptions = Partial<typeof DEFAULTS>;

/**
 * Batch normalisation of each column, PyTorch's `nn.BatchNorm1d` with fastai's start:
 *
 *     y = w·(x − μ)/√(σ² + eps) + b
 *
 * In training μ and σ² are the mean and variance (÷ n) of the batch, and the running ones move
 * towards them by `momentum` (the variance ÷ (n − 1)); in validation they are the running ones. w
 * starts at 1, b at 0.001 (fastai's, not PyTorch's 0); weight decay spares both.
 * @example
 * const norm = new BatchNorm1d(1);
 * norm.forward(Float32Array.of(1, 3), 2, true); // a batch of two rows with one column
 */
export class BatchNorm1d implements Module {
  /** The scale w of each column. */
  readonly weight: Parameter;
  /** The shift b of each column. */
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
  private input: Float32Array = new Float32Array(0);
  private size = 0;
  private ofBatch = false;
  private readonly mean: Float64Array;
  private readonly deviation: Float64Array; // √(σ² + eps)
  private readonly scale: Float32Array; // w/√(σ² + eps)
  private readonly shift: Float32Array; // b − μ·w/√(σ² + eps)
  private readonly room = {
    input: new Scratch(),
    out: new Scratch(),
    inputGradient: new Scratch(),
  };

  /**
   * @param width columns
   * @param options see BatchNorm1dOptions
   */
  constructor(
    readonly width: number,
    options: BatchNorm1dOptions = {},
  ) {
    const { momentum, eps, name } = given(DEFAULTS, options, 'BatchNorm1d');
    checkLayerName(name);
    this.what = `BatchNorm1d ${name}`;
    checkCount(width, `${this.what}: width`);
    const check = (key: string, value: number, fits: boolean, range: string): void =>
      checkNumber(value, fits, `${this.what}: ${key} must be ${range}`);
    check('momentum', momentum, momentum >= 0 && momentum <= 1, 'between 0 and 1');
    check('eps', eps, eps > 0 && eps < Infinity, 'a positive number');
    this.momentum = momentum;
    this.eps = eps;
    const parameter = (key: string): Parameter =>
      new Parameter(`${name}.${key}`, [width], { decay: false, norm: true });
    this.weight = parameter('weight');
    this.bias = parameter('bias');
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
    this.deviation = new Float64Array(width);
    this.scale = float32(width);
    this.shift = float32(width);
  }

  forward(input: Float32Array, size: number, training: boolean): Float32Array {
    const { width, mean, deviation, scale, shift } = this;
    checkRows(input, { size, width, what: `${this.what}: the input` });
    this.input = this.room.input.shared(input);
    this.size = size;
    this.ofBatch = training;
    if (training) this.takeStatistics();
    else {
      mean.set(this.runningMean);
      for (let c = 0; c < width; c++) deviation[c] = Math.sqrt(this.runningVar[c] + this.eps);
    }
    for (let c = 0; c < width; c++) {
      const a = this.weight.value[c] / deviation[c];
      scale[c] = a;
      shift[c] = this.bias.value[c] - mean[c] * a;
    }
    const out = this.room.out.get(input.length);
    const [x, a, b, y] = [this.input, scale, shift, out].map(({ byteOffset }) => byteOffset);
    kernels().scaleShift(size, width, x, a, b, y);
    return out;
  }

  private takeStatistics(): void {
    const { width, input, size, mean, deviation, momentum } = this;
    if (size < 2)
      throw new ArgumentError(
        `${this.what} needs at least 2 rows to take their variance, got ${said(size)}. Choose a larger bs.`,
      );
    mean.fill(0);
    for (let o = 0; o < input.length; o += width)
      for (let c = 0; c < width; c++) mean[c] += input[o + c];
    for (let c = 0; c < width; c++) mean[c] /= size;
    const square = deviation.fill(0);
    for (let o = 0; o < input.length; o += width)
      for (let c = 0; c < width; c++) square[c] += (input[o + c] - mean[c]) ** 2;
    for (let c = 0; c < width; c++) {
      this.runningMean[c] += momentum * (mean[c] - this.runningMean[c]);
      this.runningVar[c] += momentum * (square[c] / (size - 1) - this.runningVar[c]);
      deviation[c] = Math.sqrt(square[c] / size + this.eps);
    }
  }

  backward(gradient: Float32Array): Float32Array {
    const { width, size, input, mean, deviation } = this;
    checkRows(gradient, { size, width, what: `${this.what}: the gradient` });
    const sum = new Float64Array(width); // Σ dy
    const dot = new Float64Array(width); // Σ dy·z, with z = (x − μ)/√(σ² + eps)
    for (let o = 0; o < gradient.length; o += width) {
      for (let c = 0; c < width; c++) {
        sum[c] += gradient[o + c];
        dot[c] += gradient[o + c] * (input[o + c] - mean[c]);
      }
    }
    // dx = w/√(σ² + eps)·(dy − (Σ dy + z·Σ dy·z)/n) = a·dy − m·x − k; the second term is the
    // derivative of the batch's mean and variance, so running ones do not have it
    const share = this.ofBatch ? 1 / size : 0;
    const [a, m, k] = [0, 1, 2].map(() => new Float64Array(width));
    for (let c = 0; c < width; c++) {
      dot[c] /= deviation[c];
      this.bias.grad[c] += sum[c];
      this.weight.grad[c] += dot[c];
      a[c] = this.weight.value[c] / deviation[c];
      m[c] = (a[c] * share * dot[c]) / deviation[c];
      k[c] = a[c] * share * sum[c] - m[c] * mean[c];
    }
    const d = this.room.inputGradient.get(gradient.length);
    for (let o = 0; o < d.length; o += width)
      for (let c = 0; c < width; c++)
        d[o + c] = a[c] * gradient[o + c] - m[c] * input[o + c] - k[c];
    return d;
  }
}

printed(BatchNorm1d, ({ width }) => `BatchNorm1d(${width})`);
