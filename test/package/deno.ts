// npm run test:package: the notebooks in Deno's Jupyter kernel.
import { join } from 'node:path';
import { expect } from 'chai';
import { DenoKernel } from '../../lib/kernel/run/deno.js';
import { type Execution, executeNotebook } from '../../lib/kernel/run/executor.js';
import { joined, type Notebook, readNotebook } from '../../lib/kernel/run/notebook-file.js';
import { notebookOf } from '../support/notebook.js';
import { textOf } from '../support/solutions.js';
import { clear, deno, project, put, root } from './tools.js';

const texts = ({ cells }: Notebook): string[] =>
  cells
    .filter((cell) => cell.cell_type === 'code')
    .map((cell) => textOf(cell).replace(/\d\d:\d\d/g, ''));

const folder = join(root, 'notebooks');

describe("Deno's kernel", function () {
  this.timeout(300_000);
  let env: NodeJS.ProcessEnv;
  const run = (notebook: Notebook, cwd = folder): Promise<Execution> =>
    executeNotebook(notebook, { cwd, env, kernel: 'deno' });

  before(function () {
    const program = deno();
    if (program === undefined) this.skip();
    env = { ...process.env, DENO: program, RECITAL_DATA: join(root, 'data/sample') };
  });
  after(clear);

  it('runs the first notebook to the numbers that are printed in it', async () => {
    const committed = readNotebook(join(folder, '0-start-here.ipynb'));
    const notebook = structuredClone(committed);
    const { failure } = await run(notebook);
    expect(failure).to.equal(undefined);
    expect(texts(notebook)).to.deep.equal(texts(committed));
    expect(notebook.metadata.kernelspec).to.deep.equal({
      display_name: 'Deno',
      language: 'typescript',
      name: 'deno',
    });
  });

  it('shows tables, charts and trainings as the own kernel does', async () => {
    const cells = [
      "import { Chart, CollabDataLoaders, collabLearner, html, readPlays, show, Table } from 'recital';\nconst plays = (await readPlays(process.env.RECITAL_DATA)).sampleUsers(200, { seed: 1 });\nconst learn = collabLearner(CollabDataLoaders.fromPlays(plays, { seed: 1 }), { nFactors: 4, seed: 1 });",
      'const table = new Table({ plays: [3, 1] });\nshow(table, { title: "Plays" });\ntable',
      'await learn.fit(2);\nlearn.recorder.plotLoss()',
      "show(html('<b>ready</b>', 'ready'));",
      'console.log("first");\nshow(table);\nNumber(table.length)',
    ];
    const kinds = ({ cells }: Notebook): unknown[] =>
      cells.map(({ outputs = [] }) =>
        outputs.map(({ output_type, data = {}, metadata = {} }) => [
          output_type,
          Object.keys(data),
          Object.keys(metadata),
        ]),
      );
    const [theirs, own] = [notebookOf(...cells), notebookOf(...cells)];
    expect((await run(theirs)).failure).to.equal(undefined);
    expect((await executeNotebook(own, { cwd: folder, env })).failure).to.equal(undefined);
    expect(kinds(theirs)).to.deep.equal(kinds(own));
    const training = joined(theirs.cells[2].outputs?.[0].data?.['text/html'] as string);
    expect(training).to.contain('train_loss').and.not.to.contain('<progress');
    expect(texts(theirs).map((text) => text.trimEnd())).to.deep.equal(
      texts(own).map((text) => text.trimEnd()),
    );
  });

  it('runs notebooks outside of any project, with the library of the checkout and files beside them', async () => {
    const place = project({ 'my class/helper.ts': 'export const half = (x: number) => x / 2;\n' });
    const home = join(place, 'my class');
    put(home, { 'data.json': '{ "n": 4 }' });
    const notebook = notebookOf(
      "import { Table } from 'recital';\nimport { serve } from 'recital/serve';\nimport { half } from './helper.ts';\nimport { readFileSync } from 'node:fs';",
      "new Table({ half: [half(JSON.parse(readFileSync('data.json', 'utf8')).n)] })",
      'typeof serve',
    );
    const { failure } = await run(notebook, home);
    expect(failure, failure?.message).to.equal(undefined);
    expect(texts(notebook)[1]).to.contain('half').and.to.contain('2');
    expect(texts(notebook)[2]).to.contain('function');
  });

  it('stops at a cell that fails, says why, and ends with a kernel that does', async () => {
    const failing = notebookOf('const x = 1;', "throw new RangeError('too far')", 'x');
    const { failure } = await run(failing);
    expect(failure).to.include({ number: 2, message: 'RangeError: too far', byCode: true });
    expect(failing.cells[1].outputs?.at(-1)).to.include({ ename: 'RangeError' });
    expect(failing.cells[2].outputs).to.deep.equal([]);
    const ending = await run(notebookOf('Deno.exit(3)'));
    expect(ending.failure?.message).to.contain('3');
  });

  it('keeps all that a cell prints, whenever Deno sends it', async () => {
    const sources = Array.from(
      { length: 20 },
      (_, i) => `for (let i = 0; i < 200; i++) console.log('line', i);\n${i}`,
    );
    const notebook = notebookOf(...sources);
    expect((await run(notebook)).failure).to.equal(undefined);
    texts(notebook).forEach((text, i) => {
      expect(text.match(/line \d+\n/g), `cell ${i}`).to.have.length(200);
      expect(text.trimEnd().split('\n').at(-1)).to.equal(String(i));
    });
  });

  it('stops a cell that does not wait', async () => {
    const kernel = await DenoKernel.start({ cwd: folder, env });
    try {
      setTimeout(() => kernel.interrupt(), 300);
      const reply = await kernel.execute('for (;;);', () => undefined);
      expect(reply).to.include({ status: 'error', ename: 'Interrupted' });
    } finally {
      await kernel.stop();
    }
  });
});
