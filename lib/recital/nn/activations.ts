import { kernels } from '../compute/kernels.js';
import { ArgumentError } from '../errors.js';
import { said } from '../options.js';
import { printed } from '../printed.js';
import type { Module, StateBuffer } from './module.js';
import { checkFloats, checkLength, Scratch } from './module.js';
import type { Parameter } from './parameter.js';

/**
 * Stable logistic function 1/(1+e^−x).
 * @param x a logit
 * @example sigmoid(0) // 0.5
 */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** log(1 + eˣ), the softplus, without overflow: −log σ(−x). */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * y = max(0, x), for every value; NaN stays NaN. The derivative at 0 is 0, as in PyTorch.
 * @example new ReLU().forward(Float32Array.of(-1, 2)) // [0, 2]
 */
export class ReLU implements Module {
  readonly parameters: readonly Parameter[] = [];
  readonly buffers: readonly StateBuffer[] = [];
  private out: Float32Array = new Float32Array(0);
  private readonly room = {
    input: new Scratch(),
    out: new Scratch(),
    gradient: new Scratch(),
    inputGradient: new Scratch(),
  };

  forward(input: Float32Array): Float32Array {
    checkFloats(input, 'ReLU: the input');
    this.out = this.room.out.get(input.length);
    kernels().relu(input.length, this.room.input.shared(input).byteOffset, this.out.byteOffset);
    return this.out;
  }

  backward(gradient: Float32Array): Float32Array {
    const { out } = this;
    checkLength(gradient, out.length, 'ReLU: the gradient');
    const d = this.room.inputGradient.get(out.length);
    const g = this.room.gradient.shared(gradient);
    kernels().reluBackward(out.length, out.byteOffset, g.byteOffset, d.byteOffset);
    return d;
  }
}

/** Throws unless a sigmoid range is two finite numbers of float32, the lower one first. */
function checkYRange(yRange: readonly [number, number]): void {
  const isArray = Array.isArray(yRange);
  const [low, high] = isArray ? yRange.map(Math.fround) : [];
  if (low < high && Number.isFinite(Math.fround(high - low))) return;
  const got = isArray ? `[${yRange.map(said).join(', ')}]` : said(yRange);
  throw new ArgumentError(
    `yRange must be [low, high], two finite numbers with low < high, got ${got}.`,
  );
}

/**
 * y = low + (high − low)·σ(x), for every value; fastai's `SigmoidRange`.
 * @example new SigmoidRange([0, 5.5])
 */
export class SigmoidRange implements Module {
  readonly parameters: readonly Parameter[] = [];
  readonly buffers: readonly StateBuffer[] = [];
  private out: Float32Array = new Float32Array(0);
  private readonly room = { out: new Scratch(), inputGradient: new Scratch() };

  /** @param yRange low and high */
  constructor(readonly yRange: readonly [number, number]) {
    checkYRange(yRange);
  }

  /** y for one x. */
  at(x: number): number {
    const [low, high] = this.yRange;
    return low + (high - low) * sigmoid(x);
  }

  forward(input: Float32Array): Float32Array {
    checkFloats(input, 'SigmoidRange: the input');
    const out = this.room.out.get(input.length);
    for (let i = 0; i < out.length; i++) out[i] = this.at(input[i]);
    this.out = out;
    return out;
  }

  backward(gradient: Float32Array): Float32Array {
    const { out } = this;
    checkLength(gradient, out.length, 'SigmoidRange: the gradient');
    const [low, high] = this.yRange;
    const d = this.room.inputGradient.get(out.length);
    // dy/dx = (y − low)·(high − y)/(high − low)
    for (let i = 0; i < d.length; i++)
      d[i] = (gradient[i] * (out[i] - low) * (high - out[i])) / (high - low);
    return d;
  }
}

printed(ReLU, () => 'ReLU()');
printed(SigmoidRange, ({ yRange: [low, high] }) => `SigmoidRange([${low}, ${high}])`);
