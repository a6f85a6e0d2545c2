import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { command, entry, entryText } from '../support/esm-entry.js';

const folder = join(resolve(__dirname, '../..'), '.cache', `test main ${process.pid}`); // within the checkout: the library is found by its name

describe('the library in a script', () => {
  const names = "import { DataError, sql, Table } from 'recital';\n";
  const work =
    "const t: Table = await sql('select 1 as a');\nconsole.log(t.length, t instanceof Table, typeof DataError);";
  const wrapped = `${names}async function main(): Promise<void> {\n${work}\n}\nvoid main();`;
  const scripts: [string, string[], string][] = [
    ['script.mjs', [], `${names}${work.replace(': Table', '')}`],
    [
      'script.cjs',
      [],
      "const r = require('recital');\nvoid import('recital').then((m) => console.log(1, m.Table === r.Table, typeof m.DataError));",
    ],
    ['script.mts', ['--import', 'tsx'], names + work],
    ['script.ts', ['--import', 'tsx'], wrapped],
    ['script.cts', ['--import', 'tsx'], wrapped],
  ];
  before(() => mkdirSync(folder, { recursive: true }));
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, options, text] of scripts) {
    it(`is imported by name in a ${name.replace('script', '')} file${options.length ? ' run by tsx' : ' run by Node alone'}`, () => {
      writeFileSync(join(folder, name), text);
      const stdout = execFileSync(process.execPath, [...options, join(folder, name)], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(stdout).to.equal('1 true function\n');
    });
  }

  it('has the names that are pinned: one goes, or comes, on purpose', () => {
    const library = require('../../lib/recital/main.cjs') as object;
    const pinned = JSON.parse(
      readFileSync(resolve(__dirname, '../golden/public-names.json'), 'utf8'),
    ) as string[];
    expect(Object.keys(library).sort()).to.deep.equal(pinned);
  });

  it('has the same names for ES modules as for others', () => {
    expect(readFileSync(entry, 'utf8'), `Write lib/recital/main.mjs anew: ${command}`).to.equal(
      entryText(),
    );
  });
});

describe('package-lock.json', () => {
  it('has the hash of every package, of other systems too, and no address: npm runs nothing unchecked, from whatever registry', () => {
    const text = readFileSync(resolve(__dirname, '../../package-lock.json'), 'utf8');
    const { packages } = JSON.parse(text) as {
      packages: Record<string, { integrity?: string; link?: boolean }>;
    };
    const unchecked = Object.entries(packages).filter(
      ([path, { integrity, link }]) =>
        path !== '' &&
        !path.startsWith('lib/') &&
        !link &&
        !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
    );
    expect(
      unchecked.map(([path]) => path),
      'without a hash: npm view NAME@VERSION dist.integrity',
    ).to.deep.equal([]);
    expect(text).to.not.match(/"resolved": "\w+:/);
    expect(Object.keys(packages).length).to.be.above(200);
  });
});
