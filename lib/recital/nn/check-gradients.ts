import { Random } from '../compute/random.js';
import type { Batch } from '../data/batches.js';
import { display } from '../data/display.js';
import { Table } from '../data/table.js';
import { NumericError } from '../errors.js';
import { checkNumber, checkOptions } from '../options.js';
import { type Loss, lossGradient, lossOf } from './loss.js';
import { MSELossFlat } from './losses.js';
import { checkModel, type Model, predictions } from './model.js';
import type { Parameter } from './parameter.js';

/** Options of checkGradients. */
export interface CheckGradientsOptions {
  /** The loss that is differentiated; default MSELossFlat. */
  lossFunc?: Loss;
  /** Gap allowed, as a share of the parameter's largest derivative; default 0.01. */
  tolerance?: number;
  /**
   * Values tried per parameter, evenly spread over those whose gradient is not 0; default 50.
   * Infinity: all. Of a table only rows that the batch reads are tried. The values whose gradient
   * is 0 are moved together, once: the loss must not change.
   */
  samples?: number;
}

/**
 * Checks a model's hand-written gradients against central differences, (L(w + h) − L(w − h)) / 2h,
 * for a batch. Everything is computed with float32 weights, so the two agree to about three digits.
 * Weights, state and gradients are as before afterwards.
 *
 * The loss itself is known to about seven digits. Where weights are as small as at the start of
 * training, or the batch is large, one of them may change it by less than that: then the check
 * takes larger steps, and where these do not help either, says that it cannot tell.
 * @param model what has forward and backward
 * @param batch rows with targets
 * @returns a table with a row for each parameter: its name, its shape, how many values were tried,
 *   and the largest gap as a share of its largest derivative: a missing value, and a warning, where
 *   it could not tell whether the gradient is right
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
  checkOptions(options, ['lossFunc', 'tolerance', 'samples'], 'checkGradients');
  const { lossFunc = new MSELossFlat(), tolerance = 0.01, samples = 50 } = options;
  checkNumber(tolerance, tolerance > 0, 'tolerance must be positive');
  checkNumber(samples, samples >= 1, 'samples must be at least 1');
  const state = (model.buffers ?? []).map((b) => b.value.slice());
  const restore = (): void => {
    for (const [i, b] of (model.buffers ?? []).entries()) b.value.set(state[i]);
  };
  const { size, targets, weights } = batch;
  const forward = () => {
    restore(); // the same dropout mask and statistics each time
    return {
      size,
      targets,
      weights,
      outputs: model.outputs,
      pred: predictions(model, batch, { training: true }),
    };
  };
  const value = (): number => {
    const at = forward();
    return (
      (model.trainingLoss?.()?.value ?? lossOf(lossFunc, at)) + (model.penalty?.()?.value ?? 0)
    );
  };
  try {
    for (const p of model.parameters) p.zeroGrad();
    model.touch?.(batch);
    const at = forward();
    const own = model.trainingLoss?.();
    const penalty = model.penalty?.();
    const loss = (own ? own.value : lossOf(lossFunc, at)) + (penalty?.value ?? 0);
    if (!Number.isFinite(loss))
      throw new NumericError(`The loss of the batch is ${loss}, so it has no gradient.`);
    if (own) own.backward(1);
    else {
      const out = new Float32Array(size * model.outputs);
      lossGradient(lossFunc, at, { out });
      model.backward(out);
    }
    penalty?.backward(1);
    const rows = model.parameters.map((p) => {
      const { tried, gap = null } = checkParameter(p, { loss, value, tolerance, samples });
      return { parameter: p.name, shape: p.shape.join(' × '), tried, gap };
    });
    const unclear = rows.filter(({ gap }) => gap === null).map(({ parameter }) => parameter);
    if (unclear.length) {
      display().warn(
        `checkGradients cannot tell whether the gradient of ${unclear.join(', ')} is right: the loss changes by less than its rounding, or not in a straight ` +
          'line. Check a copy of the model with larger initial weights (a hundred times as large, say), or with a smaller batch.',
      );
    }
    return Table.fromRows(rows);
  } finally {
    restore();
    for (const p of model.parameters) p.zeroGrad();
  }
}

/** What a parameter is checked with. */
export interface ParameterCheck {
  /** The loss as the weights are. */
  loss: number;
  /** The loss as they then are. */
  value: () => number;
  tolerance: number;
  samples: number;
}

