import { expect } from 'chai';
import { Chart, display } from '../../../lib/recital/data/output.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { chartBundle, vegaLiteSpec } from '../../../lib/recital/display/chart-render.js';
import { tableHtml } from '../../../lib/recital/display/html.js';
import { displaySymbol, html, inNotebook, Slot, show } from '../../../lib/recital/display/index.js';
import { installDisplay } from '../../../lib/recital/display/show.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { Popularity } from '../../../lib/recital/recommend/baselines/popularity.js';
import { printed } from '../../support/printed.js';

const table = new Table({ track: ['a'], plays: Float64Array.of(3) });
const chart = new Chart({ data: { values: [] }, mark: 'bar' }, 'Plays', 'One bar.');

describe('show, in a plain script', () => {
  it('prints a table as text, under its title', () => {
    expect(inNotebook()).to.equal(false);
    expect(printed(() => show(table, { title: 'Most played' }))).to.deep.equal([
      'Most played\ntrack  plays\na          3',
    ]);
  });

  it('prints what a chart shows, without drawing it', () => {
    expect(printed(() => show(chart))).to.deep.equal(['[Plays: One bar.]']);
  });

  it('prints a chart that its maker has shown, and that is then shown, once; a chart shown twice, twice', () => {
    installDisplay();
    const plot = (): Chart => {
      const made = new Chart({ data: { values: [] }, mark: 'bar' }, 'Loss', 'A line.');
      display().chart(made);
      return made;
    };
    expect(printed(() => show(plot()))).to.deep.equal(['[Loss: A line.]']);
    const own = new Chart(chart.spec, 'Own', 'One bar.');
    const twice = printed(() => {
      show(own);
      show(own);
    });
    expect(twice).to.have.length(2);
  });

  it('prints the text of HTML', () => {
    expect(printed(() => show(html('<b>done</b> &c', 'done')))).to.deep.equal(['done']);
    expect(printed(() => show(html('<b>done</b>')))).to.deep.equal(['done']);
  });

  it('prints the text of any object that shows itself', () => {
    expect(
      printed(() =>
        show({ [displaySymbol]: () => ({ 'text/html': '<hr>', 'text/plain': '----' }) }),
      ),
    ).to.deep.equal(['----']);
  });

  it('prints any other value as console.log does', () => {
    expect(printed(() => show(42))).to.deep.equal(['42']);
  });

  it('prints of a slot its final content alone', () => {
    const lines = printed(() => {
      const slot = new Slot();
      slot.update(html('<i>working</i>'));
      slot.show(table);
    });
    expect(lines).to.deep.equal([table.toString()]);
  });
});

describe('installDisplay', () => {
  it('gives the layers below a display that prints', () => {
    installDisplay();
    const lines = printed(() => {
      display().table(table);
      display().chart(chart);
      display().text('a line');
      display().warn('a warning');
    });
    expect(lines).to.deep.equal([table.toString(), '[Plays: One bar.]', 'a line', 'a warning']);
  });
});

