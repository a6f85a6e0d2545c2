import { expect } from 'chai';
import { type CellRun, KernelClient, launchers, runCell } from '../../support/kernel.js';

const loop = `
let turns = 0;
console.log('begun');
for (;;) {
  turns++;
  await new Promise((done) => setTimeout(done, 1));
}`;

describe('a notebook', () => {
  let kernel: KernelClient;
  const run = (code: string): Promise<CellRun> => runCell(kernel, code);
  before(async () => {
    kernel = await KernelClient.start({ cwd: __dirname });
  });
  after(() => kernel.stop());

  it('loses nothing, from the cell on that imports the library, and shows its last expression', async () => {
    const cell = await run(
      "import { Chart, Random, Slot, Table, html, show } from 'recital';\nfor (let i = 0; i < 3000; i++) console.log(i);\nnew Table({ a: ['<b>'] })",
    );
    expect(cell.status).to.equal('ok');
    expect(cell.stdout.split('\n')).to.have.length(3001);
    expect(cell.shown[0]['text/html']).to.contain('&lt;b&gt;');
    expect(cell.shown[0]['text/plain']).to.equal('a\n<b>');
  });

  it('sends 3,000 prints as a few messages', async () => {
    const cell = await run('for (let i = 0; i < 3000; i++) console.log(i);');
    expect(cell.stdout).to.equal(Array.from({ length: 3000 }, (_, i) => `${i}\n`).join(''));
    expect(cell.types.length).to.be.below(40);
  });

  it('gets through small cells, one after the other', async () => {
    for (let i = 0; i < 20; i++) {
      const cell = await run(`console.log('a'); '${i}'`);
      expect(cell.stdout).to.equal(`a\n${i}\n`);
    }
  });

  it('prints live: what is printed before a pause arrives before it', async () => {
    const start = performance.now();
    let first = 0;
    await kernel.execute(
      "console.log('now'); await new Promise((r) => setTimeout(r, 600));",
      (type) => {
        if (type === 'stream') first ||= performance.now() - start;
      },
    );
    expect(performance.now() - start - first).to.be.greaterThan(300);
  });

  it('keeps the order of prints, errors and tables', async () => {
    const cell = await run(
      "console.log(1); console.error(2); console.log(3); show(html('<i>4</i>', '4')); console.log(5);",
    );
    expect(cell.types.filter((type) => type !== 'execute_input')).to.deep.equal([
      'stream',
      'stream',
      'stream',
      'display_data',
      'stream',
    ]);
    expect([cell.stdout, cell.stderr]).to.deep.equal(['1\n3\n5\n', '2\n']);
  });

  it('shows a table, a chart, or an object that shows itself when it is the last value, and prints any other', async () => {
    const chart =
      "new Chart({ data: { values: [{ a: 1 }] }, mark: 'bar', encoding: { x: { field: 'a', type: 'quantitative' } } }, 'T', 'alt')";
    expect(Object.keys((await run(chart)).shown[0])).to.deep.equal([
      'application/vnd.vegalite.v5+json',
      'image/png',
      'text/plain',
    ]);
    expect(
      (await run("({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<u>x</u>' }) })"))
        .shown,
    ).to.deep.equal([{ 'text/html': '<u>x</u>' }]);
    expect((await run('new Table({ n: Float64Array.of(1.5) })')).shown[0]['text/html']).to.contain(
      '1.50000',
    );
    expect(await run('[1, 2]')).to.include({ stdout: '[ 1, 2 ]\n' });
    expect(await run('0')).to.include({ stdout: '0\n' });
    expect(await run('null')).to.include({ stdout: '' });
    expect(await run('const unused = new Table({ a: [] });'))
      .to.have.property('shown')
      .with.length(0);
  });

  it('shows a chart once that its maker shows and returns, in each cell', async () => {
    await run(`import { CollabDataLoaders, Plays, collabLearner } from 'recital';
      const rows = Array.from({ length: 60 }, (_, i) => ({ user: 'u' + (i % 6), track: 't' + (i % 10), playcount: 1 + (i % 3) }));
      const learn = collabLearner(CollabDataLoaders.fromPlays(Plays.fromRows(rows), { bs: 8 }), { nFactors: 2 });
      await learn.fit(1);`);
    const made = await run(
      'const plot = () => learn.recorder.plotLoss(); const chart = plot(); chart',
    );
    expect(made.stderr).to.equal('');
    expect(made.shown).to.have.length(1);
    expect((await run('show(plot());')).shown).to.have.length(1);
    expect((await run('show(chart); chart')).shown).to.have.length(1);
    expect((await run('chart')).shown).to.have.length(1);
  });

  it('shows under Shift-Tab the signature of a function, what it does, an example, its options and what it throws', async () => {
    await run("import { readPlays, noBar } from 'recital';");
    const code = 'readPlays';
    const { found, data } = await kernel.request('inspect_request', {
      code,
      cursor_pos: 3,
      detail_level: 0,
    });
    expect(found).to.equal(true);
    expect((data as Record<string, string>)['text/plain'])
      .to.match(
        /^readPlays\(where: string(?: \| \w+)*, options\?: ReadPlaysOptions\): Promise<Plays>\n/,
      )
      .and.to.match(/\nReads plays: which user played which track how often\.\n/)
      .and.to.match(/\nExamples\n {2}const plays = await/)
      .and.to.match(/\n {2}where: a file/)
      .and.to.match(
        /\n {2}options\n {4}columns\?: PlaysColumnNames\n {8}The columns\. Default: Kaggle's/,
      )
      .and.to.match(/\nThrows\n {2}DataError naming file/);
    const nothing = await kernel.request('inspect_request', {
      code: ' ',
      cursor_pos: 0,
      detail_level: 0,
    });
    expect(nothing).to.deep.include({ status: 'ok', found: false, data: {} });
  });

  it('imports a module in an expression, of whatever types', async () => {
    const { error, stderr } = await run("const files = await import('node:fs');");
    expect(error?.evalue ?? stderr).to.equal('');
    expect((await run('files.existsSync("/") && typeof files.readFileSync')).stdout).to.equal(
      'function\n',
    );
  });

  it('awaits a last expression before it looks at it', async () => {
    const cell = await run("const later = async () => new Table({ a: ['x'] });\nawait later()");
    expect(cell.shown[0]['text/plain']).to.equal('a\nx');
  });

  it('replaces what a slot shows', async () => {
    const cell = await run(
      'const slot = new Slot(); for (let i = 0; i < 5; i++) slot.show(html("<b>" + i + "</b>"));',
    );
    expect(cell.shown).to.deep.equal([{ 'text/html': '<b>4</b>', 'text/plain': '4' }]);
    expect(cell.types.filter((type) => type === 'update_display_data')).to.have.length(4);
  });

  it('draws a training live, at most ten times a second, and leaves the table alone', async () => {
    const cell = await run(`import { TrainingDisplay } from 'recital';
        const view = new TrainingDisplay(2, 50, ['epoch', 'train_loss', 'time']);
        for (let epoch = 0; epoch < 2; epoch++) {
          for (let i = 0; i < 50; i++) { view.batch(epoch, i, 50, 0.25, 'train'); await new Promise((r) => setTimeout(r, 5)); }
          view.row([epoch, 0.25, 65]);
        }
        view.done();`);
    const updates = cell.types.filter((type) => type === 'update_display_data').length;
    expect(updates).to.be.within(4, 16);
    expect(cell.shown).to.have.length(1);
    expect(cell.shown[0]['text/plain']).to.equal(
      'epoch  train_loss      time\n    0    0.250000     01:05\n    1    0.250000     01:05',
    );
    expect(cell.shown[0]['text/html'])
      .to.contain('class="dataframe"')
      .and.not.to.contain('<progress');
  });

  it('stops an interrupted loop, keeps its variables, and goes on', async () => {
    let isAsked = false;
    // Not before it runs: on a busy machine it takes a while to compile.
    const cell = await runCell(kernel, loop, () => {
      if (!isAsked) setTimeout(() => kernel.interrupt(), 300);
      isAsked = true;
    });
    expect(cell.status).to.equal('error');
    const [first, second] = [await run('turns'), await run('turns')];
    expect(Number(first.stdout)).to.be.greaterThan(0);
    expect(second.stdout).to.equal(first.stdout);
  });

  it('abandons a cell that only waits, and a synchronous one, when interrupted', async () => {
    for (const code of ['await new Promise((r) => setTimeout(r, 20_000));', 'for (;;) {}']) {
      const running = run(code);
      setTimeout(() => kernel.interrupt(), 400);
      expect((await running).status).to.equal('error');
      expect((await run('1 + 1')).stdout).to.equal('2\n');
    }
  });
});

describe("a notebook in tslab's own kernel", () => {
  it('works as a script does: texts for tables and charts; one line says how to get the other kernel', async () => {
    const kernel = await KernelClient.start({ cwd: __dirname, launcher: launchers.stock });
    try {
      const run = (code: string): Promise<CellRun> => runCell(kernel, code);
      const first = await run("import { Table, inNotebook, show } from 'recital';\ninNotebook()");
      expect(first).to.include({ status: 'ok', stdout: 'false\n' });
      expect(first.stderr).to.match(/^This is tslab's own kernel: .*`npm run lab`.*\n$/);
      const table = await run("show(new Table({ track: ['x'] })); new Table({ n: ['y'] })");
      expect(table.stdout)
        .to.match(/^track\nx\n/)
        .and.to.match(/n\n *y\n$/);
      expect(table).to.include({ stderr: '' });
      expect(table.shown).to.deep.equal([]);
    } finally {
      await kernel.stop();
    }
  });
});
