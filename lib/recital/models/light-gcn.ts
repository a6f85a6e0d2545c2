import { float32 } from '../compute/memory.js';
import type { Random } from '../compute/random.js';
import type { Batch } from '../data/batches.js';
import { Csr, type CsrRows } from '../data/csr.js';
import type { Vocabulary } from '../data/vocabulary.js';
import { ArgumentError } from '../errors.js';
import type { Model, TrainingLoss } from '../nn/model.js';
import { checkRandom } from '../nn/module.js';
import { Parameter } from '../nn/parameter.js';
import { checkArgument, checkCount, checkNumber, given, isNumbers } from '../options.js';
import { checkClasses } from './embedding-dot-bias.js';

const DEFAULTS = {
  /** Length of the embeddings. */
  nFactors: 64,
  /** Number of propagation layers. */
  layers: 3,
  /**
   * λ of the penalty on the embeddings that a batch reads; default 1e-5 (RecBole's `reg_weight`;
   * the authors' code has 1e-4), 0 for none.
   */
  reg: 1e-5,
};

/** Options of LightGCN. */
export type LightGCNOptions = Partial<typeof DEFAULTS>;

/**
 * LightGCN (He et al., 2020): a vector for every user and item, propagated layer by layer over the
 * graph of who played what, e⁽ˡ⁺¹⁾ = Â·e⁽ˡ⁾ with Â[u, i] = 1/√(n_u·n_i). The final vector is the
 * mean of all layers, e⁽⁰⁾ included, and the prediction is the product of two final vectors. Row 0
 * of users and of items is `#na#`, which has no neighbour. Embeddings start uniform in ±√(6/(rows +
 * nFactors)), Xavier's rule for users and for items, as in RecBole: with a larger start the vectors
 * of rarely played tracks stay noise.
 *
 * Every step propagates all vectors, forward and backward, so batches should be large: 2,048 rows
 * and more.
 * @example new LightGCN(dls.classes, dls.seen, { layers: 2, random: new Random(42) })
 */
export class LightGCN implements Model {
  readonly outputs: number = 1;
  /** Predictions have no bounds. */
  readonly yRange: undefined;
  /** Length of a vector. */
  readonly nFactors: number;
  /** Number of propagation layers. */
  readonly layers: number;
  /** λ of the penalty on the embeddings that a batch reads. */
  readonly reg: number;
  /** The vectors of users, then those of items: rows × nFactors. */
  readonly weight: Parameter;
  readonly parameters: readonly Parameter[];
  private readonly graph: Csr<Float32Array>;
  private readonly final: Float32Array;
  private readonly gradient: Float32Array;
  private readonly first: Float32Array;
  private readonly spare: Float32Array;
  private batch:
    | { users: Int32Array; items: Int32Array; size: number; out: Float32Array }
    | undefined;

  /**
   * @param classes vocabularies of users and items (a CollabDataLoaders' `classes`)
   * @param seen the items of each user in training, by class index (a CollabDataLoaders' `seen`)
   * @param options and `random`, which the weights are drawn from; without it they are 0, to be
   *   loaded
   */
  constructor(
    readonly classes: { user: Vocabulary; item: Vocabulary },
    seen: CsrRows,
    options: LightGCNOptions & { random?: Random } = {},
  ) {
    const all = { ...DEFAULTS, random: undefined as Random | undefined };
    const { nFactors, layers, reg, random } = given(all, options, 'LightGCN');
    if (random !== undefined) checkRandom(random, 'LightGCN');
    checkClasses(classes, 'LightGCN');
    checkCount(nFactors, 'nFactors');
    checkCount(layers, 'layers');
    const wanted = 'the items of each user in training: the seen of CollabDataLoaders';
    checkArgument(isNumbers(seen?.indptr), seen, 'LightGCN', wanted);
    checkNumber(reg, reg >= 0 && reg < Infinity, 'reg must be a number, 0 or more');
    this.nFactors = nFactors;
    this.layers = layers;
    this.reg = reg;
    this.weight = new Parameter('weight', [classes.user.length + classes.item.length, nFactors]);
    const { value } = this.weight;
    if (random) {
      const users = classes.user.length * nFactors;
      initXavier(value.subarray(0, users), nFactors, random);
      initXavier(value.subarray(users), nFactors, random);
    }
    this.parameters = [this.weight];
    [this.final, this.gradient, this.first, this.spare] = [0, 0, 0, 0].map(() =>
      float32(value.length),
    );
    this.graph = adjacency(seen, classes.user.length, classes.item.length);
  }

  touch(_batch: Batch): void {} // every row has a gradient, by way of the graph

  forward({ inputs: [users, items], size }: Batch): Float32Array {
    const { nFactors } = this;
    const [nUsers, nItems] = [this.classes.user.length, this.classes.item.length];
    const all = this.propagated();
    const out = new Float32Array(size);
    for (let r = 0; r < size; r++) {
      const u = this.row(users[r], nUsers, 'user') * nFactors;
      const i = (nUsers + this.row(items[r], nItems, 'item')) * nFactors;
      let sum = 0;
      for (let f = 0; f < nFactors; f++) sum += all[u + f] * all[i + f];
      out[r] = sum;
    }
    this.batch = { users, items, size, out };
    return out;
  }

