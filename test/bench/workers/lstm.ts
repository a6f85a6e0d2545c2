// Training steps of the next-song network by this library, in a process of its own: BS STEPS BUILD (threads: the environment variable RECITAL_THREADS).

import { Random } from '../../../lib/compute/random.js';
import { setCompute } from '../../../lib/compute/threads.js';
import type { Batch, DataLoader, DataLoaders } from '../../../lib/data/batch.js';
import { Vocabulary } from '../../../lib/data/vocabulary.js';
import { Learner } from '../../../lib/learner/learner.js';
import { LSTMModel } from '../../../lib/models/lstm.js';
import { CrossEntropyLossFlat } from '../../../lib/nn/losses.js';
import { median } from '../support/figures.js';
import { report } from '../support/process.js';

const ITEMS = 15676;
const LENGTH = 10;
const WARM_UP = 10;

/** Random windows that lie in memory. */
function windows(bs: number, steps: number): DataLoaders & { classes: { item: Vocabulary } } {
  const random = new Random(42);
  const batches = Array.from({ length: steps }, (): Batch => {
    const draw = (n: number): Int32Array => Int32Array.from({ length: n }, () => random.int(ITEMS));
    return { size: bs, inputs: [draw(bs * LENGTH), new Int32Array(bs).fill(LENGTH)], targets: Float32Array.from(draw(bs)), rows: new Int32Array(bs) };
  });
  const loader = (of: Batch[]): DataLoader => ({ n: of.length * bs, bs, length: of.length, batches: () => of, inOrder: () => loader(of) });
  const item = Vocabulary.fromValues(Array.from({ length: ITEMS }, (_, i) => `t${i}`));
  return { train: loader(batches), valid: loader([]), classes: { item }, showBatch() {}, decode: () => ({}) };
}

async function run([bs, steps, build]: string[]): Promise<void> {
  setCompute({ reproducible: build === 'reproducible', native: build === 'native' });
  const dls = windows(Number(bs), Number(steps) + WARM_UP);
  const model = new LSTMModel(dls.classes, { random: new Random(1) });
  const times: number[] = [];
  let last = performance.now();
  let first: number | undefined;
  const clock = {
    name: 'clock',
    beforeBatch() {
      last = performance.now();
    },
    afterBatch(learn: Learner) {
      times.push(performance.now() - last);
      first ??= learn.loss;
    },
  };
  const learn = new Learner(dls, model, { lossFunc: new CrossEntropyLossFlat(), cbs: clock });
  await learn.noLogging(() => learn.fit(1, 1e-3, { wd: 0 }));
  report({ stepMs: median(times.slice(WARM_UP)), bestMs: Math.min(...times), loss: first! });
}

void run(process.argv.slice(2));
