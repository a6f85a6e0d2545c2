import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { JupyterLab } from '../../../lib/kernel/lab/jupyter.js';
import { notebookPage } from '../../../lib/kernel/pages/page.js';
import { joined, readNotebook, writeNotebook } from '../../../lib/kernel/run/notebook-file.js';
import { Chromium, findChromium, type Page } from '../../support/chromium.js';
import { gallery, galleryNotebook } from '../../support/gallery.js';
import { JupyterServer, jupyterFor, sibling } from '../../support/jupyter-server.js';
import { OpenNotebook, outputsOf, type ShownOutput } from '../../support/notebook-page.js';

const pictures = resolve(__dirname, '../../../out/front-ends'); // not in git; what the front ends showed, to look at
const INTERACTIVE = 'CANVAS';
const SIZE = { width: 1200, height: 9000 }; // all cells at once: front ends draw what can be seen

let workspace: string; // of this run alone: another one may be under way
const file = (name: string): string => join(workspace, 'notebooks', name);
/** The PNG that a notebook file has of each cell's chart. */
const pngsOf = (name: string): (string | undefined)[] =>
  readNotebook(file(name))
    .cells.filter((cell) => cell.cell_type === 'code')
    .map(
      ({ outputs = [] }) =>
        joined(outputs[0]?.data?.['image/png'] ?? '').replace(/\s/g, '') || undefined,
    );

/** Expects that every output of the gallery is there, of its kind, and not empty. */
function expectGallery(cells: readonly ShownOutput[][], chart: string): void {
  expect(cells).to.have.length(gallery.length);
  cells.forEach((outputs, i) => {
    const { code, shows } = gallery[i];
    const where = `cell ${i + 1}: ${code.split('\n').pop()}`;
    expect(
      outputs.map(({ text }) => text),
      where,
    ).to.have.length(shows.length);
    outputs.forEach((output, j) => {
      const kind = shows[j];
      if (kind === 'chart') {
        expect(output.element, where).to.equal(chart);
        expect(output.width, where).to.be.greaterThan(200);
        expect(output.height, where).to.be.greaterThan(100);
        expect(output.coloured, where).to.be.greaterThan(100);
        expect(output.likeness, where).to.be.greaterThan(0.85); // the chart and its PNG
      }
      if (kind === 'table') {
        expect(output.rows, where).to.be.greaterThan(0);
        expect(output.text, where).to.match(/\d/);
        expect(output.contrast, where).to.be.greaterThan(4.5);
      }
      if (kind === 'text') expect(output.text, where).to.equal('a line of text');
      if (kind === 'html') expect(output.text, where).to.contain('bold');
    });
  });
}

