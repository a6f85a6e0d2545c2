// Training steps of EmbeddingDotBias on drawn plays, in a process of its own: USERS ITEMS BS BUILD
// skip|dense STEPS (threads: RECITAL_THREADS).
import {
  Adam,
  BCEWithLogitsLossFlat,
  EmbeddingDotBias,
  Random,
  setCompute,
  Vocabulary,
} from '../../../lib/recital/index.js';
import { lossGradient } from '../../../lib/recital/nn/losses.js';
import { report } from '../support/process.js';

function run([users, items, bs, build, how, steps]: string[]): void {
  setCompute({ reproducible: build === 'reproducible', native: build === 'native' });
  const [nUsers, nItems, size] = [Number(users), Number(items), Number(bs)];
  const ids = (n: number): Vocabulary =>
    Vocabulary.fromValues(Array.from({ length: n }, (_, i) => String(i)));
  const model = new EmbeddingDotBias(
    50,
    { user: ids(nUsers), item: ids(nItems) },
    { random: new Random(1) },
  );
  const opt = new Adam([model.parameters], { lr: 5e-3, timeSkipping: how === 'skip' });
  const random = new Random('batches');
  const batch = {
    size,
    inputs: [new Int32Array(size), new Int32Array(size)] as const,
    targets: new Float32Array(size),
    rows: new Int32Array(size),
  };
  const [gradient, lossFunc] = [new Float32Array(size), new BCEWithLogitsLossFlat()];
  const step = (): void => {
    for (let i = 0; i < size; i++) {
      batch.inputs[0][i] = random.int(nUsers);
      batch.inputs[1][i] = Math.floor(nItems * random.uniform() ** 3); // some are played far more often than others
      batch.targets[i] = random.int(2);
    }
    model.touch(batch);
    opt.touch();
    const pred = model.forward(batch);
    lossGradient(lossFunc, { size, pred, outputs: 1, targets: batch.targets }, { out: gradient });
    model.backward(gradient);
    opt.step();
    opt.zeroGrad();
  };
  const n = Number(steps);
  for (let i = 0; i < Math.min(2048, n); i++) step(); // momentum is everywhere, code is compiled
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  for (let i = 0; i < n; i++) step();
  const stepMs = (performance.now() - from) / n;
  const { user, system } = process.cpuUsage(cpu);
  const start = performance.now();
  opt.settle();
  report({ stepMs, stepCpuMs: (user + system) / 1000 / n, settleMs: performance.now() - start });
}

run(process.argv.slice(2));