  backward(gradient: Float32Array): void {
    const { batch, final, nFactors, weight } = this;
    if (!batch || gradient.length < batch.size)
      throw new ArgumentError(
        `The gradient must hold as many values as the last prediction, got ${gradient.length}.`,
      );
    const d = this.gradient.fill(0);
    for (let r = 0; r < batch.size; r++) {
      const g = gradient[r];
      const u = batch.users[r] * nFactors;
      const i = (this.classes.user.length + batch.items[r]) * nFactors;
      for (let f = 0; f < nFactors; f++) {
        d[u + f] += g * final[i + f];
        d[i + f] += g * final[u + f];
      }
    }
    this.meanOfLayers(d, d); // Â is symmetric, so the gradient propagates as the embeddings do
    const { grad } = weight;
    for (let j = 0; j < grad.length; j++) grad[j] += d[j];
  }

  /**
   * λ·Σ(½‖e_u‖² + ‖e_i‖²)/rows over the rows (u, i) of the last batch, e of layer 0. With a
   * negative for each positive that is the published λ·½·Σ(‖e_u‖² + ‖e_i⁺‖² + ‖e_i⁻‖²)/pairs.
   */
  penalty(): TrainingLoss | undefined {
    const { batch, reg, nFactors, weight } = this;
    if (!batch || reg === 0) return undefined;
    const { value, grad } = weight;
    const each = (work: (at: number, factor: number) => void): void => {
      for (let r = 0; r < batch.size; r++) {
        work(batch.users[r] * nFactors, reg / batch.size);
        work((this.classes.user.length + batch.items[r]) * nFactors, (2 * reg) / batch.size);
      }
    };
    let sum = 0;
    each((at, factor) => {
      for (let j = at; j < at + nFactors; j++) sum += 0.5 * factor * value[j] ** 2;
    });
    return {
      value: sum,
      backward: (scale) =>
        each((at, factor) => {
          for (let j = at; j < at + nFactors; j++) grad[j] += scale * factor * value[j];
        }),
    };
  }

  /**
   * The final vectors of users, then items, of the weights as they are. A view: valid until the
   * next call or forward.
   */
  propagated(): Float32Array {
    this.meanOfLayers(this.weight.value, this.final);
    return this.final;
  }

  /**
   * Σ of the vectors of layers 0 … layers − 1: up to its norm, the vector of a new neighbour. A
   * view, as of `propagated`.
   */
  passedOn(): Float32Array {
    this.sumOfLayers(this.weight.value, this.final, this.layers - 1, 1);
    return this.final;
  }

  /**
   * out = the mean of layers 0 … layers of x, by Horner's rule: with y = x/(layers + 1), y + Â·(y +
   * Â·(y + …)).
   */
  private meanOfLayers(x: Float32Array, out: Float32Array): void {
    this.sumOfLayers(x, out, this.layers, 1 / (this.layers + 1));
  }

  private sumOfLayers(x: Float32Array, out: Float32Array, layers: number, factor: number): void {
    const { first, spare, nFactors: width } = this;
    for (let j = 0; j < x.length; j++) first[j] = factor * x[j];
    let from = first;
    for (let layer = 0; layer < layers; layer++) {
      const to = (layers - layer) % 2 === 1 ? out : spare; // the last one is `out`
      this.graph.times(from, to, { width, plus: first });
      from = to;
    }
    if (layers === 0) out.set(first);
  }

  private row(index: number, rows: number, what: string): number {
    if (index >= 0 && index < rows) return index;
    throw new ArgumentError(
      `The batch has ${what} index ${index}; the model has ${rows} ${what} rows.`,
    );
  }
}

/** Initial weights of a table, uniform in ±√(6/(rows + width)): Xavier's rule. */
function initXavier(value: Float32Array, width: number, random: Random): void {
  const bound = Math.sqrt(6 / (value.length / width + width));
  for (let j = 0; j < value.length; j++) value[j] = bound * (2 * random.uniform() - 1);
}

/** Â, users then items. */
function adjacency({ indptr, indices }: CsrRows, users: number, items: number): Csr<Float32Array> {
  const starts = new Int32Array(users + items + 1);
  const degree = new Int32Array(users + items);
  const edges = (work: (u: number, i: number) => void): void => {
    for (
      let u = 1;
      u < users;
      u++ // without #na#
    )
      for (let j = indptr[u]; j < indptr[u + 1]; j++) if (indices[j]) work(u, users + indices[j]);
  };
  edges((u, i) => {
    degree[u]++;
    degree[i]++;
  });
  for (let n = 0; n < degree.length; n++) starts[n + 1] = starts[n] + degree[n];
  const next = starts.slice(0, degree.length);
  const shape = [degree.length, degree.length] as const;
  const graph = Csr.onShared(shape, starts[degree.length], Float32Array);
  const { indices: to, data } = graph;
  graph.indptr.set(starts);
  edges((u, i) => {
    const norm = 1 / Math.sqrt(degree[u] * degree[i]);
    to[next[u]] = i;
    data[next[u]++] = norm;
    to[next[i]] = u;
    data[next[i]++] = norm;
  });
  return graph;
}
