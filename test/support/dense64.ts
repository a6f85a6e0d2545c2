import { Random } from '../../lib/recital/compute/random.js';
import type { Optimizer } from '../../lib/recital/learner/optimizers/optimizer.js';
import { Parameter } from '../../lib/recital/nn/parameter.js';

/** Hyper-parameters of a step, as a schedule gives them. */
export interface Hypers64 {
  lr: number;
  mom: number;
  sqrMom: number;
  wd: number;
  eps: number;
}

/**
 * What one step does to a row with gradient g, in float64: an optimizer's rule, written down again
 * from fastai's optimizer.py.
 */
export type Rule64 = (
  row: { w: number; m: number; v: number },
  g: number,
  t: number,
  h: Hypers64,
) => void;

export const rules64 = {
  adam: (s, g, t, { lr, mom, sqrMom, wd, eps }) => {
    s.w *= 1 - lr * wd;
    s.m = mom * s.m + (1 - mom) * g;
    s.v = sqrMom * s.v + (1 - sqrMom) * g * g;
    s.w -= ((lr / (1 - mom ** t)) * s.m) / (Math.sqrt(s.v / (1 - sqrMom ** t)) + eps);
  },
  sgd: (s, g, _t, { lr, mom, wd }) => {
    s.w *= 1 - lr * wd;
    s.m = mom * s.m + g;
    s.w -= lr * s.m;
  },
  rmsProp: (s, g, _t, { lr, sqrMom, wd, eps }) => {
    s.w *= 1 - lr * wd;
    s.v = sqrMom * s.v + (1 - sqrMom) * g * g;
    s.w -= (lr * g) / (Math.sqrt(s.v) + eps);
  },
  rmsPropMomentum: (s, g, _t, { lr, mom, sqrMom, wd, eps }) => {
    s.w *= 1 - lr * wd;
    s.m = mom * s.m + g;
    s.v = sqrMom * s.v + (1 - sqrMom) * g * g;
    s.w -= (lr * s.m) / (Math.sqrt(s.v) + eps);
  },
  radam: (s, g, t, { lr, mom, sqrMom, wd, eps }) => {
    s.w *= 1 - lr * wd;
    s.m = mom * s.m + (1 - mom) * g;
    s.v = sqrMom * s.v + (1 - sqrMom) * g * g;
    const rInf = 2 / (1 - sqrMom) - 1;
    const r = rInf - (2 * t * sqrMom ** t) / (1 - sqrMom ** t);
    const m = s.m / (1 - mom ** t);
    if (r <= 5) s.w -= lr * m;
    else
      s.w -=
        (lr * Math.sqrt(((r - 4) * (r - 2) * rInf) / ((rInf - 4) * (rInf - 2) * r)) * m) /
        (Math.sqrt(s.v / (1 - sqrMom ** t)) + eps);
  },
  qhadam: (s, g, t, { lr, mom, sqrMom, wd, eps }) => {
    s.w *= 1 - lr * wd;
    s.m = mom * s.m + (1 - mom) * g;
    s.v = sqrMom * s.v + (1 - sqrMom) * g * g;
    const m = s.m / (1 - mom ** t);
    s.w -=
      (lr * (0.3 * g + 0.7 * m)) / (Math.sqrt(0.1 * g * g + (0.9 * s.v) / (1 - sqrMom ** t)) + eps);
  },
} satisfies Record<string, Rule64>;

/** From one value to another by half a cosine, x from 0 to 1. */
export const cos = (from: number, to: number, x: number): number =>
  from + ((to - from) * (1 - Math.cos(Math.PI * x))) / 2;
/** fitOneCycle's rates and momenta. */
export const oneCycle =
  (steps: number, lr: number, rest: Partial<Hypers64> = {}) =>
  (step: number): Hypers64 => {
    const x = step / steps;
    const [a, b, y] = x <= 0.25 ? [lr / 25, lr, x / 0.25] : [lr, lr / 1e5, (x - 0.25) / 0.75];
    const [c, d] = x <= 0.25 ? [0.95, 0.85] : [0.85, 0.95];
    return { lr: cos(a, b, y), mom: cos(c, d, y), sqrMom: 0.99, wd: 0.1, eps: 1e-5, ...rest };
  };

