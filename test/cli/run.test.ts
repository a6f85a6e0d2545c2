import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { readNotebook } from '../../lib/cli/notebook-file.js';
import { notebookOf } from '../support/notebook.js';

const root = resolve(__dirname, '..', '..');
const folder = join(root, '.cache', `test run ${process.pid}`); // within the checkout: notebooks import the library by its name
const notebooks = join(folder, 'note books');
const out = join(folder, 'out');

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** `npm start -- ARGS`, typed in the test's folder. */
function start(...args: string[]): Promise<Run> {
  const all = ['--import', 'tsx', join(root, 'lib/cli/run.ts'), '--notebooks', 'note books', '--out', 'out', ...args];
  return new Promise((done) => {
    execFile(process.execPath, all, { cwd: root, env: { ...process.env, INIT_CWD: folder } }, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
const write = (name: string, ...cells: string[]): void => writeFileSync(join(notebooks, `${name}.ipynb`), JSON.stringify(notebookOf(...cells)));

describe('npm start', () => {
  before(() => {
    mkdirSync(notebooks, { recursive: true });
    mkdirSync(join(folder, 'my data'));
    write(
      '1-good',
      '# Good',
      "import { Table } from 'recital';\nconsole.log('a'); console.log(process.env.RECITAL_DATA);",
      "new Table({ track: ['<x>'] })",
      '',
    );
    write(
      '2-bad',
      '# Bad',
      "import { Random } from 'recital';",
      '// a comment\nconst seed: number = 0.5;\nnew Random(seed);',
      "console.log('never');",
    );
    write('3-slow', "console.log('begun'); await new Promise((r) => setTimeout(r, 60_000));");
    write('4-exit', 'process.exit(7);');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('runs a notebook, prints what it prints, and writes the executed copy and the page', async () => {
    const { code, stdout } = await start('1-good', '--data', 'my data');
    expect(code).to.equal(0);
    expect(stdout)
      .to.contain(`a\n${join(folder, 'my data')}\n`)
      .and.to.contain('track\n<x>\n')
      .and.to.match(/1-good: done in [\d.]+ s → out.1-good\.html/);
    const copy = readNotebook(join(out, '1-good.ipynb'));
    expect(copy.cells[1]).to.deep.include({ execution_count: 1 });
    expect(copy.cells[1].outputs?.[0].text?.[0]).to.equal('a\n');
    expect(copy.cells[2].outputs?.[0].data?.['text/html']).to.be.an('array');
    expect(copy.metadata.kernelspec).to.deep.include({ name: 'tslab' });
    expect(readFileSync(join(out, '1-good.html'), 'utf8')).to.contain('&lt;x&gt;');
    expect(readNotebook(join(notebooks, '1-good.ipynb')).cells[1].execution_count).to.equal(null);
  });

  it('stops at a failing cell, says which line failed and why, still writes, and exits with 1', async () => {
    const { code, stdout } = await start('2-bad');
    expect(code).to.equal(1);
    expect(stdout).to.contain('2-bad: failed').and.to.contain('Cell [2], line 3: new Random(seed);\nArgumentError: A seed must be');
    expect(stdout).not.to.contain('never\n');
    const { cells } = readNotebook(join(out, '2-bad.ipynb'));
    expect(cells[2].outputs?.[0]).to.include({ output_type: 'error', ename: 'ArgumentError' });
    expect(cells[3]).to.deep.include({ outputs: [], execution_count: null });
    expect(readFileSync(join(out, '2-bad.html'), 'utf8')).to.contain('class="error"');
  });

  it('ends a cell that takes too long, and a notebook whose kernel dies, and goes on with the next', async () => {
    const { code, stdout } = await start('3-slow', '4-exit', '--timeout', '1');
    expect(code).to.equal(1);
    expect(stdout).to.contain('Timeout: the cell ran for more than 1 s').and.to.contain('The kernel ended with exit code 7');
    expect(stdout).to.contain('2 of 2 notebooks failed');
    expect(existsSync(join(out, '4-exit.html'))).to.equal(true);
  });

  it('takes the beginning of a name, and writes over the notebook when asked to', async () => {
    const { code } = await start('1', '--in-place');
    expect(code).to.equal(0);
    expect(readNotebook(join(notebooks, '1-good.ipynb')).cells[1].execution_count).to.equal(1);
  });

  it('suggests a name for one that does not exist', async () => {
    const { code, stderr } = await start('1-god');
    expect(code).to.equal(2);
    expect(stderr).to.contain('Unknown notebook "1-god"').and.to.contain('did you mean "1-good"?');
  });

  it('refuses a data folder that does not exist, options it does not know, and a timeout that is none', async () => {
    const [data, option, timeout] = await Promise.all([start('1-good', '--data', 'nowhere'), start('--dat', 'x'), start('--timeout', 'x')]);
    expect([data.code, option.code, timeout.code]).to.deep.equal([2, 2, 2]);
    expect(data.stderr).to.contain('there is no folder').and.to.contain('nowhere');
    expect(option.stderr).to.contain("'--dat'").and.to.contain('usage: npm start');
    expect(timeout.stderr).to.contain('positive number of seconds, got "x"');
  });
});
