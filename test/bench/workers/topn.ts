// Lists of ten for every user by this library, in a process of its own: FILE BUILD REPEATS
// (threads: the environment variable RECITAL_THREADS).
import { setCompute } from '../../../lib/recital/index.js';
import { median } from '../support/figures.js';
import { report } from '../support/process.js';
import { topnLearner } from '../support/topn.js';

async function run([file, build, repeats]: string[]): Promise<void> {
  const learn = await topnLearner(file);
  setCompute({ reproducible: build === 'reproducible', native: build === 'native' });
  const users = learn.users.classes;
  const seconds = Array.from({ length: 1 + Number(repeats) }, () => {
    const started = performance.now();
    learn.recommendBatch(users, { n: 10 });
    return (performance.now() - started) / 1000;
  });
  report({ firstS: seconds[0], listsS: median(seconds.slice(1)) });
}

void run(process.argv.slice(2));
