import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { writeIndex } from '../../../lib/kernel/pages/index-page.js';
import { notebookPage } from '../../../lib/kernel/pages/page.js';
import { readNotebook } from '../../../lib/kernel/run/notebook-file.js';
import { Chromium, findChromium, type Page } from '../../support/chromium.js';
import { everything, shownCharts } from '../../support/everything.js';
import { axe, look, point, press, takePicture } from '../../support/reading.js';

const root = resolve(__dirname, '../../..');
const folder = join(root, 'out', 'front-ends', 'pages'); // not in git; the pages, and pictures of them to look at
const notebooks = readdirSync(join(root, 'notebooks')).filter((file) => file.endsWith('.ipynb'));
const names = ['everything', ...notebooks.map((file) => basename(file, '.ipynb')), 'index'];
const COLOURS = ['color-contrast', 'link-in-text-block']; // axe's rules that a theme can break

/**
 * Boxes that stick out of the page, and are in none that scrolls; of charts, whether each is drawn.
 */
const measures = `(() => {
  const edge = document.documentElement.clientWidth;
  const scrolls = (e) => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const out = [...document.body.querySelectorAll('*')].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.right > edge + 1 && !e.closest('svg, math') && !scrolls(e.parentElement) && !scrolls(e) && getComputedStyle(e).position !== 'fixed';
  });
  const charts = [...document.querySelectorAll('figure.chart')];
  const drawn = charts.filter((figure) => {
    const svg = figure.querySelector('.drawn > svg');
    return svg && svg.getBoundingClientRect().width > 100 && svg.querySelectorAll('path, text').length > 10 && figure.querySelector('.drawn').getAttribute('aria-label')?.length > 20;
  });
  return { scrolls: document.documentElement.scrollWidth - edge, out: out.map((e) => e.outerHTML.slice(0, 120)), charts: charts.length, drawn: drawn.length };
})()`;