/** What has come of it. */
export interface CheckedParameter {
  /** Values that were moved. */
  tried: number;
  /**
   * Largest gap as a share of the largest derivative, of the values that could be compared;
   * undefined if most, or that of the largest, could not.
   */
  gap: number | undefined;
}

/** The loss of float32 predictions is known to about seven digits. */
const ROUNDING = 5e-7;
/** Steps grow by this, up to the largest, until the loss changes by more than rounding. */
const GROWTH = 4;
const LARGEST_STEP = 10;

/**
 * So many times the tolerance a derivative must be away from the slope of a straight line to be
 * wrong: what goes over many kinks may look like one.
 */
const CLEARLY = 3;

/** A difference of losses. */
interface Difference {
  h: number;
  /** (L(w + h) − L(w − h)) / 2h. */
  slope: number;
  /** How far off the rounding of the loss may take it. */
  noise: number;
  /** (L(w + h) + L(w − h) − 2 L(w)) / 2h: 0 where the loss is a straight line. */
  bend: number;
}

type Verdict = 'right' | 'wrong' | 'unclear';

/**
 * Compares a parameter's gradient with differences of the loss.
 * @throws NumericError for the first value whose derivative is wrong
 */
export function checkParameter(p: Parameter, check: ParameterCheck): CheckedParameter {
  const { loss, tolerance, samples } = check;
  const n = p.gradSize;
  let most = 0;
  for (let g = 0; g < n; g++) if (Math.abs(p.grad[g]) > Math.abs(p.grad[most])) most = g;
  const largest = n ? Math.abs(p.grad[most]) : 0;
  const place = (g: number): number =>
    p.slots ? p.touched[Math.floor(g / p.width)] * p.width + (g % p.width) : g;
  const all = Array.from({ length: n }, (_, g) => g);
  const moving = all.filter((g) => p.grad[g] !== 0);
  const from = moving.length ? moving : all; // of a table without slots a batch moves few rows: most values say nothing
  const tried = Array.from(
    { length: Math.min(from.length, samples) },
    (_, k) => from[Math.floor((k * from.length) / Math.min(from.length, samples))],
  );
  if (largest > 0 && !tried.includes(most)) tried[tried.length - 1] = most; // the measure of all others
  const steps = stepsFor(p, { largest, loss, tolerance });
  let worst = 0;
  let told = 0;
  let measured = largest === 0;
  for (const g of tried) {
    const found = steps.map((h) => difference(p.value, [place(g)], { ...check, h }));
    const exact = p.grad[g];
    const verdict = judge(exact, found, { largest, tolerance });
    const gap = (x: Difference): number => Math.abs(exact - x.slope);
    if (verdict === 'wrong') {
      const { slope } = found.reduce((best, x) =>
        gap(x) + x.noise < gap(best) + best.noise ? x : best,
      );
      throw new NumericError(
        `The gradient of ${p.name}[${place(g)}] is ${exact.toPrecision(4)} by backward and ${slope.toPrecision(4)} by central differences; ` +
          `the parameter's largest is ${largest.toPrecision(4)}.`,
      );
    }
    if (verdict === 'unclear') continue;
    told++;
    if (g === most) measured = true;
    if (largest > 0 && !isNothing(exact, found))
      worst = Math.max(worst, Math.min(...found.map(gap)) / largest);
  }
  const still = all.filter((g) => p.grad[g] === 0).map(place);
  if (still.length) {
    const found = [...steps, steps[0] / 4].map((h) => difference(p.value, still, { ...check, h }));
    if (judge(0, found, { largest, tolerance }) === 'wrong') {
      const { slope } = found[0];
      throw new NumericError(
        `The gradient of ${p.name} is 0 by backward at ${still.length} of ${n} values, such as ${p.name}[${still[0]}], yet the loss changes with them: ` +
          `by ${Math.abs(slope).toPrecision(4)} where all of them move by 1, up or down.`,
      );
    }
  }
  return { tried: tried.length, gap: measured && 2 * told >= tried.length ? worst : undefined };
}

