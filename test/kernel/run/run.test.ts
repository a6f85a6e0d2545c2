import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { expect } from 'chai';
import { executeNotebook } from '../../../lib/kernel/run/executor.js';
import { readNotebook } from '../../../lib/kernel/run/notebook-file.js';
import { notebookOf } from '../../support/notebook.js';

const root = resolve(__dirname, '../../..');
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
  const all = [
    '--import',
    'tsx',
    join(root, 'lib/kernel/run/run.ts'),
    '--notebooks',
    'note books',
    '--out',
    'out',
    ...args,
  ];
  return new Promise((done) => {
    execFile(
      process.execPath,
      all,
      { cwd: root, env: { ...process.env, INIT_CWD: folder } },
      (error, stdout, stderr) => {
        done({ code: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}
const write = (name: string, ...cells: string[]): void =>
  writeFileSync(join(notebooks, `${name}.ipynb`), JSON.stringify(notebookOf(...cells)));

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
    write(
      '5-forgotten',
      'const later = () => new Promise((_, f) => setTimeout(() => f(new RangeError("forgotten")), 50));',
      '// one\nlater()',
      'console.log("never");',
    );
    write(
      '6-floating',
      'const later = () => new Promise((_, f) => setTimeout(() => f(new RangeError("floating")), 50));',
      'later();\nconsole.log("last");',
    );
    const tagged = notebookOf(
      "throw new Error('as it should');",
      "import { Random } from 'recital'; console.log('after');",
    );
    tagged.cells[0].metadata = { tags: ['raises-exception'] };
    writeFileSync(join(notebooks, '7-tagged.ipynb'), JSON.stringify(tagged));
    const died = notebookOf('process.exit(3);', "console.log('never');");
    died.cells[0].metadata = { tags: ['raises-exception'] };
    writeFileSync(join(notebooks, '8-tagged.ipynb'), JSON.stringify(died));
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
    expect(stdout)
      .to.contain('2-bad: failed')
      .and.to.contain('Cell [2], line 3: new Random(seed);\nArgumentError: A seed must be');
    expect(stdout).not.to.contain('never\n');
    const { cells } = readNotebook(join(out, '2-bad.ipynb'));
    expect(cells[2].outputs?.[0]).to.include({ output_type: 'error', ename: 'ArgumentError' });
    expect(cells[3]).to.deep.include({ outputs: [], execution_count: null });
    expect(readFileSync(join(out, '2-bad.html'), 'utf8')).to.contain('class="error"');
  });

  it('gives a cell the time that it needs as long as it prints; a watcher is told the seconds', async () => {
    const notebook = notebookOf(
      'for (let i = 0; i < 10; i++) { console.log(i); await new Promise((r) => setTimeout(r, 500)); }',
    );
    const took: number[] = [];
    const began = performance.now();
    const { failure, seconds } = await executeNotebook(notebook, {
      cwd: notebooks,
      timeout: 4,
      watcher: { end: (s) => void took.push(s) },
    });
    const clock = (performance.now() - began) / 1000;
    expect(failure).to.equal(undefined);
    expect(took).to.have.length(1);
    expect(took[0]).to.be.within(5, clock);
    expect(seconds).to.be.within(took[0], clock);
  });

  it('grades what was handed in, wherever it lies: with the library and the data of the checkout, 1 if an assertion fails', async () => {
    const handedIn = mkdtempSync(join(tmpdir(), 'recital handed in '));
    try {
      const answer =
        "import { readPlays } from 'recital';\nimport { double } from './mine';\nconst plays = await readPlays(process.env.RECITAL_DATA ?? '../data', {});";
      const grade = (expected: number): string =>
        `import assert from 'node:assert';\nassert.equal(double(plays.users.length), ${expected}, 'question 1');`;
      writeFileSync(
        join(handedIn, 'mine.ts'),
        'export const double = (n: number): number => 2 * n;\n',
      );
      for (const [name, expected] of [
        ['anna', 8000],
        ['ben', 5],
      ] as const) {
        writeFileSync(
          join(handedIn, `${name}.ipynb`),
          JSON.stringify(notebookOf(answer, grade(expected))),
        );
      }
      const anna = await start('anna', '--notebooks', handedIn);
      expect(anna.stdout).not.to.contain('failed');
      expect(anna.code).to.equal(0);
      const ben = await start('ben', '--notebooks', handedIn);
      expect(ben.code).to.equal(1);
      expect(ben.stdout)
        .to.contain('Cell [2], line 2: assert.equal(')
        .and.to.contain('AssertionError: question 1');
    } finally {
      rmSync(handedIn, { recursive: true });
    }
  });

  it('ends a cell that is silent for too long, and a notebook whose kernel dies, and goes on with the next', async () => {
    const { code, stdout } = await start('3-slow', '4-exit', '--timeout', '1');
    expect(code).to.equal(1);
    expect(stdout)
      .to.contain('Timeout: the cell printed and showed nothing for 1 s')
      .and.to.contain('process.exit(7) was called: the kernel ends');
    expect(stdout).to.contain('2 of 2 notebooks failed');
    expect(readFileSync(join(out, '4-exit.html'), 'utf8')).to.contain(
      '<a href="index.html">Notebooks</a>',
    );
    expect(stdout).to.match(/All pages: out.index\.html/);
    const index = readFileSync(join(out, 'index.html'), 'utf8');
    for (const page of ['1-good', '3-slow', '4-exit'])
      expect(index).to.contain(`<a href="${page}.html">`); // those of earlier runs as well
  });

  it('fails for a promise that nobody awaits: the last value of a cell, or one that is rejected after the last cell', async () => {
    const { code, stdout } = await start('5-forgotten', '6-floating');
    expect(code).to.equal(1);
    expect(stdout)
      .to.contain('2 of 2 notebooks failed')
      .and.to.contain('5-forgotten, cell [2]: RangeError: forgotten')
      .and.not.to.contain('never\n');
    expect(stdout)
      .to.contain('6-floating, cell [1]: RangeError: floating')
      .and.to.contain('write `await` before the call');
    expect(readNotebook(join(out, '6-floating.ipynb')).cells[1].outputs?.at(-1)).to.include({
      output_type: 'error',
      evalue: 'floating',
    });
  });

  it('lets a cell with the tag raises-exception fail, and goes on; but not end the kernel', async () => {
    const { code, stdout } = await start('7-tagged', '8-tagged');
    expect(code).to.equal(1);
    expect(stdout)
      .to.contain('Error: as it should')
      .and.to.contain('after\n')
      .and.to.match(/7-tagged: done/);
    expect(stdout)
      .to.match(/8-tagged: failed/)
      .and.to.contain('process.exit(3) was called: the kernel ends');
    expect(stdout).not.to.contain('never\n');
    expect(readFileSync(join(out, '7-tagged.html'), 'utf8')).not.to.contain('This run failed');
  });

  it('says at the top of a page that the run failed, where and why, and that a page was replaced', async () => {
    write('9-again', '# Again', "console.log('fine');");
    expect((await start('9-again')).stdout).not.to.contain('in the place of');
    expect(readFileSync(join(out, '9-again.html'), 'utf8')).not.to.contain('This run failed');
    write('9-again', '# Again', "console.log('fine');", "throw new Error('<bad>');");
    expect((await start('9-again')).stdout).to.contain("in the place of an earlier run's");
    const page = readFileSync(join(out, '9-again.html'), 'utf8');
    const banner = page.indexOf('This run failed');
    expect(banner).to.be.within(page.indexOf('<main>'), page.indexOf('<h1'));
    expect(page.slice(banner, banner + 300))
      .to.contain('Cell [2], line 1:')
      .and.to.contain('Error: &lt;bad&gt;');
  });

  it('runs in the own kernel by name, takes the beginning of a name, and writes over the notebook when asked to', async () => {
    const { code } = await start('1', '--in-place', '--kernel', 'recital');
    expect(code).to.equal(0);
    expect(readNotebook(join(notebooks, '1-good.ipynb')).cells[1].execution_count).to.equal(1);
  });

  it("says what Deno's kernel needs, where it is not there or too old", async () => {
    for (const [program, found] of [
      ['/nowhere/deno', '"/nowhere/deno" is not there'],
      [process.execPath, 'is no Deno'],
    ]) {
      const before = process.env.DENO;
      process.env.DENO = program;
      try {
        const { code, stderr, stdout } = await start('1-good', '--kernel', 'deno');
        expect([code, stdout]).to.deep.equal([2, '']);
        expect(stderr).to.contain('--kernel deno needs Deno 2').and.to.contain(found);
      } finally {
        if (before === undefined) delete process.env.DENO;
        else process.env.DENO = before;
      }
    }
  });

  it('suggests a name for one that does not exist', async () => {
    const { code, stderr } = await start('1-god');
    expect(code).to.equal(2);
    expect(stderr).to.contain('Unknown notebook "1-god"').and.to.contain('did you mean "1-good"?');
  });

  it('refuses folders that are none, options it does not know, and a timeout that is none, before anything runs', async () => {
    writeFileSync(join(folder, 'a file'), '');
    const cases: [string[], string[]][] = [
      [
        ['1-good', '--data', 'nowhere'],
        ['--data: there is no folder', 'nowhere', 'data/README.md'],
      ],
      [
        ['1-good', '--data', 'a file'],
        ['--data: ', 'a file is a file; a folder was expected'],
      ],
      [
        ['1-good', '--out', 'a file'],
        ['--out: ', 'there is a file in its place'],
      ],
      [
        ['1-good', '--out', 'a file/below'],
        ['--out: ', 'there is a file in its place'],
      ],
      [['1-good', '--notebooks', 'nowhere'], ['--notebooks: there is no folder']],
      [
        ['--dat', 'x'],
        ["'--dat'", 'usage: npm start'],
      ],
      [['--timeout', 'x'], ['positive number of seconds, got "x"']],
      [['--timeout', '0'], ['positive number of seconds, got "0"']],
      [['--kernel', 'python'], ['--kernel needs recital or deno, got "python"']],
      [
        ['--kernel', 'deno', '--in-place'],
        ['--in-place keeps', '--out'],
      ],
    ];
    const runs = await Promise.all(cases.map(([args]) => start(...args)));
    runs.forEach(({ code, stderr, stdout }, i) => {
      expect([code, stdout]).to.deep.equal([2, '']);
      for (const text of cases[i][1]) expect(stderr).to.contain(text);
    });
    write('a-broken', '');
    writeFileSync(join(notebooks, 'a-broken.ipynb'), '{');
    const broken = await start('1-good', 'a-broken');
    expect(broken.code).to.equal(1);
    expect(broken.stderr).to.contain('cannot be read as a notebook');
    rmSync(join(notebooks, 'a-broken.ipynb'));
  });

  it('keeps the results of a run elsewhere if they cannot be written where they belong, says where, and exits with 1', async () => {
    write(
      '9-closes',
      `import { rmSync, writeFileSync } from 'node:fs';\nrmSync('../out', { recursive: true });\nwriteFileSync('../out', 'no folder');\nconsole.log('done');`,
    );
    try {
      const { code, stdout, stderr } = await start('9-closes');
      expect(code).to.equal(1);
      expect(stderr).not.to.match(/^\s+at /m);
      const kept = [
        ...stdout.matchAll(
          /out" cannot be made: there is something else of that name\. It is kept as (\S+) instead\./g,
        ),
      ].map(([, file]) => file);
      expect(kept.map((file) => basename(file))).to.deep.equal(['9-closes.ipynb', '9-closes.html']);
      expect(readNotebook(kept[0]).cells[0].outputs?.[0].text).to.deep.equal(['done\n']);
      expect(readFileSync(kept[1], 'utf8')).to.contain('done');
      rmSync(dirname(kept[0]), { recursive: true });
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });

  it('says in its help what the exit codes mean', async () => {
    const { code, stdout } = await start('--help');
    expect(code).to.equal(0);
    expect(stdout).to.contain('exit code: 0 all cells ran, 1 a cell failed, 2 wrong usage');
  });
});
