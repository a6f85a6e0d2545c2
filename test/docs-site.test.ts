import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Chromium, findChromium } from './support/chromium.js';
import { axe, look } from './support/reading.js';

const root = resolve(__dirname, '..');
const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');

describe("the documentation's pages", () => {
  let folder: string;
  let said: string;
  let pages: string[];

  before(async function () {
    this.timeout(180_000);
    if (!existsSync(typedoc)) {
      console.log("The documentation's pages are not tested: typedoc is not installed.");
      return this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'recital-docs-'));
    const options = ['--options', 'docs/typedoc.json', '--out', folder];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [typedoc, ...options], {
      cwd: root,
    }); // a warning is an error, so it would have failed
    said = stdout + stderr;
    pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.html'),
    );
  });
  after(() => folder && rmSync(folder, { recursive: true, force: true }));

  it('are built without a warning', () => {
    expect(said).not.to.match(/warning|error\]/i);
  });

  it('have a guide, the entries by their names, the notebooks, and a search', () => {
    expect(pages).to.include.members([
      'index.html',
      'documents/which-recommender.html',
      'modules/recital.html',
      'modules/recital_serve.html',
      'modules/recital_tensorflow.html',
      'classes/recital.ALS.html',
      'notebooks/1-collab.html',
    ]);
    expect(statSync(join(folder, 'assets/search.js')).size).to.be.above(10_000);
  });

  it('have no dead link', () => {
    const dead = new Set<string>();
    for (const page of pages) {
      const html = readFileSync(join(folder, page), 'utf8');
      const text = html.replace(/<script[\s\S]*?<\/script>/g, '');
      for (const [, link] of text.matchAll(/<[^>]*\s(?:href|src)="([^"]*)"/g)) {
        const [path] = link.split(/[#?]/);
        if (path === '' || /^[a-z]+:/.test(path)) continue; // the page itself, or elsewhere
        const file = resolve(folder, dirname(page), decodeURIComponent(path));
        if (!existsSync(file) || statSync(file).isDirectory()) dead.add(`${page}: ${link}`);
      }
    }
    expect([...dead]).to.deep.equal([]);
  });

  it('hold nothing that axe finds fault with, in the light and in the dark', async function () {
    this.timeout(120_000);
    const program = findChromium();
    if (program === undefined) return this.skip();
    const browser = Chromium.launch(program);
    try {
      const page = await browser.page({ width: 1280, height: 900 });
      for (const name of ['index', 'classes/recital.ALS', 'documents/which-recommender']) {
        for (const scheme of ['light', 'dark'] as const) {
          await look(page, { scheme });
          await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
          await page.until('document.body.style.display !== "none"');
          const without = '#tsd-nav-container'; // TypeDoc's tree of pages: its links are in what folds
          expect(await axe(page, { without }), `${name}, ${scheme}`).to.deep.equal([]);
        }
      }
      expect(page.errors).to.deep.equal([]);
      expect(page.outside).to.deep.equal([]);
    } finally {
      await browser.close();
    }
  });
});
