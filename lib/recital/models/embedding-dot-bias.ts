import { kernels } from '../compute/kernels.js';
import { float32, int32 } from '../compute/memory.js';
import type { Random } from '../compute/random.js';
import type { Batch } from '../data/batches.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import { SigmoidRange } from '../nn/activations.js';
import { initEmbedding, untouched } from '../nn/embedding.js';
import type { Model } from '../nn/model.js';
import { checkRandom, Scratch } from '../nn/module.js';
import { Parameter } from '../nn/parameter.js';
import { checkArgument, checkCount, given } from '../options.js';
import { printed, tree } from '../printed.js';

/** Options of EmbeddingDotBias. */
export interface EmbeddingDotBiasOptions {
  /** Sigmoid range [lo, hi] of the prediction; default: none, the plain sum. */
  yRange?: readonly [number, number];
}

const DEFAULTS = {
  yRange: undefined as readonly [number, number] | undefined,
  random: undefined as Random | undefined,
};

/**
 * fastai's `EmbeddingDotBias` (collab.py): a vector and a bias for every user and item, s =
 * U[u]·V[i] + b[u] + c[i]; with a range, lo + (hi − lo)·σ(s). Row 0 of each table is `#na#`, the
 * unknown. Weights start at 0.01·fmod(z, 2), z standard normal (layers.py, `Embedding`).
 * @example new Learner(dls, new EmbeddingDotBias(50, dls.classes, { random: new Random(42) }))
 */
export class EmbeddingDotBias implements Model {
  readonly outputs: number = 1;
  /** User factors, nUsers × nFactors. */
  readonly uWeight: Parameter;
  /** Item factors, nItems × nFactors. */
  readonly iWeight: Parameter;
  /** User biases, nUsers × 1. */
  readonly uBias: Parameter;
  /** Item biases, nItems × 1. */
  readonly iBias: Parameter;
  readonly parameters: readonly Parameter[];
  /** Sigmoid range of the prediction, if any. */
  readonly yRange: readonly [number, number] | undefined;
  private users = int32(0);
  private items = int32(0);
  private out = float32(0);
  private size = 0;
  private readonly range: SigmoidRange | undefined;
  private readonly gradient = new Scratch();

  /**
   * @param nFactors width of the factors
   * @param classes vocabularies of users and items (a CollabDataLoaders' `classes`)
   * @param options `yRange`, and `random`, which the weights are drawn from; without it they are 0,
   *   to be loaded
   */
  constructor(
    readonly nFactors: number,
    readonly classes: { user: Vocabulary; item: Vocabulary },
    options: EmbeddingDotBiasOptions & { random?: Random } = {},
  ) {
    const { yRange, random } = given(DEFAULTS, options, 'EmbeddingDotBias');
    checkCount(nFactors, 'nFactors');
    checkClasses(classes, 'EmbeddingDotBias');
    if (random !== undefined) checkRandom(random, 'EmbeddingDotBias');
    this.yRange = yRange;
    this.range = yRange && new SigmoidRange(yRange);
    const table = (name: string, rows: number, width: number): Parameter => {
      const p = new Parameter(name, [rows, width], { table: true });
      return random ? initEmbedding(p, random.child(name)) : p;
    };
    this.uWeight = table('uWeight', classes.user.length, nFactors);
    this.iWeight = table('iWeight', classes.item.length, nFactors);
    this.uBias = table('uBias', classes.user.length, 1);
    this.iBias = table('iBias', classes.item.length, 1);
    this.parameters = [this.uWeight, this.iWeight, this.uBias, this.iBias];
  }

  touch({ inputs: [users, items], size }: Batch): void {
    for (const p of [this.uWeight, this.uBias]) p.touch(users, size);
    for (const p of [this.iWeight, this.iBias]) p.touch(items, size);
  }

  forward({ inputs: [users, items], size }: Batch): Float32Array {
    checkCount(size, 'The size of a batch', { least: 0 });
    if (this.out.length < size) {
      this.users = int32(size);
      this.items = int32(size);
      this.out = float32(size);
    }
    this.size = size;
    copy(users, this.users, size, this.classes.user.length, 'user');
    copy(items, this.items, size, this.classes.item.length, 'item');
    const { uWeight, iWeight, uBias, iBias, out } = this;
    // out[r] = U[u]·V[i] + b[u] + c[i]
    const indices = [this.users.byteOffset, this.items.byteOffset] as const;
    const [u, v, b, c] = [uWeight, iWeight, uBias, iBias].map(({ value }) => value.byteOffset);
    kernels().dotBiasForward(size, this.nFactors, ...indices, u, v, b, c, out.byteOffset);
    return this.range ? this.range.forward(out.subarray(0, size)) : out;
  }

