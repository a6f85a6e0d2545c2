// Implicit ALS by this library, in a process of its own: FILE BUILD FACTORS ITERATIONS (threads:
// the environment variable RECITAL_THREADS).

import { readPlays, setCompute } from '../../../lib/recital/index.js';
import { ALS } from '../../../lib/recital/recommend/factors/als.js';
import { median } from '../support/figures.js';
import { report } from '../support/process.js';

async function run([file, build, factors, iterations]: string[]): Promise<void> {
  setCompute({ reproducible: build === 'reproducible' });
  const seconds: number[] = [];
  await ALS.fit(await readPlays(file), {
    factors: Number(factors),
    iterations: Number(iterations),
    onIteration: (_, s) => seconds.push(s),
  });
  report({ firstS: seconds[0], iterationS: median(seconds.slice(1)) });
}

void run(process.argv.slice(2));
