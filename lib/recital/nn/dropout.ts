import type { Random } from '../compute/random.js';
import { checkNumber, given } from '../options.js';
import { printed } from '../printed.js';
import type { Module, StateBuffer } from './module.js';
import { checkFloats, checkLength, checkRandom, Scratch } from './module.js';
import type { Parameter } from './parameter.js';

/**
 * Inverted dropout: in training each value becomes 0 with probability p and is divided by 1 − p
 * otherwise; in validation nothing happens. The mask depends on the seed, the layer's name and the
 * number of training steps so far, which is saved with the model: a resumed run draws the same
 * masks as one that was not interrupted.
 * @example new Dropout(0.2, { random: new Random(42) })
 */
export class Dropout implements Module {
  readonly parameters: readonly Parameter[] = [];
  readonly buffers: readonly StateBuffer[];
  private readonly step = new Float32Array(1);
  private readonly random: Random;
  private readonly what: string;
  private scale: Float32Array | undefined;
  private readonly room = { mask: new Scratch(), out: new Scratch(), inputGradient: new Scratch() };

  /**
   * @param p probability, at least 0 and less than 1
   * @param options.random what the masks are drawn from; `name`: default `dropout`
   */
  constructor(
    readonly p: number,
    options: { name?: string; random: Random },
  ) {
    const all = { name: 'dropout', random: options?.random };
    const { name, random } = given(all, options, 'Dropout');
    checkRandom(random, 'Dropout');
    checkProbability(p);
    this.what = `Dropout ${name}`;
    this.random = random.child(name);
    this.buffers = p > 0 ? [{ name: `${name}.step`, value: this.step }] : [];
  }

  forward(input: Float32Array, _size: number, training: boolean): Float32Array {
    checkFloats(input, 'Dropout: the input');
    this.scale = undefined;
    if (!training || this.p === 0) return input;
    const scale = this.drawMask(input.length);
    const out = this.room.out.get(input.length);
    for (let i = 0; i < out.length; i++) out[i] = input[i] * scale[i];
    return out;
  }

  backward(gradient: Float32Array): Float32Array {
    const { scale } = this;
    if (!scale) return gradient;
    checkLength(gradient, scale.length, `${this.what}: the gradient`);
    const d = this.room.inputGradient.get(scale.length);
    for (let i = 0; i < d.length; i++) d[i] = gradient[i] * scale[i];
    return d;
  }

  private drawMask(n: number): Float32Array {
    const random = this.random.child(this.step[0]);
    this.step[0] = (this.step[0] + 1) % 2 ** 24; // as far as float32 counts
    const scale = this.room.mask.get(n);
    const keep = 1 / (1 - this.p);
    const below = this.p * 2 ** 32;
    for (let i = 0; i < n; i++) scale[i] = random.uint32() < below ? 0 : keep;
    this.scale = scale;
    return scale;
  }
}

/** Throws unless this can be a probability of dropout. */
export function checkProbability(p: number): void {
  checkNumber(p, p >= 0 && p < 1, 'The probability of dropout must be at least 0 and less than 1');
}

printed(Dropout, ({ p }) => `Dropout(p=${p}, inplace=False)`);
