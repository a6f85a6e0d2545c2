import { expect } from 'chai';
import { Table } from '../../../lib/recital/data/table.js';
import { tableHtml } from '../../../lib/recital/display/table-html.js';

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
