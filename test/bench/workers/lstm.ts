// Training steps of the next-song network by this library, in a process of its own: BS STEPS BUILD
// (threads: the environment variable RECITAL_THREADS).

import { Random } from '../../../lib/recital/compute/random.js';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { LSTMModel } from '../../../lib/recital/models/lstm.js';
import { CrossEntropyLossFlat } from '../../../lib/recital/nn/cross-entropy.js';
import { median } from '../support/figures.js';
import { report } from '../support/process.js';
import { windows } from '../support/windows.js';

const WARM_UP = 10;

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
