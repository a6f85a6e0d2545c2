// node --import tsx test/support/write-notebooks.ts [NAME …]: runs the notebooks, or those named,
// on the sample, solutions included, and writes what all of them give into the files: the outputs
// of the cells, and what the solutions say that they give. `npm start -- NAME --in-place` does the
// first alone.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { executeNotebook } from '../../lib/kernel/run/executor.js';
import { readNotebook, writeNotebook } from '../../lib/kernel/run/notebook-file.js';
import { solutionsOf, textOf, withOutputs, withSolutions } from './solutions.js';

const root = resolve(__dirname, '..', '..');
const folder = join(root, 'notebooks');

async function write(file: string): Promise<void> {
  const path = join(folder, file);
  const notebook = readNotebook(path);
  const solutions = solutionsOf(notebook);
  const run = withSolutions(notebook);
  const took: number[] = [];
  const env = { ...process.env, RECITAL_DATA: join(root, 'data', 'sample') };
  const watcher = { end: (seconds: number) => void took.push(seconds) };
  const { failure, seconds } = await executeNotebook(run, { cwd: folder, env, watcher });
  if (failure)
    throw new Error(`${file}, cell [${failure.number}], line ${failure.line}: ${failure.message}`);
  const own = run.cells.slice(0, notebook.cells.length);
  const outputs = run.cells.slice(notebook.cells.length).map((cell) => textOf(cell).trimEnd());
  writeNotebook(path, withOutputs({ ...run, cells: own }, outputs));
  const last = took.slice(took.length - solutions.length);
  const sum = last.reduce((a, b) => a + b, 0);
  console.log(
    `${file}: ${(seconds - sum).toFixed(1)} s, and its ${solutions.length} solutions ${last.map((s) => s.toFixed(1)).join(' + ')} s`,
  );
}

async function main(): Promise<void> {
  const names = process.argv.slice(2);
  const files = readdirSync(folder).filter(
    (file) =>
      file.endsWith('.ipynb') &&
      (names.length === 0 || names.some((name) => file.startsWith(name))),
  );
  for (const file of files) await write(file);
}

void main();
