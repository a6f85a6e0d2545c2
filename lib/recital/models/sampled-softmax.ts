import { matmul } from '../compute/matmul.js';
import type { Random } from '../compute/random.js';
import { parallel } from '../compute/threads.js';
import { WeightedDraw } from '../data/batches.js';
import { ArgumentError } from '../errors.js';
import { softmaxCrossEntropy } from '../nn/cross-entropy.js';
import type { StateBuffer } from '../nn/module.js';
import { Scratch } from '../nn/scratch.js';
import { checkOptions, said } from '../options.js';
import {
  checkTargets,
  type ItemScores,
  type ScoredLoss,
  type ScoredRows,
  shares,
  weighted,
} from './item-scores.js';

/** How a model is trained on a sample of the items: see LSTMModelOptions.negatives. */
export interface NegativeLossOptions {
  /** How often each item comes in training, one number each. */
  counts: ArrayLike<number>;
  /**
   * `'softmax'` (default): the cross-entropy over all items, estimated. `'bprMax'`: GRU4Rec's
   * ranking loss.
   */
  loss?: 'softmax' | 'bprMax';
  /** Items drawn for each batch, shared by its rows; default 2048. */
  n?: number;
  /**
   * Items are drawn in proportion to max(1, count)^power: 0 is uniform, 1 by popularity. Default
   * 0.5.
   */
  power?: number;
  /** For `'bprMax'`: weight of the squared scores of the negatives; default 1. */
  reg?: number;
}

/** Not an item's score: what a negative that is the target itself has. */
const NONE = -1e15;

/**
 * Losses of the target against items drawn by popularity, anew for each batch and the same for all
 * of its rows. A negative that is a row's target does not count for that row. With the scores r of
 * the target and r_j of the n negatives, each drawn with chance q_j:
 *
 * - softmax: −r + log(eʳ + Σ_j e^(r_j) / (n·q_j)), in which the sum's mean is that over all items but the target (Bengio and Senécal 2008).
 * - BPR-max: −log Σ_j s_j·σ(r − r_j) + reg·Σ_j s_j·r_j², s = softmax(r_j) (Hidasi and Karatzoglou 2018).
 *
 * The draws depend on the seed and the number of training steps made, which is part of the model's
 * state: a run that goes on from saved state draws what it would have drawn.
 */
export class NegativeLoss {
  readonly buffers: readonly StateBuffer[];
  private readonly step = new Float32Array(1);
  private readonly random: Random;
  private readonly chances: WeightedDraw;
  private readonly correction: Float64Array;
  private readonly drawn: Int32Array;
  private readonly places = new Map<number, number[]>();
  private readonly room = {
    scores: new Scratch(),
    states: new Scratch(),
    parts: new Scratch(),
    shares: new Scratch(),
  };

  constructor(
    private readonly fc: ItemScores,
    private readonly options: Required<NegativeLossOptions> & { random: Random },
  ) {
    const { counts, n, power, random } = options;
    const weights = Float64Array.from(counts, (count) => Math.max(1, count) ** power);
    const total = weights.reduce((a, b) => a + b, 0);
    this.random = random.child('negatives');
    this.chances = new WeightedDraw(weights);
    this.correction = weights.map((w) => Math.log((n * w) / total));
    this.drawn = new Int32Array(n);
    this.buffers = [{ name: 'negatives.step', value: this.step }];
  }

  /** Draws the negatives of the next step. */
  draw(): void {
    const random = this.random.child(this.step[0]);
    this.step[0] = (this.step[0] + 1) % 2 ** 24; // as far as float32 counts
    this.places.clear();
    for (let j = 0; j < this.drawn.length; j++) {
      const item = this.chances.draw(random);
      this.drawn[j] = item;
      const places = this.places.get(item);
      if (places) places.push(j);
      else this.places.set(item, [j]);
    }
  }

  /** The items whose vectors the step reads. Targets below 0 are none. */
  reads(targets: Float32Array): Int32Array {
    const wanted = Int32Array.from(targets).filter((target) => target >= 0);
    checkTargets(wanted, this.fc.items);
    return concat(wanted, this.drawn);
  }

  of({ states, targets, weights }: ScoredRows): ScoredLoss {
    const { fc, options } = this;
    const size = targets.length;
    const share = shares(weights, this.room.shares.get(size));
    const items = concat(targets, this.drawn);
    const vectors = fc.vectors(items);
    const scores = this.scores(states, targets, vectors);
    const width = this.drawn.length + 1;
    const losses =
      options.loss === 'softmax'
        ? softmaxCrossEntropy(
            { size, outputs: width, pred: scores, classOf: () => 0 },
            { out: scores, scaleOf: (i) => share[i] },
          )
        : this.bprMax(scores, share);
    return {
      value: weighted(losses, share),
      backward: (scale) => {
        if (scale !== 1) for (let j = 0; j < scores.length; j++) scores[j] *= scale;
        return this.backward({ d: scores, states, items, vectors });
      },
    };
  }

