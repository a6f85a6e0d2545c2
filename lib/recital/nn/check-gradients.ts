import { Random } from '../compute/random.js';
import type { Batch } from '../data/batches.js';
import { display } from '../data/output.js';
import { Table } from '../data/table.js';
import { NumericError } from '../errors.js';
import { checkNumber, given } from '../options.js';
import { type Loss, lossGradient, lossOf, MSELossFlat } from './losses.js';
import { checkModel, type Model, predictions } from './model.js';
import type { Parameter } from './parameter.js';

const DEFAULTS = {
  /** The loss that is differentiated; default MSELossFlat. */
  lossFunc: undefined as Loss | undefined,
  /** Gap allowed, as a share of the parameter's largest derivative. */
  tolerance: 0.01,
  /**
   * Values tried per parameter, evenly spread over those whose gradient is not 0; Infinity: all.
   * Of a table only rows that the batch reads are tried. The values whose gradient is 0 are moved
   * together, once: the loss must not change.
   */
  samples: 50,
};

/** Options of checkGradients. */
export type CheckGradientsOptions = Partial<typeof DEFAULTS>;

/**
 * Checks a model's hand-written gradients against central differences, (L(w + h) − L(w − h)) / 2h,
 * for a batch. Everything is computed with float32 weights, so the two agree to about three digits.
 * Weights, state and gradients are as before afterwards.
 *
 * The loss itself is known to about seven digits. Where weights are as small as at the start of
 * training, or the batch is large, one weight may change it by less than that: then the check takes
 * larger steps and, if these do not help either, says that it cannot tell.
 * @param model an object with forward and backward
 * @param batch rows with targets
 * @returns a table with a row for each parameter: its name, its shape, how many values were tried,
 *   and the largest gap as a share of its largest derivative: a missing value, and a warning, if it
 *   could not tell whether the gradient is right
 * @throws NumericError that names the first value whose gap exceeds the tolerance
 * @example
 * const loaders = CollabDataLoaders.fromPlays(plays);
 * checkGradients(new EmbeddingDotBias(5, loaders.classes, { random: new Random(1) }), loaders.oneBatch());
 */
export function checkGradients(
  model: Model,
  batch: Batch,
  options: CheckGradientsOptions = {},
): Table {
  checkModel(model, 'checkGradients');
  const settings = given(DEFAULTS, options, 'checkGradients');
  const { lossFunc = new MSELossFlat(), tolerance, samples } = settings;
  checkNumber(tolerance, tolerance > 0, 'tolerance must be positive');
  checkNumber(samples, samples >= 1, 'samples must be at least 1');
  const { size, targets, weights } = batch;
  const { outputs, buffers = [] } = model;
  const state = buffers.map((b) => b.value.slice());
  const restore = (): void => {
    for (const [i, b] of buffers.entries()) b.value.set(state[i]);
  };
  const forward = () => {
    restore(); // the same dropout mask and statistics each time
    const pred = predictions(model, batch, { training: true });
    const rows = { size, targets, weights, outputs, pred };
    const [own, penalty] = [model.trainingLoss?.(), model.penalty?.()];
    const value = (own ? own.value : lossOf(lossFunc, rows)) + (penalty?.value ?? 0);
    return { rows, own, penalty, value };
  };
  try {
    for (const p of model.parameters) p.zeroGrad();
    model.touch?.(batch);
    const { rows, own, penalty, value } = forward();
    if (!Number.isFinite(value))
      throw new NumericError(`The loss of the batch is ${value}, so it has no gradient.`);
    if (own) own.backward(1);
    else {
      const out = new Float32Array(size * outputs);
      lossGradient(lossFunc, rows, { out });
      model.backward(out);
    }
    penalty?.backward(1);
    const lossAt = { loss: value, value: () => forward().value, tolerance, samples };
    const checked = model.parameters.map((p) => {
      const { tried, gap = null } = checkParameter(p, lossAt);
      return { parameter: p.name, shape: p.shape.join(' × '), tried, gap };
    });
    const unclear = checked.filter(({ gap }) => gap === null).map(({ parameter }) => parameter);
    if (unclear.length) {
      display().warn(
        `checkGradients cannot tell whether the gradient of ${unclear.join(', ')} is right: the loss changes by less than its rounding, or not in a straight line. Check a copy of the model with larger initial weights (a hundred times as large, say), or with a smaller batch.`,
      );
    }
    return Table.fromRows(checked);
  } finally {
    restore();
    for (const p of model.parameters) p.zeroGrad();
  }
}

interface Check {
  /** The loss of the weights before they are moved. */
  loss: number;
  /** Computes the loss. */
  value: () => number;
  tolerance: number;
  samples: number;
}

/** The loss of float32 predictions is known to about seven digits. */
const ROUNDING = 5e-7;
/** Steps grow by this factor, up to the largest, until the loss changes by more than rounding. */
const GROWTH = 4;
const LARGEST_STEP = 10;

/** Multiple of the tolerance that is clearly another slope: many kinks may look like a line. */
const CLEARLY = 3;

/** A central difference of the loss. */
interface Difference {
  h: number;
  /** (L(w + h) − L(w − h)) / 2h. */
  slope: number;
  /** Error bound of the slope from float rounding of the loss. */
  noise: number;
  /** (L(w + h) + L(w − h) − 2 L(w)) / 2h: 0 where the loss is a straight line. */
  bend: number;
}

/**
 * Compares a parameter's gradient with differences of the loss.
 * @returns how many values were moved, and the largest gap as a share of the largest derivative;
 *   undefined if most values, or that with the largest derivative, could not be judged
 * @throws NumericError for the first value whose derivative is wrong
 */
