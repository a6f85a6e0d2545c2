import { Random } from '../../lib/recital/compute/random.js';
import { type Display, setDisplay } from '../../lib/recital/data/output.js';
import type { Callback } from '../../lib/recital/learner/callback.js';
import { Learner, type LearnerOptions } from '../../lib/recital/learner/learner.js';
import { EmbeddingDotBias } from '../../lib/recital/models/embedding-dot-bias.js';
import { EmbeddingNN } from '../../lib/recital/models/embedding-nn.js';
import { plantedLoaders } from './synthetic.js';

/** A learner on planted ratings: 1,200 rows for training in 18 batches, 300 for validation. */
export function makeLearner(
  options: LearnerOptions & {
    bs?: number;
    rows?: number;
    shuffled?: boolean;
    ranged?: boolean;
  } = {},
): Learner {
  const { bs, rows, shuffled, ranged = true, ...rest } = options;
  const dls = plantedLoaders({ bs, rows, shuffled });
  return new Learner(
    dls,
    new EmbeddingDotBias(8, dls.classes, {
      random: new Random(1),
      yRange: ranged ? [-3, 9] : undefined,
    }),
    rest,
  );
}

/**
 * A learner on the same ratings whose model has random masks, running statistics and batch norm.
 */
export function makeDeepLearner(options: LearnerOptions = {}): Learner {
  const dls = plantedLoaders();
  const config = { layers: [16], ps: 0.2, embedP: 0.1, embSzs: { user: 5, item: 6 } };
  return new Learner(
    dls,
    new EmbeddingNN(dls.classes, { ...config, random: new Random(1), yRange: [-3, 9] }),
    options,
  );
}

/** A copy of all weights. */
export function weights(learn: Learner): number[] {
  return learn.model.parameters.flatMap((p) => [...p.value]);
}

/**
 * Sends SIGINT after a batch: number `iter` of an epoch, in training or validation. Slow enough for
 * the learner to look.
 */
export function interruptAt(
  epoch: number,
  iter: number,
  { training = true }: { training?: boolean } = {},
): Callback {
  let sent = false;
  const wait = (): void => {
    const end = performance.now() + 55;
    while (performance.now() < end);
  };
  return {
    name: 'interrupt',
    order: 1000,
    runLrFind: false,
    afterBatch(learn) {
      if (!sent && process.listenerCount('SIGINT') === 0) wait(); // the guard of a run listens from its first turn on
      if (sent || learn.epoch !== epoch || learn.iter !== iter || learn.training !== training)
        return;
      sent = true;
      process.emit('SIGINT');
      wait();
    },
  };
}

/** The message that a promise is rejected with. */
export function rejection(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error) => `${error.name}: ${error.message}`,
  );
}

/** Runs some work and returns what it displays. */
export async function displayed(
  work: () => Promise<unknown>,
  more: Partial<Display> = {},
): Promise<{ texts: string[]; warnings: string[]; charts: unknown[] }> {
  const seen = { texts: [] as string[], warnings: [] as string[], charts: [] as unknown[] };
  const before = setDisplay({
    table() {},
    chart: (chart) => seen.charts.push(chart),
    text: (line) => seen.texts.push(line),
    warn: (line) => seen.warnings.push(line),
    ...more,
  });
  try {
    await work();
  } finally {
    setDisplay(before);
  }
  return seen;
}