  /** Each row's score of its target, then those of the negatives. */
  private scores(states: Float32Array, targets: Int32Array, vectors: Float32Array): Float32Array {
    const { fc, drawn, correction } = this;
    const [size, n, k] = [targets.length, drawn.length, fc.hiddenSize];
    const bias = fc.bias.value;
    const corrected = this.options.loss === 'softmax';
    const scores = this.room.scores.get(size * (n + 1));
    const base = Float32Array.from(
      drawn,
      (item) => bias[item] - (corrected ? correction[item] : 0),
    );
    for (let r = 0; r < size; r++) {
      let dot = bias[targets[r]];
      for (let j = 0; j < k; j++) dot += states[r * k + j] * vectors[r * k + j];
      scores[r * (n + 1)] = dot;
      scores.set(base, r * (n + 1) + 1);
    }
    matmul(
      { m: size, n, k },
      {
        a: { values: states, rowStride: k },
        b: { values: vectors, offset: size * k, rowStride: 1, columnStride: k },
        c: { values: scores, offset: 1, rowStride: n + 1 },
        add: true,
      },
    );
    for (let r = 0; r < size; r++)
      for (const j of this.places.get(targets[r]) ?? []) scores[r * (n + 1) + 1 + j] = NONE;
    return scores;
  }

  private bprMax(scores: Float32Array, share: Float32Array): Float64Array {
    const size = share.length;
    const room = this.room.parts.get(4 * size); // two float64 a row
    const parts = new Float64Array(room.buffer, room.byteOffset, 2 * size);
    const args = [
      this.drawn.length + 1,
      scores.byteOffset,
      room.byteOffset,
      share.byteOffset,
      this.options.reg,
    ];
    parallel('bprMaxRows', size, args, { grain: Math.ceil(10_000 / this.drawn.length) });
    return Float64Array.from(
      { length: size },
      (_, r) => -Math.log(parts[2 * r]) + this.options.reg * parts[2 * r + 1],
    );
  }

  private backward({
    d,
    states,
    items,
    vectors,
  }: Record<'d' | 'states' | 'vectors', Float32Array> & { items: Int32Array }): Float32Array {
    const { fc, drawn } = this;
    const [n, k] = [drawn.length, fc.hiddenSize];
    const size = items.length - n;
    const out = this.room.states.get(size * k);
    const ofVectors = fc.vectorGradients(items.length);
    const ofBiases = new Float64Array(items.length);
    const negatives = { values: d, offset: 1 };
    matmul(
      { m: size, n: k, k: n },
      {
        a: { ...negatives, rowStride: n + 1 },
        b: { values: vectors, offset: size * k, rowStride: k },
        c: { values: out, rowStride: k },
      },
    );
    matmul(
      { m: n, n: k, k: size },
      {
        a: { ...negatives, rowStride: 1, columnStride: n + 1 },
        b: { values: states, rowStride: k },
        c: { values: ofVectors, offset: size * k, rowStride: k },
      },
    );
    for (let r = 0; r < size; r++) {
      const dr = d[r * (n + 1)];
      ofBiases[r] = dr;
      for (let j = 0; j < k; j++) {
        out[r * k + j] += dr * vectors[r * k + j];
        ofVectors[r * k + j] = dr * states[r * k + j];
      }
      for (let j = 0; j < n; j++) ofBiases[size + j] += d[r * (n + 1) + 1 + j];
    }
    fc.addGradients(items, ofVectors, ofBiases);
    return out;
  }
}

/** The loss that the options describe, checked. */
export function negativeLoss(
  fc: ItemScores,
  options: NegativeLossOptions & { random: Random },
): NegativeLoss {
  checkOptions(options, ['counts', 'loss', 'n', 'power', 'reg', 'random'], 'negatives');
  const { counts, loss = 'softmax', n = 2048, power = 0.5, reg = 1, random } = options;
  if (counts?.length !== fc.items) {
    throw new ArgumentError(
      `negatives.counts needs a number for each of the ${fc.items} items, got ${counts?.length ?? 'none'}.`,
    );
  }
  for (let i = 0; i < counts.length; i++) {
    if (!(counts[i] >= 0 && Number.isFinite(counts[i])))
      throw new ArgumentError(`negatives.counts[${i}] must be 0 or more, got ${counts[i]}.`);
  }
  if (loss !== 'softmax' && loss !== 'bprMax')
    throw new ArgumentError(`negatives.loss must be 'softmax' or 'bprMax', got '${said(loss)}'.`);
  if (!(Number.isInteger(n) && n > 0))
    throw new ArgumentError(`negatives.n must be a positive whole number, got ${said(n)}.`);
  if (!(power >= 0 && Number.isFinite(power)))
    throw new ArgumentError(`negatives.power must be a number, 0 or more, got ${said(power)}.`);
  if (!(reg >= 0 && Number.isFinite(reg)))
    throw new ArgumentError(`negatives.reg must be a number, 0 or more, got ${said(reg)}.`);
  if (options.reg !== undefined && loss !== 'bprMax')
    throw new ArgumentError("negatives.reg is for loss: 'bprMax'; leave it out.");
  return new NegativeLoss(fc, { counts, loss, n, power, reg, random });
}

function concat(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
