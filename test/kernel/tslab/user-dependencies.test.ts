import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { type CellRun, KernelClient, runCell } from '../../support/kernel.js';

/**
 * A notebook that has nothing to do with the checkout: in a folder of the system's temporary one,
 * with others beside it.
 */
describe('what a cell can import, wherever its notebook lies', () => {
  let folder: string;
  let kernel: KernelClient;
  const write = (name: string, text: string): void => {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const run = (code: string): Promise<CellRun> => runCell(kernel, code);
  /** What a cell prints; its error, if it fails. */
  const value = async (code: string): Promise<string> => {
    const { stdout, error } = await run(code);
    return error ? error.traceback.join('\n') : stdout.trim();
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'recital elsewhere '));
    mkdirSync(join(folder, 'handed in'));
    write('package.json', '{ "name": "course", "year": 2026 }');
    write(
      'shared/tools.ts',
      "import { Random } from 'recital';\nimport { ten } from './deep';\n\ninterface Named { name: string }\n\nexport const above = (n: number): number => n + ten;\nexport const draw = new Random(1).int(1);\nexport function refuse(who: Named): never {\n  throw new RangeError('not ' + who.name);\n}\n",
    );
    write('shared/deep/index.ts', 'export const ten = 10;\n');
    write('shared/wrong.ts', 'export const fine = 1;\nexport const wrong: string = 5;\n');
    write(
      'handed in/helper.ts',
      'export const half = (x: number): number => x / 2;\nexport const state = { loads: 1 };\n',
    );
    write('handed in/module.mts', 'export const four = 4;\n');
    write('handed in/plain.js', 'export const five = 5;\n');
    write('handed in/node.mjs', 'export const url = import.meta.url;\n');
    write('handed in/old.cjs', 'exports.six = 6;\n');
    kernel = await KernelClient.start({ cwd: join(folder, 'handed in') });
  });
  after(async () => {
    await kernel?.stop();
    rmSync(folder, { recursive: true });
  });

  it('the library of the checkout: its types, its values, and types that later cells infer', async () => {
    expect(
      await value(
        "import { Plays } from 'recital';\nconst table = Plays.fromRows([{ user: 'u', track: 'a' }]).toTable();\ntable.length",
      ),
    ).to.equal('1');
    expect(await value("const ids = table.strings('track_id');\nids[0]")).to.equal('a');
    expect((await run('const n: number = ids;')).error?.evalue).to.equal(
      "Type 'readonly string[]' is not assignable to type 'number'.",
    );
    expect(await value("const all = await import('recital');\nall.Plays === Plays")).to.equal(
      'true',
    );
    expect(await value("import info from 'recital/package.json';\ninfo.name")).to.equal('recital');
    expect(await value("import { display } from 'tslab';\ntypeof display")).to.equal('object');
  });

  it('files in neighbouring folders, which may import each other, and the library', async () => {
    expect(
      await value("import { above, draw, refuse } from '../shared/tools';\nabove(draw)"),
    ).to.equal('10');
    expect(await value("import course from '../package.json';\ncourse.year")).to.equal('2026');
    expect(await value("import { ten } from '../shared/deep';\nten")).to.equal('10');
  });

  it('files with any ending, and by what they are compiled to', async () => {
    expect(await value("import { half } from './helper.ts';\nhalf(3)")).to.equal('1.5');
    expect(
      await value(
        "import { state } from './helper';\nimport * as same from './helper.js';\n++same.state.loads === state.loads",
      ),
    ).to.equal('true');
    expect(
      await value(
        "import { four } from './module.mjs';\nimport * as typed from './module.mts';\nfour + typed.four",
      ),
    ).to.equal('8');
    expect(
      await value("import { five } from './plain';\nimport { six } from './old.cjs';\nfive + six"),
    ).to.equal('11');
    expect(await value("import { url } from './node.mjs';\nurl.slice(0, 8)")).to.equal('file:///');
  });

  it('a file that throws is told by its name and line, as seen from the notebook', async () => {
    const { error } = await run("refuse({ name: 'you' })");
    expect(error?.traceback).to.deep.equal([
      'RangeError: not you',
      `    at ${join('..', 'shared', 'tools.ts')}, line 9 (refuse): throw new RangeError('not ' + who.name);`,
      `    at cell [${error?.traceback[2].match(/\d+/)?.[0]}], line 1: refuse({ name: 'you' })`,
    ]);
  });

  it('a file that is wrong is told by its place, and the cell is not run', async () => {
    const { error, stdout } = await run("import { fine } from '../shared/wrong';\nfine");
    expect(stdout).to.equal('');
    expect(error?.traceback).to.deep.equal([
      `${join('..', 'shared', 'wrong.ts')}:2:14 Type 'number' is not assignable to type 'string'.`,
    ]);
  });

  it('a file that awaits outside of functions is told what it can do', async () => {
    write('handed in/waits.ts', 'export const value = await Promise.resolve(1);\n');
    const { error } = await run("import { value as waited } from './waits';");
    expect(error?.evalue).to.equal(
      'Outside of functions `await` works in cells alone: export an async function.',
    );
  });

  it('a file that has changed, with what imports it; and one that was not there at first', async () => {
    expect((await run("import { late } from '../shared/late';")).error?.traceback.at(-1)).to.equal(
      `There is no such file in ${join(folder, 'shared')}.`,
    );
    write('shared/late.ts', 'export const late = 1;\n');
    expect(await value("import { late } from '../shared/late';\nlate")).to.equal('1');
    write('shared/deep/index.ts', 'export const ten = 20;\n');
    for (
      let i = 0;
      i < 40 &&
      (await value("import { above as again } from '../shared/tools';\nagain(0)")) !== '20';
      i++
    ) {
      await new Promise((done) => setTimeout(done, 250)); // until the compiler has noticed
    }
    expect(await value('again(0)')).to.equal('20');
    expect(await value("import { state as kept } from './helper';\nkept === state")).to.equal(
      'true',
    ); // the others stay as they are
  });

  it('a module that is not there is told without a file that nobody has written', async () => {
    expect((await run("require('./nothing')")).error?.evalue).to.equal(
      "Cannot find module './nothing'",
    );
  });
});
