import { Random } from '../compute/random.js';
import { NumericError } from '../errors.js';
import type { Parameter } from './parameter.js';

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