  backward(gradient: Float32Array): void {
    const { size, users, items, uWeight, iWeight, uBias, iBias } = this;
    if (gradient.length < size)
      throw new ArgumentError(
        `The gradient must hold ${size} values, as many as the last prediction, got ${gradient.length}.`,
      );
    const [userSlots, itemSlots] = [uWeight.slots!, iWeight.slots!];
    for (let r = 0; r < size; r++) {
      if (userSlots[users[r]] < 0) throw untouched('uWeight', users[r]);
      if (itemSlots[items[r]] < 0) throw untouched('iWeight', items[r]);
    }
    const used = gradient.subarray(0, size);
    const d = this.range ? this.range.backward(used) : this.gradient.shared(used);
    // The gradients of U[u], V[i], b[u] and c[i] take in d·V[i], d·U[u], d and d.
    const rows = [users.byteOffset, items.byteOffset, d.byteOffset] as const;
    const [u, v, ...slots] = [uWeight.value, iWeight.value, userSlots, itemSlots];
    const [du, dv, db, dc] = [uWeight, iWeight, uBias, iBias].map(({ grad }) => grad.byteOffset);
    const tables = [u.byteOffset, v.byteOffset, slots[0].byteOffset, slots[1].byteOffset] as const;
    kernels().dotBiasBackward(size, this.nFactors, ...rows, ...tables, du, dv, db, dc);
  }

  /**
   * Biases by class name, a copy; fastai's `model.bias(names, is_item)`.
   * @param names class names: the ids (or titles) that the loaders were made with
   * @param options.isItem items (default) or users
   */
  bias(names: readonly string[], options: { isItem?: boolean } = {}): Float32Array {
    const { isItem } = given({ isItem: true }, options, 'bias');
    const rows = this.rowsOf(names, isItem);
    const { value } = isItem ? this.iBias : this.uBias;
    return Float32Array.from(rows, (r) => value[r]);
  }

  /** Factor rows by class name, one array each, copies; fastai's `model.weight(names, is_item)`. */
  weight(names: readonly string[], options: { isItem?: boolean } = {}): Float32Array[] {
    const { isItem } = given({ isItem: true }, options, 'weight');
    const { value } = isItem ? this.iWeight : this.uWeight;
    return this.rowsOf(names, isItem).map((r) =>
      value.slice(r * this.nFactors, (r + 1) * this.nFactors),
    );
  }

  private rowsOf(names: readonly string[], isItem: boolean): number[] {
    const of = `weight or bias of ${isItem ? 'items' : 'users'}`;
    checkArgument(Array.isArray(names), names, of, "an array of names, such as ['a', 'b']");
    return names.map((name) => this.classes[isItem ? 'item' : 'user'].index(name));
  }
}

/** Throws unless these are vocabularies of users and items. */
export function checkClasses(classes: { user: Vocabulary; item: Vocabulary }, of: string): void {
  const wanted = 'the classes of users and items: the classes of CollabDataLoaders';
  checkArgument(Boolean(classes?.user && classes.item), classes, of, wanted);
}

/** Copies indices to the shared memory, and checks that each is a row: a kernel does not. */
function copy(from: Int32Array, to: Int32Array, n: number, rows: number, what: string): void {
  for (let r = 0; r < n; r++) {
    const index = from[r];
    if (!(index >= 0 && index < rows))
      throw new ArgumentError(
        `Row ${r} of the batch has ${what} index ${index}; the model has ${rows} ${what} rows.`,
      );
    to[r] = index;
  }
}

printed(EmbeddingDotBias, ({ constructor: type, parameters, yRange }) => {
  const tables = Object.fromEntries(
    parameters.map(({ name, shape }) => [name, `Embedding(${shape.join(', ')})`]),
  );
  return tree(type.name, {
    ...tables,
    ...(yRange && { yRange: `SigmoidRange([${yRange.join(', ')}])` }),
  });
});