describe('charts and tables in a browser (skipped without Chromium and a JupyterLab: `npm run lab` installs one)', function () {
  this.timeout(240_000);
  let lab: JupyterLab;
  let browser: Chromium;
  let server: JupyterServer;
  let page: Page;
  let notebook: OpenNotebook;
  const look = async (name: string): Promise<ShownOutput[][]> => {
    const outputs = await outputsOf(page, pngsOf(name));
    expect(page.outside, 'what was asked of the network').to.deep.equal([]);
    return outputs;
  };
  const picture = (name: string): Promise<void> => page.screenshot(join(pictures, `${name}.png`));

  before(async function () {
    const program = findChromium();
    workspace = join(mkdtempSync(join(tmpdir(), 'recital-jupyter-')), 'a workspace');
    mkdirSync(join(workspace, 'notebooks'), { recursive: true });
    const found = program === undefined ? undefined : jupyterFor(workspace);
    if (program === undefined || found === undefined) return this.skip();
    lab = found;
    writeNotebook(file('gallery.ipynb'), galleryNotebook());
    writeNotebook(file('gallery 7.ipynb'), galleryNotebook());
    browser = Chromium.launch(program);
    [server, page] = await Promise.all([JupyterServer.start(workspace), browser.page(SIZE)]);
    notebook = new OpenNotebook(page, gallery.length);
  });
  after(async () => {
    await Promise.all([browser?.close(), server?.stop()]);
    rmSync(dirname(workspace), { recursive: true, force: true });
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await picture(`failed: ${this.currentTest.title.slice(0, 30)}`);
  });

  it('JupyterLab draws all of them after Run All Cells, live progress included', async () => {
    await notebook.open(server.url('lab', 'notebooks/gallery.ipynb'), { kernel: true });
    const states = await notebook.runAll();
    await notebook.save();
    const outputs = await look('gallery.ipynb');
    await picture('lab-live');
    expectGallery(outputs, INTERACTIVE);
    expect(states, 'states of the progress bars').to.be.greaterThan(2);
    for (const [i, { shows }] of gallery.entries()) {
      if (shows[0] === 'chart')
        expect(outputs[i][0].label, 'what a screen reader says').to.match(/^.{20,}\.$/s);
    }
  });

  it('JupyterLab shows them in its dark theme, and tables in its colours', async () => {
    await notebook.command('apputils:change-theme', { theme: 'JupyterLab Dark' });
    await page.until(`document.body.dataset.jpThemeLight === 'false'`);
    await notebook.rested();
    const outputs = await look('gallery.ipynb');
    await picture('lab-dark');
    await notebook.command('apputils:change-theme', { theme: 'JupyterLab Light' });
    expectGallery(outputs, INTERACTIVE); // like the white PNG: readable on black as well
  });

  it('JupyterLab shows them when the file is opened again, trusted', async () => {
    await notebook.open(server.url('lab', 'notebooks/gallery.ipynb'), { kernel: false });
    const outputs = await look('gallery.ipynb');
    await picture('lab-reopened');
    expect(await notebook.trusted()).to.equal(true);
    expectGallery(outputs, INTERACTIVE);
  });

  it('JupyterLab says the point of a line that the pointer is at', async () => {
    const at = gallery.findIndex(({ code }) => code.includes('plotLoss'));
    const canvas = `document.querySelectorAll('.jp-CodeCell')[${at}].querySelector('canvas')`;
    const { left, top, width, height } = await page.evaluate<
      Record<'left' | 'top' | 'width' | 'height', number>
    >(`${canvas}.getBoundingClientRect().toJSON()`);
    const batchAt = async (share: number): Promise<number> => {
      for (let y = top + 20; y < top + height - 40; y += 3) {
        await page.send('Input.dispatchMouseEvent', {
          type: 'mouseMoved',
          x: left + share * width,
          y,
        });
        const said = await page.evaluate<string>(
          "document.querySelector('#vg-tooltip-element.visible')?.textContent ?? ''",
        );
        const batch = /batch:(\d+)/.exec(said);
        if (batch) return Number(batch[1]);
      }
      return expect.fail(`There is nothing at ${share} of the width.`);
    };
    const batches = [await batchAt(0.4), await batchAt(0.5), await batchAt(0.6)];
    expect(batches[0]).to.be.greaterThan(10);
    expect(batches).to.deep.equal([...new Set(batches)].sort((a, b) => a - b));
  });

  it('JupyterLab shows them in a file from elsewhere, which it does not trust', async () => {
    const foreign = readNotebook(file('gallery.ipynb'));
    foreign.cells[2].source = "console.log('a line of text') // changed outside of Jupyter";
    writeNotebook(file('foreign.ipynb'), foreign);
    await notebook.open(server.url('lab', 'notebooks/foreign.ipynb'), { kernel: false });
    const outputs = await look('foreign.ipynb');
    await picture('lab-untrusted');
    expect(await notebook.trusted()).to.equal(false);
    expectGallery(outputs, INTERACTIVE);
  });

  it('JupyterLab hides the solutions of exercises until they are opened, and colours their code', async () => {
    copyFileSync(
      resolve(__dirname, '../../../notebooks/0-start-here.ipynb'),
      file('exercises.ipynb'),
    );
    const cells = readNotebook(file('exercises.ipynb')).cells.filter(
      (cell) => cell.cell_type === 'code',
    ).length;
    await new OpenNotebook(page, cells).open(server.url('lab', 'notebooks/exercises.ipynb'), {
      kernel: false,
    });
    const solution = `[...document.querySelectorAll('.jp-MarkdownCell details')].find((d) => d.innerText.startsWith('Solution'))`;
    await page.until(`${solution}?.querySelector('pre span')`, {
      what: 'the code of the solution is coloured',
    });
    const visible = `${solution}.querySelector('pre').checkVisibility()`;
    expect(await page.evaluate(visible)).to.equal(false);
    await page.evaluate(`${solution}.querySelector('summary').click()`);
    expect(await page.evaluate(visible)).to.equal(true);
    expect(
      await page.evaluate(`${solution}.querySelectorAll('pre').length`),
      'code, and what it gives',
    ).to.equal(2);
  });

  it('Notebook 7 draws all of them, and shows them again (skipped where it is not installed)', async function () {
    if (!sibling(lab, 'notebook')) this.skip();
    await notebook.open(server.url('notebooks', 'notebooks/gallery 7.ipynb'), { kernel: true });
    await notebook.runAll();
    await notebook.save();
    const live = await look('gallery 7.ipynb');
    await picture('notebook-live');
    expectGallery(live, INTERACTIVE);
    await notebook.open(server.url('notebooks', 'notebooks/gallery 7.ipynb'), { kernel: false });
    const reopened = await look('gallery 7.ipynb');
    await picture('notebook-reopened');
    expectGallery(reopened, INTERACTIVE);
  });

  it('nbconvert writes all of them to a page that needs no network (skipped where it is not installed)', async function () {
    const nbconvert = sibling(lab, 'nbconvert');
    if (!nbconvert) this.skip();
    const offline = ['--HTMLExporter.mathjax_url=', '--HTMLExporter.require_js_url='];
    const args = [...nbconvert!.slice(1), '--to', 'html', ...offline, file('gallery.ipynb')];
    const { status, stderr } = spawnSync(nbconvert![0], args, { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    await page.goto(pathToFileURL(file('gallery.html')).href);
    const outputs = await look('gallery.ipynb');
    await picture('nbconvert');
    expectGallery(outputs, 'IMG');
  });

  it('the page that `npm start` writes has all of them, light and dark, and needs no network', async () => {
    const html = join(workspace, 'gallery page.html');
    writeFileSync(html, notebookPage(readNotebook(file('gallery.ipynb')), { name: 'gallery' }));
    for (const scheme of ['light', 'dark'] as const) {
      await page.prefer(scheme);
      await page.goto(pathToFileURL(html).href);
      await page.until("!document.querySelector('figure.chart > img')", {
        what: 'charts are in the place of pictures',
      });
      const outputs = await look('gallery.ipynb');
      await picture(`page-${scheme}`);
      expectGallery(outputs, 'SVG');
      for (const [i, { shows }] of gallery.entries())
        if (shows[0] === 'chart') expect(outputs[i][0].label).to.match(/^.{20,}\.$/s);
    }
    await page.prefer('light');
  });

  it('the PNG of each chart, which GitHub shows, is in the file', () => {
    const pngs = pngsOf('gallery.ipynb');
    for (const [i, { shows }] of gallery.entries())
      expect(Boolean(pngs[i]), `cell ${i + 1}`).to.equal(shows[0] === 'chart');
    writeFileSync(
      join(pictures, 'github.html'),
      pngs.map((png) => (png ? `<img src="data:image/png;base64,${png}">` : '')).join('\n'),
    );
    expect(readFileSync(file('gallery.ipynb'), 'utf8')).not.to.contain('<script');
  });
});
