import { Random } from '../../lib/recital/compute/random.js';
import { setDisplay } from '../../lib/recital/data/output.js';
import { Learner, type LearnerOptions } from '../../lib/recital/learner/learner.js';
import { EmbeddingDotBias } from '../../lib/recital/models/embedding-dot-bias.js';
import { plantedLoaders } from './synthetic.js';

/** Options of {@link plantedLearner}. */
export interface PlantedOptions extends LearnerOptions {
  nFactors?: number;
  seed?: number;
  rows?: number;
}

/** A learner of planted ratings. */
export function plantedLearner({
  nFactors = 8,
  seed = 1,
  rows,
  ...options
}: PlantedOptions = {}): Learner {
  const dls = plantedLoaders({ bs: 128, rows });
  return new Learner(
    dls,
    new EmbeddingDotBias(nFactors, dls.classes, { random: new Random(seed) }),
    options,
  );
}

/** The bytes of everything that training has come to. */
export function stateOf(learn: Learner): Buffer {
  learn.settle();
  const { hypers, params } = learn.opt.stateDict();
  const arrays = [
    ...learn.model.parameters.map((p) => p.value),
    ...Object.values(params).flatMap(({ buffers }) => Object.values(buffers)),
  ];
  const steps = Object.entries(params).map(([name, { step }]) => [name, step]);
  const text = Buffer.from(
    JSON.stringify([hypers, steps, learn.epochsTrained, learn.unfinished ?? null]),
  );
  return Buffer.concat([text, ...arrays.map((a) => Buffer.from(a.slice().buffer))]);
}

/** The bytes of its weights. */
export const weightsOf = (learn: Learner): Buffer =>
  Buffer.concat(learn.model.parameters.map((p) => Buffer.from(p.value.slice().buffer)));

/** What is warned of while something is done, one a line. */
export function warnings(work: () => void): string {
  const lines: string[] = [];
  const before = setDisplay({
    table() {},
    chart() {},
    text() {},
    warn: (line) => lines.push(line),
  });
  try {
    work();
  } finally {
    setDisplay(before);
  }
  return lines.join('\n');
}
