// Where the time of a hot path goes, on one thread, in a process of its own: PATH FILE STEPS, or
// limits (RECITAL_THREADS must be 1). Reports `ms`, `steps`, of each part `ms PART`, and of kernels
// `calls KERNEL`, `flops KERNEL` and `bytes KERNEL` besides.
import {
  ALS,
  BCEWithLogitsLossFlat,
  type Callback,
  CancelFitException,
  CollabDataLoaders,
  CrossEntropyLossFlat,
  collabLearner,
  evaluate,
  interactionMatrix,
  Learner,
  LSTMModel,
  noLogging,
  PCA,
  Popularity,
  perUserSplit,
  Random,
  readPlays,
  splitPlays,
} from '../../../lib/recital/index.js';
import { KernelClock } from '../support/kernel-clock.js';
import { measureLimits } from '../support/limits.js';
import { report } from '../support/process.js';
import { Sampler } from '../support/sampler.js';
import { topnLearner } from '../support/topn.js';
import { windows } from '../support/windows.js';

/** Steps before those that count. */
const WARM_UP = 20;

/** Notes where the time goes between its start and its end. */
class Profile {
  private readonly clock = new KernelClock();
  private readonly sampler = new Sampler();
  private readonly values: Record<string, number> = {};
  private started = 0;

  start(): void {
    this.sampler.start();
    this.clock.start();
    this.started = performance.now();
  }

  /** @param steps how often the thing was done */
  end(steps: number): void {
    const ms = performance.now() - this.started;
    const kernels = this.clock.stop();
    Object.assign(this.values, { ms, steps });
    for (const [name, time] of this.sampler.stop()) this.values[`ms ${name}`] = time;
    for (const [name, { ms: own, calls, flops, bytes }] of kernels) {
      Object.assign(this.values, {
        [`ms ${name}`]: own,
        [`calls ${name}`]: calls,
        [`flops ${name}`]: flops,
        [`bytes ${name}`]: bytes,
      });
    }
  }

  /** Work that is done `steps` times over. */
  async of(work: () => unknown, steps = 1): Promise<void> {
    this.start();
    await work();
    this.end(steps);
  }

  /**
   * Starts after the first steps of training and ends after `steps` more, and with it the training.
   */
  steps(steps: number): Callback {
    let done = 0;
    return {
      name: 'Profile',
      beforeBatch: () => {
        if (done === WARM_UP) this.start();
      },
      afterBatch: () => {
        if (++done < WARM_UP + steps) return;
        this.end(steps);
        throw new CancelFitException();
      },
    };
  }

  report(): void {
    report(this.values);
  }
}

async function run([path, file, count]: string[]): Promise<void> {
  if (path === 'limits') {
    report(measureLimits());
    return;
  }
  const profile = new Profile();
  const steps = Number(count);
  const bs = Number(/\d+$/.exec(path)?.[0]);
  if (path.startsWith('collab')) {
    const learn = collabLearner(CollabDataLoaders.fromPlays(await readPlays(file), { bs }), {
      lossFunc: new BCEWithLogitsLossFlat(),
    });
    await noLogging(() =>
      learn.fitOneCycle(1, 5e-3, {
        cbs: profile.steps(Math.min(steps, learn.dls.train.length - WARM_UP)),
      }),
    );
  } else if (path.startsWith('lstm')) {
    const dls = windows(bs, steps + WARM_UP);
    const learn = new Learner(dls, new LSTMModel(dls.classes, { random: new Random(1) }), {
      lossFunc: new CrossEntropyLossFlat(),
    });
    await noLogging(() => learn.fit(1, 1e-3, { cbs: profile.steps(steps) }));
  } else if (path === 'pca') {
    const x = interactionMatrix(await readPlays(file), { value: 'binary' });
    await new PCA({ nComponents: 50 }).fit(x);
    await profile.of(() => new PCA({ nComponents: 50 }).fit(x));
  } else if (path === 'topn') {
    const learn = await topnLearner(file);
    learn.recommendBatch(learn.users.classes);
    await profile.of(() => learn.recommendBatch(learn.users.classes));
  } else if (path === 'evaluate') {
    const plays = await readPlays(file);
    const split = splitPlays(plays, perUserSplit(plays));
    const recommenders = [
      new Popularity(split.train),
      await ALS.fit(split.train, { factors: 64, iterations: 3 }),
    ];
    await evaluate(recommenders, split, { users: plays.users.classes.slice(0, 100) });
    await profile.of(() => evaluate(recommenders, split));
  } else if (path === 'als') {
    const plays = await readPlays(file);
    await ALS.fit(plays, { factors: 64, iterations: 1 });
    await profile.of(() => ALS.fit(plays, { factors: 64, iterations: steps }), steps);
  } else {
    await profile.of(() => readPlays(file));
  }
  profile.report();
}

void run(process.argv.slice(2));
