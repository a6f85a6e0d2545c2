// One epoch of collaborative filtering by this library, in a process of its own: FILE VALID BS
// BUILD SHUFFLE (threads: the environment variable RECITAL_THREADS). VALID holds the row numbers of
// validation as 32-bit integers.
import { readFileSync } from 'node:fs';
import {
  BCEWithLogitsLossFlat,
  CollabDataLoaders,
  collabLearner,
  noLogging,
  readPlays,
  setCompute,
} from '../../../lib/recital/index.js';
import { report } from '../support/process.js';

async function run([file, validFile, bs, build, shuffle]: string[]): Promise<void> {
  setCompute({ reproducible: build === 'reproducible', native: build === 'native' });
  const t0 = performance.now();
  const plays = await readPlays(file);
  const t1 = performance.now();
  const { buffer, byteOffset, byteLength } = readFileSync(validFile);
  const valid = new Int32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  const isValid = new Uint8Array(plays.length);
  for (const row of valid) isValid[row] = 1;
  const train = Int32Array.from(isValid.keys()).filter((row) => !isValid[row]);
  const t2 = performance.now();
  const dls = CollabDataLoaders.fromPlays(plays, {
    target: 'binary',
    threshold: 2,
    bs: Number(bs),
    shuffle: shuffle === 'replacement' ? 'replacement' : 'permutation',
    split: { train, valid },
  });
  const t3 = performance.now();
  const learn = collabLearner(dls, { nFactors: 50, lossFunc: new BCEWithLogitsLossFlat() });
  const cpu = process.cpuUsage();
  const t4 = performance.now();
  await noLogging(() => learn.fitOneCycle(1, 5e-3));
  const epochS = (performance.now() - t4) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const [trainLoss, validLoss] = learn.recorder.values[0] as number[];
  const seconds = { readS: (t1 - t0) / 1000, dlsS: (t3 - t2) / 1000, learnerS: (t4 - t3) / 1000 };
  report({
    epochS,
    epochCpuS: (user + system) / 1e6,
    ...seconds,
    steps: dls.train.length,
    trainLoss,
    validLoss,
  });
}

void run(process.argv.slice(2));
