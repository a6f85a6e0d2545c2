// npm run test:package: the notebooks outside of any checkout.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readNotebook } from '../../lib/kernel/run/notebook-file.js';
import { clear, deno, install, output, project, put, root, run } from './tools.js';

interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

describe('the package recital-kernel', function () {
  this.timeout(600_000);
  const tarballs: string[] = [];
  let packed: Packed;
  let own: string; // a folder that `recital new` has made
  const bin = (): string => join(own, 'node_modules/recital-kernel/bin.mjs');
  const recital = (...args: string[]) => run(process.execPath, [bin(), ...args], own);

  before(() => {
    const folder = project();
    for (const name of ['recital', 'kernel']) {
      const written = output(
        'npm',
        ['pack', '--json', '--pack-destination', folder],
        join(root, 'lib', name),
      );
      [packed] = JSON.parse(written.slice(written.indexOf('[\n'))) as Packed[];
      tarballs.push(join(folder, packed.filename));
    }
    const first = project();
    expect(install(tarballs, first).code).to.equal(0);
    const made = run('npx', ['recital', 'new', 'My Class', '--no-install'], first);
    expect(made.err).to.equal('');
    expect(made.out).to.contain('npm run lab');
    own = join(first, 'My Class');
    const manifest = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'));
    expect(manifest.name).to.equal('my-class');
    expect(Object.keys(manifest.dependencies)).to.deep.equal(['recital', 'recital-kernel']);
    expect(install(tarballs, own).code).to.equal(0);
  });
  after(clear);

  it('holds bundles, notebooks and the sample, and no source', () => {
    const files = packed.files.map(({ path }) => path);
    expect(files.filter((path) => /\.ts$|\.map$|test/.test(path))).to.deep.equal([
      'content/lib/recital/index.ts', // the names of the library, for hints
    ]);
    expect(files.filter((path) => path.endsWith('.ipynb'))).to.have.length(5);
    expect(packed.size).to.be.below(5_000_000);
    expect(existsSync(join(root, 'lib/kernel/content'))).to.equal(false);
  });

  it('makes a folder once', () => {
    expect(
      readdirSync(join(own, 'notebooks')).filter((name) => name.endsWith('.ipynb')),
    ).to.have.length(5);
    expect(readdirSync(join(own, 'data/sample'))).to.include('User Listening History.csv');
    const parent = join(own, '..');
    const again = run(process.execPath, [bin(), 'new', 'My Class', '--no-install'], parent);
    expect(again.code).to.equal(1);
    expect(again.err).to.contain('not empty');
    for (const args of [['new'], ['new', 'x', '--fast']])
      expect(recital(...args).code, args.join(' ')).to.equal(2);
    expect(existsSync(join(own, 'x'))).to.equal(false);
  });

  it('runs a notebook there, to the numbers of the checkout', () => {
    const { code, err, out } = recital('run', '0');
    expect(err).to.equal('');
    expect(code).to.equal(0);
    expect(out).to.contain('0-start-here: done');
    const text = (file: string): string =>
      readNotebook(file)
        .cells.flatMap(({ outputs = [] }) => outputs.map((each) => JSON.stringify(each)))
        .join('\n')
        .replace(/\d\d:\d\d/g, '');
    expect(text(join(own, 'out/0-start-here.ipynb'))).to.equal(
      text(join(root, 'notebooks/0-start-here.ipynb')),
    );
    const page = readFileSync(join(own, 'out/0-start-here.html'), 'utf8');
    expect(page).to.contain('the synthetic sample (data/sample)');
  });

  it("runs it in Deno's kernel, too", function () {
    const program = deno();
    if (program === undefined) this.skip();
    const before = process.env.DENO;
    process.env.DENO = program;
    try {
      const { code, out, err } = recital('run', '0', '--kernel', 'deno', '--out', 'by-deno');
      expect(err).to.equal('');
      expect(code).to.equal(0);
      expect(out).to.contain('EmbeddingDotBias   2581  0.287534');
    } finally {
      if (before === undefined) delete process.env.DENO;
      else process.env.DENO = before;
    }
  });

  it('has the same messages and hints, and the subpaths of the library', () => {
    put(own, {
      'notebooks/own.ipynb': JSON.stringify({
        cells: [
          "import { Plays, Popularity } from 'recital';\nimport { serve } from 'recital/serve';\nconst plays = Plays.fromRows([{ user: 'a', track: 'x', playcount: 1 }]);\nserve(new Popularity(plays)).fetch.length",
          'new ItemKN(plays)',
        ].map((source) => ({
          cell_type: 'code',
          source,
          metadata: {},
          outputs: [],
          execution_count: null,
        })),
        metadata: {
          kernelspec: { name: 'tslab', display_name: 'TypeScript', language: 'typescript' },
        },
        nbformat: 4,
        nbformat_minor: 5,
      }),
    });
    const { code, out } = recital('run', 'own');
    expect(code).to.equal(1);
    expect(out).to.contain("Cannot find name 'ItemKN'");
    expect(out).to.contain("recital has ItemKNN: import { ItemKNN } from 'recital';");
    expect(out).to.match(/\[1\][\s\S]*\n1\n/);
  });

  it('makes data in the folder', () => {
    const { code } = recital('data', 'sample', '--out', 'data/again');
    expect(code).to.equal(0);
    const history = (name: string): Buffer =>
      readFileSync(join(own, 'data', name, 'User Listening History.csv'));
    expect(history('again').equals(history('sample'))).to.equal(true);
  });

  it('says what it can do', () => {
    expect(recital().out).to.contain('recital COMMAND --help');
    expect(recital('--version').out).to.match(/^\d+\.\d+\.\d+\n$/);
    expect(recital('run', '--help').out).to.contain('usage: recital run [NAME');
    expect(recital('nothing')).to.deep.include({ code: 2, out: '' });
  });
});
