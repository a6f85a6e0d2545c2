import { readdirSync } from 'node:fs';
import path from 'node:path';
import { prepareWorkspace } from '../../lib/kernel/lab/lab.js';
import { joined, readNotebook } from '../../lib/kernel/run/notebook-file.js';
import { Table } from '../../lib/recital/data/table.js';
import { type Benchmark, main } from './support/benchmark.js';
import { alternate, peer } from './support/contenders.js';
import { withFolder } from './support/data.js';
import { type Figure, figure, median, spread } from './support/figures.js';
import { KernelProcess } from './support/kernel-process.js';
import { count } from './support/options.js';
import { findPeers } from './support/peers.js';

const options = {
  runs: count(5, 'kernels that are started one after the other; figures are medians'),
  kernels: count(30, 'kernels at once', { least: 0 }),
  heap: count(
    400,
    'megabytes of JavaScript objects that each of these may keep (--max-old-space-size); 0: what Node allows',
    { least: 0 },
  ),
};

const ROOT = path.resolve(__dirname, '../..');
const IMPORT = "import { collabLearner, readPlays } from 'recital';";
/** Between two looks at the memory of all. */
const LOOK_MS = 1_000;

/** What a reader waits for who opens a notebook, and a class that does so at once. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'classroom: seconds from a click to an answer. "alone": a kernel is started, imports the library, imports from it again, asks for a name that it lacks, adds two\n' +
    'numbers. "at once": so many kernels, each in a folder of its own with one thread, start at the same moment, then all import the library, then all run\n' +
    'notebook 1 on the sample. Memory is that of kernels and the processes beside them, what they share counted once (PSS; Linux only).\nfastai: `from fastai.collab import *` in a new Python.',
  options,
  async run({ runs, kernels, heap }) {
    const env = {
      RECITAL_THREADS: '1',
      ...(heap > 0 ? { NODE_OPTIONS: `--max-old-space-size=${heap}` } : {}),
    };
    return [
      ...(await alone(runs)),
      ...(await memory(env)),
      ...(kernels > 0 ? await atOnce(kernels, env) : []),
    ];
  },
};

async function alone(runs: number): Promise<Figure[]> {
  const seconds: Record<string, number[]> = {};
  const note = (what: string, value: number): unknown => (seconds[what] ??= []).push(value);
  let peakMB = 0;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    const kernel = await KernelProcess.start(path.join(ROOT, 'notebooks'));
    note('start', (performance.now() - start) / 1000);
    note('import', await kernel.run(IMPORT));
    note('import again', await kernel.run("import { evaluate } from 'recital';"));
    note(
      'misspelt import',
      await kernel.run("import { evaluat } from 'recital';", { fails: true }),
    );
    note('1 + 1', await kernel.run('1 + 1'));
    peakMB = Math.max(peakMB, kernel.memoryMB || 0);
    await kernel.stop();
  }
  const peers = findPeers(['fastai']);
  const [fastai] = peers
    ? await alternate(
        [peer(`fastai ${peers.versions.fastai}`, peers.python, 'import_fastai.py', [])],
        { runs },
      )
    : [];
  const rows = Object.entries(seconds).map(([what, values]) => ({
    '': what,
    seconds: spread(values),
  }));
  if (fastai)
    rows.push({ '': `${fastai.name}: import`, seconds: spread(fastai.values('seconds')) });
  console.log(`alone, ${runs} run(s)\n${Table.fromRows(rows)}\n`);
  return Object.entries(seconds).map(([what, values]) => {
    const beside =
      what === 'import' && fastai
        ? { name: fastai.name, value: fastai.median('seconds') }
        : undefined;
    return figure(`classroom alone: ${what}`, median(values), 's', peakMB, beside);
  });
}

/** The code cells of a notebook. */
function cellsOf(file: string): string[] {
  const { cells } = readNotebook(path.join(ROOT, 'notebooks', file));
  return cells.filter((cell) => cell.cell_type === 'code').map((cell) => joined(cell.source));
}

async function memory(env: NodeJS.ProcessEnv): Promise<Figure[]> {
  const notebooks = readdirSync(path.join(ROOT, 'notebooks')).filter((file) =>
    /^[1-9].*\.ipynb$/.test(file),
  );
  const work: [what: string, cells: string[]][] = [
    ['start', []],
    ['import', [IMPORT]],
    ...notebooks.map((file): [string, string[]] => [file, cellsOf(file)]),
  ];
  const rows = [];
  const figures: Figure[] = [];
  for (const [what, cells] of work) {
    const { afterMB, mostMB } = await withFolder(async (dir) => {
      prepareWorkspace(ROOT, dir);
      const kernel = await KernelProcess.start(path.join(dir, 'notebooks'), env);
      try {
        return await watched(
          async () => {
            for (const cell of cells) await kernel.run(cell);
          },
          () => kernel.memoryMB,
        );
      } finally {
        await kernel.stop();
      }
    });
    rows.push({ '': what, 'MB afterwards': Math.round(afterMB), 'MB at most': Math.round(mostMB) });
    figures.push(figure(`classroom memory: ${what}`, mostMB, 'MB', mostMB));
  }
  console.log(`memory of one kernel\n${Table.fromRows(rows)}\n`);
  return figures;
}

async function atOnce(kernels: number, env: NodeJS.ProcessEnv): Promise<Figure[]> {
  const cells = cellsOf('1-collab.ipynb');
  return withFolder(async (dir) => {
    const folders = Array.from({ length: kernels }, (_, i) => path.join(dir, `student ${i + 1}`));
    for (const folder of folders) prepareWorkspace(ROOT, folder);
    let all: KernelProcess[] = [];
    const phases: Record<string, () => Promise<unknown>> = {
      start: async () => {
        all = await Promise.all(
          folders.map((folder) => KernelProcess.start(path.join(folder, 'notebooks'), env)),
        );
      },
      import: () => Promise.all(all.map((kernel) => kernel.run(IMPORT))),
      'notebook 1': () =>
        Promise.all(
          all.map(async (kernel) => {
            for (const cell of cells) await kernel.run(cell);
          }),
        ),
    };
    const rows = [];
    const figures: Figure[] = [];
    try {
      for (const [what, work] of Object.entries(phases)) {
        const { seconds, afterMB, mostMB } = await watched(work, () =>
          all.reduce((sum, kernel) => sum + kernel.memoryMB, 0),
        );
        rows.push({
          '': what,
          seconds,
          'MB afterwards': Math.round(afterMB),
          'MB at most': Math.round(mostMB),
          'MB a kernel': Math.round(mostMB / kernels),
        });
        figures.push(figure(`classroom of ${kernels}: ${what}`, seconds, 's', mostMB || 0));
      }
    } finally {
      await Promise.all(all.map((kernel) => kernel.stop()));
    }
    console.log(`${kernels} at once: seconds until all have done it\n${Table.fromRows(rows)}`);
    return figures;
  });
}

/** Does some work and looks at the memory from time to time. */
async function watched(
  work: () => Promise<unknown>,
  memory: () => number,
): Promise<{ seconds: number; afterMB: number; mostMB: number }> {
  let mostMB = 0;
  const look = (): number => {
    const now = memory();
    mostMB = Math.max(mostMB, now);
    return now;
  };
  const timer = setInterval(look, LOOK_MS);
  const start = performance.now();
  try {
    await work();
    const seconds = (performance.now() - start) / 1000;
    return { seconds, afterMB: look(), mostMB };
  } finally {
    clearInterval(timer);
  }
}

if (require.main === module) void main(benchmark);