describe('the pages of notebooks in a browser (skipped without Chromium)', function () {
  this.timeout(120_000);
  let browser: Chromium;
  let page: Page;
  const file = (name: string): string => join(folder, `${name}.html`);
  const open = async (name: string): Promise<void> => {
    page.asked.length = 0;
    page.errors.length = 0;
    await page.goto(pathToFileURL(file(name)).href);
    const still =
      "document.querySelectorAll('figure.chart > script').length - document.querySelectorAll('figure.chart > .drawn').length";
    await page.until(`${still} === 0`, { what: 'all charts are drawn' });
  };
  const inside = async (): Promise<{ charts: number }> => {
    const { scrolls, out, charts, drawn } = await page.evaluate<{
      scrolls: number;
      out: string[];
      charts: number;
      drawn: number;
    }>(measures);
    expect(out, 'what sticks out of the page').to.deep.equal([]);
    expect(scrolls, 'pixels to scroll sideways').to.equal(0);
    expect(drawn, 'charts that are drawn').to.equal(charts);
    return { charts };
  };
  const picture = (name: string, kind: string): Promise<void> =>
    takePicture(page, join(folder, 'pictures', `${name} ${kind}.png`), { whole: kind === 'light' });

  before(async function () {
    const program = findChromium();
    if (program === undefined) return this.skip();
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'everything.ipynb'), '{}');
    writeFileSync(
      file('everything'),
      notebookPage(everything(), {
        name: 'everything',
        home: true,
        failure: { text: `Cell [5]\n${'x'.repeat(200)}`, cell: 5 },
      }),
    );
    for (const name of notebooks) {
      const path = join(root, 'notebooks', name);
      copyFileSync(path, join(folder, name));
      writeFileSync(
        file(basename(name, '.ipynb')),
        notebookPage(readNotebook(path), {
          name: basename(name, '.ipynb'),
          seconds: 12.3,
          home: true,
        }),
      );
    }
    writeIndex(folder);
    browser = Chromium.launch(program);
    page = await browser.page({ width: 1280, height: 900 });
  });
  after(() => browser?.close());

  for (const name of names) {
    it(`${name}: stands alone, below 3 MB, drawn, within its window, wide and narrow, light and dark, and axe finds nothing`, async () => {
      expect(statSync(file(name)).size, 'bytes').to.be.below(3_000_000);
      await look(page, {});
      await open(name);
      const { charts } = await inside();
      const without = name === 'everything' ? undefined : '.drawn svg'; // hundreds of marks of the same charts: looked into once
      if (name === 'everything') expect(charts).to.equal(Object.keys(shownCharts).length);
      expect(await axe(page, { without }), 'light').to.deep.equal([]);
      await picture(name, 'light');
      await look(page, { scheme: 'dark' });
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).to.equal(
        'rgb(13, 17, 23)',
      );
      expect(
        await axe(page, name === 'everything' ? {} : { without, rules: COLOURS }),
        'dark',
      ).to.deep.equal([]);
      await inside();
      await picture(name, 'dark');
      await look(page, { width: 380, scheme: 'dark' });
      await inside();
      await picture(name, 'narrow');
      if (name === 'everything') expect(await axe(page), 'narrow').to.deep.equal([]);
      expect(page.asked, 'what was asked for').to.deep.equal([pathToFileURL(file(name)).href]);
      expect(page.errors).to.deep.equal([]);
    });

    it(`${name}: on paper it is light, without what only a screen can do, and nothing is cut`, async () => {
      await look(page, { scheme: 'dark' });
      await page.evaluate("void dispatchEvent(new Event('beforeprint'))");
      await look(page, { width: 718, height: 1000, scheme: 'dark', media: 'print' }); // A4 within margins of 1 cm
      await inside();
      const seen = await page.evaluate<Record<string, unknown>>(`(() => {
        const shown = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.getClientRects().length > 0).length;
        const cut = [...document.querySelectorAll('pre, .html, .wide, figure')].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.getClientRects().length > 0);
        return {
          back: getComputedStyle(document.body).backgroundColor,
          bar: shown('header, .skip, .anchor, #tip'),
          filters: [...document.querySelectorAll('.chart > *')].filter((e) => getComputedStyle(e).filter !== 'none').length,
          cut: cut.map((e) => e.outerHTML.slice(0, 120)),
        };
      })()`);
      expect(seen).to.deep.equal({ back: 'rgb(255, 255, 255)', bar: 0, filters: 0, cut: [] });
      await picture(name, 'print');
    });
  }

  describe('to be worked with', () => {
    const focused = (): Promise<string> =>
      page.evaluate(
        'document.activeElement.id || document.activeElement.className || document.activeElement.textContent',
      );
    beforeEach(async () => {
      await look(page, {});
      await open('everything');
    });

    it('by the keyboard: first a link past the navigation, then every control, with a mark where the reader is', async () => {
      await press(page, 'Tab');
      expect(await focused()).to.equal('skip');
      expect(
        await page.evaluate("document.querySelector('.skip').getBoundingClientRect().top"),
      ).to.be.at.least(0);
      await press(page, 'Enter');
      expect(await focused()).to.equal('text');
      await open('everything');
      await press(page, 'Tab', 'Tab');
      expect(await focused()).to.equal('Notebooks');
      await press(page, 'Tab');
      expect(await focused()).to.equal('Contents');
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).to.equal(
        'solid',
      );
      await press(page, 'Tab', 'Tab', 'Enter');
      await page.until("location.hash === '#tables'");
    });

    it('contents: every link leads to its heading, and the section that is read is marked', async () => {
      const dead = await page.evaluate(
        `[...document.querySelectorAll('a[href^="#"]')].filter((a) => !document.getElementById(decodeURIComponent(a.hash.slice(1)))).length`,
      );
      expect(dead).to.equal(0);
      const current = (): Promise<string[]> =>
        page.evaluate("[...document.querySelectorAll('nav [aria-current]')].map((a) => a.hash)");
      expect(await current()).to.deep.equal(['#everything-that-a-page-can-hold']);
      for (const id of ['tables', 'exercises-and-their-solutions', 'deeper-1']) {
        await point(page, `nav a[href="#${id}"]`, { click: true });
        await page.until(
          `Math.abs(document.getElementById('${id}').getBoundingClientRect().top) < 40`,
          { what: `${id} is at the top` },
        );
        await page.until(`document.querySelector('nav [aria-current]').hash === '#${id}'`);
        expect(await current()).to.have.length(1);
      }
      await page.evaluate('scrollTo({ top: 1e9, behavior: "instant" })');
      await page.until("document.querySelector('nav [aria-current]').hash === '#last'");
    });

    it('contents on a narrow screen: closed at first, a list over the text, closed by Escape, a click elsewhere, or a choice', async () => {
      await look(page, { width: 380 });
      const isOpen = (): Promise<boolean> =>
        page.evaluate("document.querySelector('nav details').open");
      expect(await isOpen()).to.equal(false);
      await point(page, 'nav summary', { click: true });
      expect(await isOpen()).to.equal(true);
      await page.screenshot(join(folder, 'pictures', 'everything contents.png'));
      expect(await axe(page), 'narrow, with contents').to.deep.equal([]);
      await press(page, 'Escape');
      expect([await isOpen(), await focused()]).to.deep.equal([false, 'Contents']);
      await press(page, 'Enter');
      expect(await isOpen()).to.equal(true);
      await page.evaluate(
        "document.querySelector('main').dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))",
      );
      expect(await isOpen()).to.equal(false);
      await press(page, 'Enter');
      await point(page, 'nav a[href="#tables"]', { click: true });
      expect(await isOpen()).to.equal(false);
      await page.until(
        "document.getElementById('tables').getBoundingClientRect().top >= document.querySelector('header').getBoundingClientRect().bottom",
      );
    });

    it('code: shown at first, folded cell by cell or all at once', async () => {
      const open = (): Promise<boolean[]> =>
        page.evaluate("[...document.querySelectorAll('details.source')].map((d) => d.open)");
      const button = (): Promise<string> =>
        page.evaluate("document.getElementById('fold').textContent");
      expect(await open()).to.deep.equal([true, true, true, true, true]);
      await point(page, 'details.source summary', { click: true });
      expect([await open(), await button()]).to.deep.equal([
        [false, true, true, true, true],
        'Hide code',
      ]);
      await point(page, '#fold', { click: true });
      expect([await open(), await button()]).to.deep.equal([
        [false, false, false, false, false],
        'Show code',
      ]);
      expect(await axe(page), 'folded').to.deep.equal([]);
      await page.screenshot(join(folder, 'pictures', 'everything folded.png'));
      await point(page, 'details.source summary', { click: true });
      await page.until("document.getElementById('fold').textContent === 'Hide code'");
      await point(page, '#fold', { click: true });
      await point(page, '#fold', { click: true });
      expect([await open(), await button()]).to.deep.equal([
        [true, true, true, true, true],
        'Hide code',
      ]);
      const solution = await page.evaluate("document.querySelector('.prose details').open");
      expect(solution, 'the solution of an exercise is not code of a cell').to.equal(false);
      await point(page, '.prose summary', { click: true });
      await page.until("document.querySelector('.prose details pre').tabIndex === 0", {
        what: 'the long line can be reached',
      });
      expect(await axe(page), 'with a solution').to.deep.equal([]);
      expect(
        await page.evaluate(
          "getComputedStyle(document.querySelector('.prose details .hljs-keyword')).color",
        ),
      ).to.equal('rgb(207, 34, 46)');
      await look(page, { scheme: 'dark' });
      expect(await axe(page, { rules: COLOURS }), 'with a solution, in the dark').to.deep.equal([]);
    });

    it('theme: that of the system until the other one is chosen, which is remembered on every page; not on paper', async () => {
      const seen = (): Promise<string[]> =>
        page.evaluate(`[getComputedStyle(document.body).backgroundColor, document.getElementById('theme').textContent,
          getComputedStyle(document.querySelector('.drawn')).filter === 'none' ? 'as it is' : 'turned', String(localStorage.getItem('recital-theme'))]`);
      const light = ['rgb(255, 255, 255)', 'Dark', 'as it is'];
      const dark = ['rgb(13, 17, 23)', 'Light', 'turned'];
      expect(await seen()).to.deep.equal([...light, 'null']);
      await point(page, '#theme', { click: true });
      expect(await seen()).to.deep.equal([...dark, 'dark']);
      await new Promise((done) => setTimeout(done, 500)); // a browser stores what a page keeps a little later
      await open('everything');
      expect(await seen(), 'after the page is opened again').to.deep.equal([...dark, 'dark']);
      await look(page, { media: 'print' });
      expect((await seen())[0]).to.equal(light[0]);
      await look(page, { scheme: 'dark' });
      await point(page, '#theme', { click: true });
      expect(await seen(), 'light, where the system is dark').to.deep.equal([...light, 'light']);
      await point(page, '#theme', { click: true });
      expect(await seen(), 'as the system again').to.deep.equal([...dark, 'null']);
      await look(page, {});
      expect(await seen()).to.deep.equal([...light, 'null']);
    });

    it('charts: what is under the pointer is said, and what the arrow keys reach', async () => {
      const said = (): Promise<string> =>
        page.evaluate(
          "(() => { const tip = document.getElementById('tip'); return tip.hidden ? '' : tip.textContent; })()",
        );
      const bars = '.drawn[aria-label^="Loudness"]';
      await point(page, `${bars} .role-mark path[role=graphics-symbol]`);
      await page.until("!document.getElementById('tip').hidden");
      const first = await said();
      expect(first).to.match(/^name: \S.*\nvalue: −?\d/);
      await page.screenshot(join(folder, 'pictures', 'everything tooltip.png'));
      await point(page, 'h1');
      expect(await said()).to.equal('');
      await page.evaluate(
        `document.querySelector(${JSON.stringify(bars)}).focus({ focusVisible: true })`,
      );
      expect(await said()).to.contain('go through the values');
      await press(page, 'ArrowRight');
      expect(await said()).to.equal(first);
      await press(page, 'ArrowRight');
      expect(await said()).not.to.equal(first);
      await press(page, 'ArrowLeft');
      expect(await said()).to.equal(first);
      await press(page, 'End', 'ArrowRight');
      expect(await said()).to.match(/^name: /);
      expect(await axe(page), 'with what is said').to.deep.equal([]);
      await press(page, 'Escape');
      expect(await said()).to.equal('');
      expect(await page.evaluate("document.querySelectorAll('.drawn .at').length")).to.equal(0);
    });

    it('charts: of a line the point next to the pointer is said, or at a step of the keys, not its first one', async () => {
      const said = (): Promise<string> =>
        page.evaluate(
          "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent",
        );
      const line = '.drawn[aria-label^="A long line"]';
      const place = await page.evaluate<{ x: number; y: number }>(`(async () => {
        const path = document.querySelector(${JSON.stringify(line)} + ' .mark-line path');
        path.scrollIntoView({ block: 'center', behavior: 'instant' });
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); // scrolling hides what is said
        const { x, y } = path.getPointAtLength(0.7 * path.getTotalLength()).matrixTransform(path.getScreenCTM());
        return { x, y: y + 6 }; // a little beside it
      })()`);
      await page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', ...place });
      const [, step, value] =
        /^step: (\d+)\nvalue: ([\d,]+)$/.exec(await said()) ?? expect.fail(await said());
      expect(Number(step)).to.be.within(150, 290);
      expect(Number(value.replace(/,/g, ''))).to.equal(Number(step) ** 2);
      await page.send('Input.dispatchMouseEvent', {
        type: 'mouseMoved',
        x: place.x,
        y: place.y + 60,
      });
      expect(await said(), 'far from the line').to.equal('');
      await page.evaluate(
        `document.querySelector(${JSON.stringify(line)}).focus({ focusVisible: true })`,
      );
      await press(page, 'End');
      expect(await said()).to.equal('step: 300\nvalue: 90,000');
      await press(page, 'Home', 'ArrowRight');
      expect(await said()).to.equal('step: 5\nvalue: 25');
    });

    it('without scripts it can be read as well: code, pictures of the charts, contents, the dark', async () => {
      await look(page, { scheme: 'dark' });
      await page.send('Emulation.setScriptExecutionDisabled', { value: true });
      await page.goto(pathToFileURL(file('everything')).href);
      const seen =
        await page.evaluate(`[document.querySelectorAll('details.source[open]').length, document.querySelectorAll('figure.chart > img').length,
        document.querySelectorAll('button:not([hidden])').length, getComputedStyle(document.body).backgroundColor]`);
      await page.send('Emulation.setScriptExecutionDisabled', { value: false });
      expect(seen).to.deep.equal([5, Object.keys(shownCharts).length, 0, 'rgb(13, 17, 23)']);
    });

    it('scripts of its prose and outputs do not run, in whatever form they come; those of the page do', async () => {
      const payloads = [
        '<script>window.hit = 1</script>',
        '<img src="data:," onerror="window.hit = 2">',
        '<svg onload="window.hit = 3"><script>window.hit = 4</script></svg>',
        '<iframe srcdoc="<script>parent.hit = 5</script>"></iframe>',
        '<a id="link" href="javascript:window.hit = 6">x</a>',
        '<script type="module">window.hit = 7</script>',
        '<script src="data:text/javascript,window.hit=8"></script>',
        '<button id="press" onclick="window.hit = 9">x</button>',
        '<details open ontoggle="window.hit = 10"></details>',
        '<form action="javascript:window.hit = 11"><button id="send">x</button></form>',
      ];
      const notebook = everything();
      notebook.cells.unshift({
        cell_type: 'markdown',
        metadata: {},
        source: payloads.join('\n\n'),
      });
      const outputs = payloads.map((markup) => ({
        output_type: 'display_data' as const,
        data: { 'text/html': markup },
        metadata: {},
      }));
      notebook.cells.push({
        cell_type: 'code',
        metadata: {},
        source: '1',
        outputs,
        execution_count: 6,
      });
      writeFileSync(file('hostile'), notebookPage(notebook, { name: 'hostile' }));
      await open('hostile');
      expect(
        await page.evaluate("document.querySelectorAll('figure.chart > .drawn').length"),
      ).to.equal(Object.keys(shownCharts).length);
      await page.evaluate(
        "for (const id of ['link', 'press', 'send']) for (const e of document.querySelectorAll('#' + id)) e.click()",
      );
      await new Promise((done) => setTimeout(done, 300));
      expect(await page.evaluate('window.hit ?? 0')).to.equal(0);
    });

    it('a failed run: its top leads to the cell', async () => {
      await page.evaluate("document.querySelector('.failure a').click()");
      await page.until("document.querySelector('.cell:target pre.error')");
      const gap =
        "document.querySelector('h1').getBoundingClientRect().top - document.querySelector('.failure').getBoundingClientRect().bottom";
      expect(await page.evaluate(gap)).to.be.above(20);
    });

    it('what is wider than the window scrolls in a frame, which shows on which side there is more', async () => {
      await look(page, { width: 361 });
      const sides = (selector: string): Promise<string> =>
        page.evaluate(`document.querySelector(${JSON.stringify(selector)}).className`);
      const scroll = (selector: string, to: number): Promise<void> =>
        page.evaluate(
          `(() => { document.querySelector(${JSON.stringify(selector)}).scrollLeft = ${to}; return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); })()`,
        );
      for (const selector of ['figure.chart', '.wide', 'pre.code']) {
        expect(await sides(selector), selector).to.match(/ scrolls after$/);
        await scroll(selector, 30);
        expect((await sides(selector)).split(' ').sort().join(' '), selector).to.match(
          /after before/,
        );
        await scroll(selector, 1e6);
        expect(await sides(selector), selector)
          .to.match(/before/)
          .and.not.match(/after/);
      }
      await look(page, {});
      expect(
        await page.evaluate("document.querySelector('figure.chart').classList.contains('scrolls')"),
      ).to.equal(false);
    });

    it('a chart that cannot be drawn stays a picture, and the others are drawn', async () => {
      const html = readFileSync(file('everything'), 'utf8').replace(
        '<script type="application/json">{',
        '<script type="application/json">{{',
      );
      writeFileSync(file('broken'), html);
      await page.goto(pathToFileURL(file('broken')).href);
      await page.until("document.querySelectorAll('figure.chart > .drawn').length > 0");
      await page.until(
        `document.querySelectorAll('figure.chart > .drawn').length === ${Object.keys(shownCharts).length - 1}`,
      );
      expect(
        await page.evaluate("document.querySelectorAll('figure.chart > img').length"),
      ).to.equal(1);
    });
  });
});