/**
 * The steps to try. A large one drowns the rounding, a small one does not go over the kink of a
 * ReLU: a wrong gradient is far from all of them. Of small weights, such as fastai's first ones,
 * none of a size like theirs changes the loss enough; so larger ones follow, until two do.
 */
function stepsFor(
  p: Parameter,
  { largest, loss, tolerance }: { largest: number; loss: number; tolerance: number },
): number[] {
  const size = Math.sqrt(p.value.reduce((sum, w) => sum + w * w, 0) / p.value.length) || 1;
  const steps = [size / 400, size / 100, size / 10];
  const telling = (h: number): boolean =>
    (ROUNDING * Math.abs(loss)) / h <= (tolerance * largest) / 2;
  while (!telling(steps[steps.length - 2]) && steps[steps.length - 1] < LARGEST_STEP)
    steps.push(GROWTH * steps[steps.length - 1]);
  return steps;
}

/**
 * What differences of the loss say of a derivative.
 * - Right: one that is known well enough, to the tolerance, agrees; or nothing changes the loss.
 * - Wrong: none agrees, whatever the rounding; or two steps over which the loss is a straight line find the same slope, and it is quite another one.
 * - Unclear: those that agree would agree with much else.
 */
export function judge(
  exact: number,
  found: readonly Difference[],
  { largest, tolerance }: { largest: number; tolerance: number },
): Verdict {
  const allowed = tolerance * largest;
  const agrees = ({ slope, noise }: Difference): boolean =>
    Math.abs(exact - slope) <= allowed + noise;
  if (found.some((x) => x.noise <= allowed / 2 && Math.abs(exact - x.slope) <= allowed))
    return 'right';
  if (isNothing(exact, found)) return 'right';
  if (!found.some(agrees)) return 'wrong';
  const straight = found.filter(({ slope, noise, bend }) => {
    const small = tolerance * Math.max(largest, Math.abs(slope));
    return noise <= small / 2 && Math.abs(bend) <= small + noise;
  });
  const [a, b] = straight.slice(-2);
  if (!b || Math.abs(a.slope - b.slope) > allowed + a.noise + b.noise) return 'unclear';
  return [a, b].every(({ slope, noise }) => Math.abs(exact - slope) > CLEARLY * (allowed + noise))
    ? 'wrong'
    : 'unclear';
}

/**
 * Whether the loss does not change, however far a value is moved, and backward says so: a bias
 * before batch norm, or what a batch does not read.
 */
function isNothing(exact: number, found: readonly Difference[]): boolean {
  return (
    found.some(({ h }) => h >= LARGEST_STEP) &&
    found.every(({ slope, noise }) => Math.max(Math.abs(exact), Math.abs(slope)) <= noise)
  );
}

/**
 * How the loss changes where some values move at once, each up or down by chance, so that they do
 * not make up for each other; one moves up first.
 */
function difference(
  values: Float32Array,
  indices: readonly number[],
  { h, value, loss }: { h: number; value: () => number; loss: number },
): Difference {
  const before = indices.map((index) => values[index]);
  const random = new Random('checkGradients');
  const signs = indices.map(() => (indices.length > 1 && random.uniform() < 0.5 ? -1 : 1));
  const losses = [h, -h].map((step) => {
    for (const [i, index] of indices.entries()) values[index] = before[i] + signs[i] * step;
    return value();
  });
  const span =
    indices.length === 1 ? Math.fround(before[0] + h) - Math.fround(before[0] - h) : 2 * h; // weights are rounded, too
  for (const [i, index] of indices.entries()) values[index] = before[i];
  return {
    h,
    slope: (losses[0] - losses[1]) / span,
    noise: (ROUNDING * Math.abs(loss)) / h,
    bend: (losses[0] + losses[1] - 2 * loss) / span,
  };
}
