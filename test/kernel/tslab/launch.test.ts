import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CellRun, KernelClient, runCell } from '../../support/kernel.js';

describe('the launcher', () => {
  let kernel: KernelClient;
  const run = (code: string): Promise<CellRun> => runCell(kernel, code);
  before(async () => {
    kernel = await KernelClient.start({ cwd: __dirname });
    await run("import { Random } from 'recital';");
  });
  after(() => kernel.stop());

  it('names the line of the cell, and the line of the library, where an error was thrown', async () => {
    const { error } = await run(
      'interface Seed { value: number }\n\n// a comment, which the compiled code lacks\nconst seed: Seed = { value: 1.5 };\n\nnew Random(seed.value);',
    );
    expect(error?.ename).to.equal('ArgumentError');
    expect(error?.evalue).to.equal('A seed must be an integer or a string, got 1.5.');
    const [head, library, cell, ...rest] = error?.traceback ?? [];
    expect(head).to.equal('ArgumentError: A seed must be an integer or a string, got 1.5.');
    expect(library).to.match(
      /^ {4}at new Random \(lib[\\/]recital[\\/]compute[\\/]random\.ts:\d+:\d+\)$/,
    );
    expect(cell).to.match(/^ {4}at cell \[\d+\], line 6: new Random\(seed\.value\);$/);
    expect(rest).to.deep.equal([]);
  });

  it('names the cell that defined a function and the one that called it, also across awaits', async () => {
    const defined = await run(
      "type N = number;\n\nasync function fail(n: N): Promise<void> {\n  await null;\n  throw new RangeError('bad ' + n, { cause: new Error('root') });\n}",
    );
    const number = defined.reply.execution_count as number;
    const { error } = await run('// calls it\nawait fail(3)');
    expect(error?.traceback.slice(0, 3)).to.deep.equal([
      'RangeError: bad 3',
      `    at cell [${number}], line 5 (fail): throw new RangeError('bad ' + n, { cause: new Error('root') });`,
      `    at cell [${number + 1}], line 2: await fail(3)`,
    ]);
    expect(error?.traceback[3]).to.equal('Caused by Error: root');
  });

  it('names the line of the cell however deep in the library an error was thrown', async () => {
    const made = await run(`import { CollabDataLoaders, collabLearner, Plays } from 'recital';
const rows = Array.from({ length: 60 }, (_, i) => ({ user: \`u\${i % 6}\`, track: \`t\${i % 10}\`, playcount: 1 + i % 3 }));
const learn = collabLearner(CollabDataLoaders.fromPlays(Plays.fromRows(rows), { bs: 8 }), { nFactors: 2 });`);
    expect(made.status).to.equal('ok');
    const { error } = await run('const train = () => learn.fit(2, 1e30);\nawait train();');
    expect(error?.ename).to.equal('NumericError');
    expect(error?.traceback).to.have.length.within(10, 14);
    expect(error?.traceback).to.include('    …');
    expect(error?.traceback.at(-1)).to.match(/^ {4}at cell \[\d+\], line 2: await train\(\);$/);
  });

  it('awaits in a for await outside of functions', async () => {
    const gives = 'function* promises() { yield Promise.resolve(1); yield Promise.resolve(2); }\n';
    const { stdout, error } = await run(
      `${gives}for await (const n of promises()) console.log(n);\n3`,
    );
    expect(`${stdout}${error?.evalue}`).to.equal('1\n2\n3\nundefined');
    expect(
      (
        await run(
          "const never = async () => { for await (const n of promises()) console.log(n); };\n'no'",
        )
      ).stdout,
    ).to.equal('no\n');
  });

  it('points at what does not compile', async () => {
    const { error, stderr } = await run('const fine = 1;\nconst text: string = fine;');
    expect(error?.ename).to.equal('TypeScriptError');
    expect(error?.evalue).to.equal("Type 'number' is not assignable to type 'string'.");
    expect(error?.traceback[0]).to.match(/^cell \[\d+\], line 2: Type 'number'/);
    expect(error?.traceback.slice(1)).to.deep.equal([
      '    const text: string = fine;',
      '          ^',
    ]);
    expect(stderr).to.equal('');
  });

  it('reports values that are thrown but are no errors', async () => {
    expect((await run("throw 'text'")).error).to.include({ ename: 'Thrown', evalue: 'text' });
    expect((await run('throw undefined')).error).to.include({
      ename: 'Thrown',
      evalue: 'undefined',
    });
    expect((await run('await Promise.reject({ a: 1 })')).error).to.include({ evalue: '{ a: 1 }' });
  });

  it('numbers the cells and repeats their code, as front ends expect', async () => {
    const [a, b] = [await run('1'), await run('2')];
    expect(b.reply.execution_count).to.equal((a.reply.execution_count as number) + 1);
    expect(a.types[0]).to.equal('execute_input');
  });

  it('does not run the cells that were queued behind a failing one, and runs the next one at once', async () => {
    const queue = ["throw new Error('first')", "console.log('second')", "console.log('third')"].map(
      run,
    );
    const cells = await Promise.all(queue);
    expect(cells.map(({ status }) => status)).to.deep.equal(['error', 'aborted', 'aborted']);
    expect((await run("console.log('fourth')")).stdout).to.equal('fourth\n');
  });

  it('runs queued cells one after the other, and is busy until the last has ended', async () => {
    const states: string[] = [];
    const slow = kernel.execute(
      "await new Promise((r) => setTimeout(r, 300)); console.log('a')",
      (type) => states.push(type),
    );
    const fast = kernel.execute("console.log('b')", (type) => states.push(type));
    await Promise.all([slow, fast]);
    expect(states).to.deep.equal(['execute_input', 'stream', 'execute_input', 'stream']);
  });

  it('answers completions and requests it has nothing for while a cell runs', async () => {
    const slow = run('await new Promise((r) => setTimeout(r, 500));');
    const completion = await kernel.request('complete_request', {
      code: 'console.lo',
      cursor_pos: 10,
    });
    expect(completion.matches).to.include('log');
    expect(await kernel.request('history_request', {})).to.deep.include({
      status: 'ok',
      history: [],
    });
    expect(await kernel.request('comm_info_request', {})).to.deep.include({ comms: {} });
    expect((await slow).status).to.equal('ok');
  });

  it('goes on when files appear where an import was looked for in vain', async () => {
    mkdirSync(join(__dirname, '../../../.cache'), { recursive: true });
    const folder = mkdtempSync(join(__dirname, '../../../.cache/test-files-'));
    const own = await KernelClient.start({ cwd: folder });
    try {
      expect((await runCell(own, "import nothing from './nothing';")).error?.ename).to.equal(
        'TypeScriptError',
      );
      await runCell(
        own,
        "require('fs').mkdirSync('models'); require('fs').writeFileSync('models/a.json', '{}'); await new Promise((r) => setTimeout(r, 100));",
      );
      expect((await runCell(own, '1 + 1')).stdout).to.equal('2\n');
      await new Promise((done) => setTimeout(done, 400));
      expect((await runCell(own, '1 + 2')).stdout).to.equal('3\n');
      writeFileSync(join(folder, 'nothing.ts'), 'export default 5;');
      await new Promise((done) => setTimeout(done, 600));
      expect((await runCell(own, "import nothing from './nothing';\nnothing")).stdout).to.equal(
        '5\n',
      );
    } finally {
      await own.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it("checks and compiles the reader's own files beside the notebook, which may use the library", async () => {
    mkdirSync(join(__dirname, '../../../.cache'), { recursive: true });
    const folder = mkdtempSync(join(__dirname, '../../../.cache/test-files-'));
    const helper = (type: string): void =>
      writeFileSync(
        join(folder, 'own.ts'),
        `import { Random } from 'recital';\nexport const draw: ${type} = new Random(1).int(1);`,
      );
    helper('string');
    const own = await KernelClient.start({ cwd: folder });
    try {
      const cell = "import { draw } from './own';\ndraw";
      const { error } = await runCell(own, cell);
      expect(error?.traceback).to.have.length(1);
      expect(error?.traceback[0]).to.match(
        /own\.ts:2:14 Type 'number' is not assignable to type 'string'\.$/,
      );
      helper('number');
      await new Promise((done) => setTimeout(done, 600)); // until the compiler has noticed
      expect((await runCell(own, cell)).stdout).to.equal('0\n');
    } finally {
      await own.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it('imports the library without checking it: where the older compiler would refuse its sources, in the folder of the checkout, as well', async () => {
    const other = await KernelClient.start({ cwd: join(__dirname, '../../..') });
    try {
      expect(
        (await runCell(other, "import { Random } from 'recital';\nnew Random(1).int(1)")).stdout,
      ).to.equal('0\n');
      const { error } = await runCell(other, "import { Randon } from 'recital';");
      expect(error?.evalue).to.match(
        /has no exported member (named )?'Randon'. Did you mean 'Random'\?$/,
      );
    } finally {
      await other.stop();
    }
  });

  it('says where a promise was rejected that nobody awaits', async () => {
    const { stderr } = await run(
      'void (async () => { await null; new Random(0.5); })();\nawait new Promise((r) => setTimeout(r, 50));',
    );
    expect(stderr)
      .to.contain('A promise that no cell awaits was rejected:\nArgumentError: A seed must')
      .and.to.match(/cell \[\d+\], line 1/);
  });

  it("awaits a promise that is the last value of a cell: its error is the cell's, its value is shown", async () => {
    await run(
      "const later = (v: unknown, bad = false) => new Promise((r, f) => setTimeout(() => (bad ? f(new RangeError('late')) : r(v)), 30));",
    );
    expect(await run('later(3)')).to.include({ status: 'ok', stdout: '3\n' });
    expect((await run('later(undefined)')).stdout).to.equal('');
    expect((await run('later(0, true)')).error).to.include({ ename: 'RangeError', evalue: 'late' });
    expect((await run('await null;\nlater(0, true)')).error).to.include({
      ename: 'RangeError',
      evalue: 'late',
    });
    const failed = await run("Promise.reject(new Error('at once'))");
    expect(failed.error?.traceback[1]).to.match(/^ {4}at cell \[\d+\], line 1: Promise\.reject/);
    expect(failed.stderr).to.equal('');
    const { shown } = await run(
      "import { Table } from 'recital';\nlater(new Table({ track: ['x'] }))",
    );
    expect(shown[0]['text/html']).to.contain('<table');
  });

  it('stops waiting for the last value of a cell when it is interrupted', async () => {
    setTimeout(() => kernel.interrupt(), 200);
    expect((await run('new Promise(() => {})')).error?.ename).to.equal('Interrupted');
    expect((await run('1 + 1')).stdout).to.equal('2\n');
  });

  it('tells, when asked before it stops, of promises that were rejected after the last cell, and of work that goes on', async () => {
    await run("setTimeout(() => void Promise.reject(new RangeError('too late')), 60);");
    const late = await kernel.request('recital_finish_request', {});
    expect(late.running).to.equal(false);
    expect((late.rejections as { evalue: string }[]).map(({ evalue }) => evalue)).to.deep.equal([
      'too late',
    ]);
    await run('const timer = setInterval(() => {}, 50);');
    expect(await kernel.request('recital_finish_request', {})).to.deep.equal({
      rejections: [],
      running: true,
    });
    await run('clearInterval(timer);');
    expect(await kernel.request('recital_finish_request', {})).to.deep.equal({
      rejections: [],
      running: false,
    });
  });

  it('shows what a module cell reports although such a cell never fails', async () => {
    const { status, stderr } = await run('/** @module broken */\nexport const x: string = 1;');
    expect(status).to.equal('ok');
    expect(stderr).to.contain("Type 'number' is not assignable");
  });

  it('keeps the variables that a failing cell has given a value, and forgets the others', async () => {
    await run("let early = 'before', late = 'before';");
    const failed = await run(
      "type Both = [number, string]; const early = 1; const both: Both = [early, 'x']; throw new Error('here'); const late = 2;",
    );
    expect(failed.error?.evalue).to.equal('here');
    expect(await run('const again: Both = [both[0] + early, both[1]]; again')).to.include({
      status: 'ok',
      stdout: "[ 2, 'x' ]\n",
    });
    expect((await run('late')).error?.evalue).to.contain("Cannot find name 'late'");
    expect((await run('const text: string = 5; const missing = 1;')).error?.ename).to.equal(
      'TypeScriptError',
    );
    expect((await run('missing')).error?.evalue).to.contain("Cannot find name 'missing'");
    expect((await run('early')).stdout).to.equal('1\n');
  });

  it('says where an error was thrown that no cell awaits, and goes on', async () => {
    const { status, stderr } = await run(
      "setTimeout(() => { throw new RangeError('late'); }); await new Promise((r) => setTimeout(r, 50));",
    );
    expect(status).to.equal('ok');
    expect(stderr).to.match(
      /^An error was thrown that no cell awaits:\nRangeError: late\n {4}at cell \[\d+\], line 1/,
    );
    expect(stderr.split('\n')).to.have.length(4);
  });

  it('survives what asks for more memory for arrays than there can be', async () => {
    const { error } = await run("import { float32 } from 'recital';\nfloat32(2 ** 31)");
    expect(error).to.include({ ename: 'NumericError' });
    expect(error?.evalue).to.match(/^Out of memory: 8,192 MB more were asked for/);
    expect((await run('float32(10).length')).stdout).to.equal('10\n');
  });
});