describe('the method that shows a table or a chart in other kernels, such as Deno', () => {
  const bundle = (it: object) =>
    (it as unknown as { [displaySymbol](): Record<string, unknown> })[displaySymbol]();
  const plays = Plays.fromRows([
    { user: 'a', track: 'x', playcount: 2 },
    { user: 'b', track: 'y' },
  ]);

  it('is the one that Deno looks for', () => {
    expect(displaySymbol).to.equal(Symbol.for('Jupyter.display'));
  });

  it('gives the HTML and the text of a table, of recommendations, of HTML', () => {
    expect(bundle(table)).to.deep.equal({
      'text/html': tableHtml(table),
      'text/plain': table.toString(),
    });
    const list = new Popularity(plays).recommend('a', { n: 1 });
    expect(bundle(list)['text/html']).to.equal(tableHtml(list)).and.to.contain('<table');
    expect(bundle(html('<b>x</b>'))).to.deep.equal({ 'text/html': '<b>x</b>', 'text/plain': 'x' });
  });

  it('gives the Vega-Lite, the picture and the text of a chart, and no HTML', () => {
    expect(bundle(chart)).to.have.all.keys(
      'application/vnd.vegalite.v5+json',
      'image/png',
      'text/plain',
    );
    const broken = new Chart({ data: { values: [] }, mark: 'nothing' }, 'Plays', 'None.');
    expect(() => bundle(broken)).to.throw(ArgumentError, 'cannot be drawn');
  });

  it('gives a chart without a picture where the packages that draw are not there', () => {
    expect(chartBundle(chart, () => undefined)).to.deep.equal({
      bundle: {
        'application/vnd.vegalite.v5+json': vegaLiteSpec(chart),
        'text/plain': '[Plays: One bar.]',
      },
      metadata: {},
    });
  });

  it('is no property that is listed, or written as JSON', () => {
    for (const it of [table, chart]) {
      expect(Object.getOwnPropertySymbols(it)).to.deep.equal([]);
      expect(Reflect.ownKeys(Object.getPrototypeOf(it))).to.include(displaySymbol);
      expect(Object.keys(Object.getPrototypeOf(it))).to.deep.equal([]);
    }
  });
});

const cells = (html: string): string[] =>
  [...html.matchAll(/<t[dh] [^>]*>([^<]*)</g)].map((match) => match[1]);

describe('tableHtml', () => {
  it('writes numbers as Table does: whole ones plainly, all of a column with the same decimals', () => {
    const table = new Table({ epoch: Float64Array.of(0, 1), loss: Float64Array.of(0.5, 1) });
    expect(cells(tableHtml(table))).to.deep.equal([
      'epoch',
      'loss',
      '0',
      '0.50000',
      '1',
      '1.00000',
    ]);
  });

  it('escapes what comes from data, in cells, column names and the title', () => {
    const html = tableHtml(new Table({ '<i>': ['<script>alert(1)</script>', '"&\''] }), {
      title: 'a < b',
    });
    expect(html)
      .to.contain('&lt;script&gt;alert(1)&lt;/script&gt;')
      .and.to.contain('&quot;&amp;&#39;')
      .and.to.contain('&lt;i&gt;')
      .and.to.contain('a &lt; b');
    expect(html).not.to.match(/<(script|i)>/);
  });

  it('names a table by its title, and columns by their heads, for those who hear it', () => {
    expect(tableHtml(new Table({ n: Float64Array.of(1) }), { title: 'Most played' })).to.match(
      /<table [^>]*><caption [^>]*>Most played<\/caption><thead><tr [^>]*><th scope="col"/,
    );
    expect(tableHtml(new Table({ n: Float64Array.of(1) }))).not.to.contain('<caption');
  });

  it('sets numbers flush right and text flush left', () => {
    const html = tableHtml(new Table({ name: ['a'], n: Float64Array.of(1) }));
    expect(html)
      .to.match(/text-align:left[^>]*>a</)
      .and.to.match(/text-align:right[^>]*>1</);
  });

  it('needs no style sheet or class and sets no colour, so that themes and untrusted notebooks show it', () => {
    const html = tableHtml(new Table({ n: Float64Array.of(1) }));
    expect(html).not.to.contain('<style');
    expect(html.replace(/rgba\(128,128,128,[\d.]+\)/g, '')).not.to.match(
      /(^|[^-])color:|#[0-9a-f]{3}/,
    );
  });

  it('shows missing values as a dash', () => {
    expect(cells(tableHtml(new Table({ n: Float64Array.of(NaN), s: [null] })))).to.deep.equal([
      'n',
      's',
      '–',
      '–',
    ]);
  });

  it('writes out the first rows of a long table and counts the rest', () => {
    const html = tableHtml(new Table({ n: Float64Array.from({ length: 1500 }, (_, i) => i) }));
    expect(html.match(/<tr/g)).to.have.length(21);
    expect(html).to.contain('… 1,480 more rows');
  });
});