function checkParameter(p: Parameter, check: Check): { tried: number; gap: number | undefined } {
  const all = Array.from({ length: p.gradSize }, (_, g) => g);
  const place = (g: number): number =>
    p.slots ? p.touched[Math.floor(g / p.width)] * p.width + (g % p.width) : g;
  const size = (g: number): number => Math.abs(p.grad[g]);
  const most = all.reduce((best, g) => (size(g) > size(best) ? g : best), 0);
  const largest = all.length ? size(most) : 0;
  const moving = all.filter((g) => p.grad[g] !== 0);
  const from = moving.length ? moving : all;
  const count = Math.min(from.length, check.samples);
  const tried = all.slice(0, count).map((k) => from[Math.floor((k * from.length) / count)]);
  if (largest > 0 && !tried.includes(most)) tried[tried.length - 1] = most;
  const allowed = check.tolerance * largest;
  const limits = { tolerance: check.tolerance, allowed };
  const steps = stepsFor(p, check.loss, allowed);
  const gaps = new Map<number, number>();
  for (const g of tried) {
    const exact = p.grad[g];
    const found = steps.map((h) => difference(p.value, [place(g)], h, check));
    const gap = gapOf(exact, found, limits);
    if (gap === 'wrong')
      throw new NumericError(
        `The gradient of ${p.name}[${place(g)}] is ${exact.toPrecision(4)} by backward and ${nearest(exact, found).toPrecision(4)} by central differences; the parameter's largest is ${largest.toPrecision(4)}.`,
      );
    if (gap !== undefined) gaps.set(g, largest > 0 ? gap / largest : 0);
  }
  const still = all.filter((g) => p.grad[g] === 0).map(place);
  if (still.length) {
    const found = [...steps, steps[0] / 4].map((h) => difference(p.value, still, h, check));
    if (gapOf(0, found, limits) === 'wrong')
      throw new NumericError(
        `The gradient of ${p.name} is 0 by backward at ${still.length} of ${all.length} values, such as ${p.name}[${still[0]}], yet the loss changes with them: by ${Math.abs(found[0].slope).toPrecision(4)} where all of them move by 1, up or down.`,
      );
  }
  const clear = (largest === 0 || gaps.has(most)) && 2 * gaps.size >= count;
  return { tried: count, gap: clear ? Math.max(0, ...gaps.values()) : undefined };
}

/**
 * The steps to try: small ones, which do not cross the kink of a ReLU, then larger ones, until two
 * drown the rounding of the loss. At weights as small as fastai's first ones only large steps do.
 */
function stepsFor(p: Parameter, loss: number, allowed: number): number[] {
  const size = Math.sqrt(p.value.reduce((sum, w) => sum + w * w, 0) / p.value.length) || 1;
  const steps = [size / 400, size / 100, size / 10];
  while ((ROUNDING * Math.abs(loss)) / steps.at(-2)! > allowed / 2 && steps.at(-1)! < LARGEST_STEP)
    steps.push(GROWTH * steps.at(-1)!);
  return steps;
}

/**
 * The smallest gap between a derivative and the slopes of the loss; undefined if they cannot tell.
 * The derivative is right if a slope agrees whose rounding lies within half the tolerance, and wrong
 * if none agrees even within its rounding, or if two, of steps over which the loss is a straight
 * line, clearly do not.
 */
function gapOf(
  exact: number,
  found: readonly Difference[],
  { tolerance, allowed }: { tolerance: number; allowed: number },
): number | 'wrong' | undefined {
  const gap = ({ slope }: Difference): number => Math.abs(exact - slope);
  if (found.some((x) => x.noise <= allowed / 2 && gap(x) <= allowed))
    return Math.min(...found.map(gap));
  // the loss does not change however far the value is moved: a bias before batch norm, say
  const still = (x: Difference): boolean => Math.max(Math.abs(exact), Math.abs(x.slope)) <= x.noise;
  if (found.some(({ h }) => h >= LARGEST_STEP) && found.every(still)) return 0;
  if (found.every((x) => gap(x) > allowed + x.noise)) return 'wrong';
  const straight = found.filter(({ slope, noise, bend }) => {
    const small = Math.max(allowed, tolerance * Math.abs(slope));
    return noise <= small / 2 && Math.abs(bend) <= small + noise;
  });
  const off = straight.filter((x) => gap(x) > CLEARLY * (allowed + x.noise));
  return off.length >= 2 && off.length === straight.length ? 'wrong' : undefined;
}

/** The slope that comes nearest to a derivative, noise counted. */
function nearest(exact: number, found: readonly Difference[]): number {
  const off = ({ slope, noise }: Difference): number => Math.abs(exact - slope) + noise;
  return found.reduce((best, x) => (off(x) < off(best) ? x : best)).slope;
}

/**
 * The change of the loss when some values move together, up or down at random, so that their
 * changes do not cancel; a single one moves up first.
 */
function difference(
  values: Float32Array,
  indices: readonly number[],
  h: number,
  { value, loss }: Check,
): Difference {
  const before = indices.map((index) => values[index]);
  const random = new Random('checkGradients');
  const signs = indices.map(() => (indices.length > 1 && random.uniform() < 0.5 ? -1 : 1));
  const [up, down] = [h, -h].map((step) => {
    for (const [i, index] of indices.entries()) values[index] = before[i] + signs[i] * step;
    return value();
  });
  for (const [i, index] of indices.entries()) values[index] = before[i];
  const exactly = Math.fround(before[0] + h) - Math.fround(before[0] - h); // weights are rounded too
  const span = indices.length === 1 ? exactly : 2 * h;
  const noise = (ROUNDING * Math.abs(loss)) / h;
  return { h, slope: (up - down) / span, noise, bend: (up + down - 2 * loss) / span };
}