/**
 * A task for optimizers: which rows have a gradient in which step, what it is at given weights, and
 * the schedule.
 */
export interface Task {
  rows: number;
  width: number;
  steps: number;
  /** Distinct rows of a step. */
  touched(step: number): Int32Array;
  gradient(w: number, step: number, row: number, column: number): number;
  hypers(step: number): Hypers64;
}

/**
 * Rows by popularity, gradients toward a target with noise, of sizes from 1e-5 to 1e-2; row 0 in
 * every step, the last tenth of the rows in none.
 */
export function makeTask({
  rows,
  width,
  steps,
  batch,
  hypers,
}: Omit<Task, 'touched' | 'gradient'> & { batch: number }): Task {
  const touched = (step: number): Int32Array => {
    const random = new Random(`rows ${step}`);
    const set = new Set([0]);
    while (set.size < batch) set.add(Math.floor(0.9 * rows * random.uniform() ** 3));
    return Int32Array.from(set);
  };
  const gradient = (w: number, step: number, row: number, column: number): number => {
    const target = Math.sin(17 * row + 5 * column) / 2;
    const noise = Math.sin(step * 12.9898 + row * 78.233 + column * 37.719) * 43758.5453;
    return (
      ((0.3 * (w - target) + 0.4 * (noise - Math.floor(noise) - 0.5)) / 64) * 10 ** ((row % 5) - 3)
    );
  };
  return { rows, width, steps, touched, gradient, hypers };
}

/** Starting weights of a task. */
export function start({ rows, width }: Task): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, i) => 0.02 * Math.sin(i));
}

/** The weights after a task, every row in every step, in float64. */
export function dense64(task: Task, rule: Rule64): Float64Array {
  const { rows, width, steps } = task;
  const w = Float64Array.from(start(task));
  const [m, v] = [new Float64Array(w.length), new Float64Array(w.length)];
  const s = { w: 0, m: 0, v: 0 };
  for (let step = 0; step < steps; step++) {
    const has = new Uint8Array(rows);
    for (const row of task.touched(step)) has[row] = 1;
    const hypers = task.hypers(step);
    for (let i = 0; i < w.length; i++) {
      const row = Math.floor(i / width);
      s.w = w[i];
      s.m = m[i];
      s.v = v[i];
      rule(s, has[row] ? task.gradient(w[i], step, row, i % width) : 0, step + 1, hypers);
      w[i] = s.w;
      m[i] = s.m;
      v[i] = s.v;
    }
  }
  return w;
}

/** A table and its optimizer. */
export interface Trained {
  p: Parameter;
  opt: Optimizer;
}

/** A table with a task's starting weights, and an optimizer of it. */
export function begin(task: Task, make: (p: Parameter[][]) => Optimizer): Trained {
  const p = new Parameter('table', [task.rows, task.width], { table: true });
  p.value.set(start(task));
  return { p, opt: make([[p]]) };
}

/** Runs steps of a task by an optimizer of ours, as a learner does. */
export function run(task: Task, { p, opt }: Trained, from = 0, to = task.steps): void {
  const { width } = task;
  for (let step = from; step < to; step++) {
    const rows = task.touched(step);
    p.touch(rows);
    opt.touch();
    for (let i = 0; i < rows.length; i++) {
      for (let j = 0; j < width; j++)
        p.grad[i * width + j] = task.gradient(p.value[rows[i] * width + j], step, rows[i], j);
    }
    const { lr, mom, sqrMom, wd } = task.hypers(step);
    opt.setHypers(
      Object.fromEntries(
        Object.entries({ lr, mom, sqrMom, wd }).filter(([name]) => name in opt.hypers),
      ),
    );
    opt.step();
    opt.zeroGrad();
  }
}

/** Largest and root-mean-square difference. */
export function gap(a: ArrayLike<number>, b: ArrayLike<number>): { max: number; rms: number } {
  let max = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i]);
    if (!(d <= max)) max = d;
    sum += d * d;
  }
  return { max, rms: Math.sqrt(sum / a.length) };
}
