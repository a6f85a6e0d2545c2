import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';

const bundler = resolve(__dirname, '../../lib/recital/bundle.cjs');

describe('bundle', () => {
  let root: string;
  const write = (name: string, text: string): void => writeFileSync(join(root, name), text);
  const script = (what: string): string[] => [
    '-e',
    `const { load, located } = require(${JSON.stringify(bundler)}); const made = load(${JSON.stringify(join(root, 'one'))}, 'index.ts', ['../two']); console.log(JSON.stringify(${what}));`,
  ];
  const run = (what: string): unknown => {
    const { stdout, stderr } = spawnSync(process.execPath, script(what), { encoding: 'utf8' });
    expect(stderr).to.equal('');
    return JSON.parse(stdout);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'recital bundle '));
    for (const folder of ['one/inner', 'two']) mkdirSync(join(root, folder), { recursive: true });
    write(
      'one/index.ts',
      "export { Seed, fail } from './inner/seed.js';\nexport { here } from '../two/two.js';",
    );
    write(
      'one/inner/seed.ts',
      `import { where } from '../../two/two.js';
/** A class that names itself. */
export class Seed { constructor(readonly value: number) {} next(): Seed { return new Seed(this.value + 1); } }
export const place: string = __dirname;
export function fail(): never {
  const n: number = 3; throw new RangeError(\`bad \${n} at \${where}\`);
}
console.error;`,
    );
    write(
      'two/two.ts',
      "const helper = require('../three.cjs') as { three: number };\nexport const where: string = __dirname;\nexport const here: [string, number] = [__filename, helper.three];",
    );
    write('three.cjs', 'exports.three = 3;');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is made once, anew when a source is edited, added or gone, and keeps names and places', () => {
    expect(run('[new made.Seed(1).next(), made.Seed.name, made.here]')).to.deep.equal([
      { value: 2 },
      'Seed',
      [join(root, 'two/two.ts'), 3],
    ]);
    const files = (): string[] => readdirSync(join(root, 'one/dist')).sort();
    const first = files();
    expect(first).to.have.length(2);
    run('0');
    expect(files()).to.deep.equal(first);
    write('two/two.ts', 'export const where = 1;\nexport const here = 5;');
    expect(run('made.here')).to.equal(5);
    write('one/inner/other.ts', '');
    run('0');
    rmSync(join(root, 'one/inner/other.ts'));
    run('0');
    expect(files()).to.have.length(6); // three states of the sources, two files each
  });

  it('knows the line of the source that an error was thrown at', () => {
    const where =
      "(() => { try { made.fail(); } catch (e) { const [, file, line, column] = /\\((.*):(\\d+):(\\d+)\\)/.exec(e.stack.split('\\n')[1]); return located(file, line, column); } })()";
    const place = { file: join(root, 'one/inner/seed.ts'), line: 6, column: 30 };
    expect(run(where)).to.deep.equal(place);
    rmSync(join(root, 'one/dist'), { recursive: true });
    write('one/dist', ''); // nothing can be written there
    expect(run(where)).to.deep.equal(place);
    expect(run("located('/elsewhere.cjs', 1, 1) ?? 'nowhere'")).to.equal('nowhere');
  });

  it('has entries for ES modules and CommonJS, with the same names, subpaths included', () => {
    write('one/sub.ts', 'export const below = 7;');
    write('one/entries.ts', "export * from './index.js';\nexport * as $sub from './sub.js';");
    const load = `require(${JSON.stringify(bundler)}).load(__dirname, 'entries.ts')`;
    write('one/main.cjs', `module.exports = ${load};`);
    const node = (text: string): string =>
      spawnSync(process.execPath, ['-e', text], { encoding: 'utf8', cwd: join(root, 'one') })
        .stdout;
    node("require('./main.cjs')");
    const names = { index: 'Seed,fail,here', sub: 'below' };
    for (const [name, expected] of Object.entries(names)) {
      const shown = '.then((m) => console.log(Object.keys(m).join()))';
      expect(node(`import('./dist/${name}.js')${shown}`)).to.equal(`${expected}\n`);
      expect(node(`console.log(Object.keys(require('./dist/${name}.cjs')).join())`)).to.equal(
        `${expected}\n`,
      );
    }
    expect(
      node(
        "import('./dist/index.js').then((m) => console.log(m.Seed === require('./dist/index.cjs').Seed))",
      ),
    ).to.equal('true\n');
    expect(readFileSync(join(root, 'one/dist/sub.d.ts'), 'utf8')).to.equal(
      "export * from '../sub.js';\n",
    );
  });

  it('is made by several processes at once', async () => {
    const made = [1, 2, 3].map(
      () =>
        new Promise<string>((done) => {
          const child = spawn(process.execPath, script('made.here[1]'));
          let text = '';
          child.stdout.on('data', (part) => (text += part));
          child.stderr.on('data', (part) => (text += part));
          child.on('close', () => done(text));
        }),
    );
    expect(await Promise.all(made)).to.deep.equal(['3\n', '3\n', '3\n']);
    expect(
      readdirSync(join(root, 'one/dist')).filter((name) => /partial/.test(name)),
    ).to.deep.equal([]);
  });

  it('says what is wrong with a source', () => {
    write('two/two.ts', 'export const where = ;');
    const { stderr, status } = spawnSync(process.execPath, script('0'), { encoding: 'utf8' });
    expect(status).to.equal(1);
    expect(stderr).to.contain('two.ts:1:21: ERROR: Unexpected ";"');
    expect(existsSync(join(root, 'one/dist'))).to.equal(false);
  });
});
