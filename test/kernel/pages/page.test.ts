import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { notebookPage } from '../../../lib/kernel/pages/page.js';
import { type CellOutput, lines, type Notebook } from '../../../lib/kernel/run/notebook-file.js';
import { Chart } from '../../../lib/recital/data/output.js';
import { chartBundle } from '../../../lib/recital/display/chart-render.js';
import { notebookOf } from '../../support/notebook.js';

const root = resolve(__dirname, '../../..');

function withOutput(...outputs: CellOutput[]): Notebook {
  const notebook = notebookOf('# Title', 'const a = 1;');
  Object.assign(notebook.cells[1], { outputs, execution_count: 3 });
  return notebook;
}
const page = (notebook: Notebook): string => notebookPage(notebook, { name: 'x' });
const charts = new Map<number, CellOutput>();
/** A chart of so many rows; drawn once. */
function chart(rows: number): CellOutput {
  if (!charts.has(rows)) charts.set(rows, draw(rows));
  return charts.get(rows)!;
}
const draw = (rows: number): CellOutput => {
  const values = Array.from({ length: rows }, (_, a) => ({
    a,
    b: '</script><script>alert(1)</script>',
  }));
  const { bundle, metadata } = chartBundle(
    new Chart(
      {
        data: { values },
        mark: 'bar',
        encoding: { x: { field: 'a', type: 'quantitative' } },
      },
      'T',
      'What it shows.',
    ),
  );
  return {
    output_type: 'display_data',
    data: { ...bundle, 'text/plain': lines(String(bundle['text/plain'])) },
    metadata: metadata as Record<string, unknown>,
  };
};

describe('notebookPage', () => {
  it('needs nothing but itself', () => {
    const html = page(withOutput(chart(3)));
    expect(html).not.to.match(/<(script|link|img)[^>]*(src|href)="(?!data:)/);
    expect(/<style>([\s\S]*?)<\/style>/.exec(html)?.[1]).not.to.match(/@import|url\(/);
  });

  it('lists the headings, with ids that differ', () => {
    const html = page(notebookOf('# One\n\n## Two `code`', '# One'));
    const list =
      /<nav aria-label="Contents"><details><summary>Contents<\/summary>([\s\S]*?)<\/details><\/nav>/
        .exec(html)?.[1]
        .replace(/\n/g, '');
    expect(list).to.equal(
      '<ol><li><a href="#one">One</a><ol><li><a href="#two-code">Two <code>code</code></a></li></ol></li><li><a href="#one-1">One</a></li></ol>',
    );
    expect(html)
      .to.contain('<h1 id="one-1">')
      .and.to.contain('<title>One</title>')
      .and.to.contain('aria-label="Link to Two code"');
  });

  it('lists no heading below the third level, puts no link into a link, and lists nothing of a page with one heading', () => {
    const html = page(
      notebookOf(
        '# One\n\n## Two\n\n### Three\n\n#### Four\n\n### [Five](https://example.org)\n\n## Six',
      ),
    );
    const list = /<nav[^>]*>([\s\S]*?)<\/nav>/.exec(html)?.[1] ?? '';
    expect(
      [...list.matchAll(/<a [^>]*>(\w+)<\/a>|<ol>/g)].map((match) => match[1] ?? '('),
    ).to.deep.equal(
      ['(', 'One', '(', 'Two', '(', 'Three', 'Five', 'Six'], // and what closes:
    );
    expect(list.match(/<\/ol>/g)).to.have.length(3);
    expect(list.match(/<\/li>/g)).to.have.length(5);
    expect(page(notebookOf('# One'))).not.to.contain('<nav');
  });

  it('can be found and passed over: a link to the text, landmarks, the first paragraph as its description', () => {
    const html = page(notebookOf('# One\n\n**Goal.** To say "a < b"\nin `code`.\n\nMore.'));
    expect(html)
      .to.contain('<a class="skip" href="#text">')
      .and.to.contain('<main id="text" tabindex="-1">');
    expect(html).to.contain(
      '<meta name="description" content="Goal. To say &quot;a &lt; b&quot; in code.">',
    );
    for (const landmark of ['header', 'main', 'footer'])
      expect(html.split(`<${landmark}`), landmark).to.have.length(2);
  });

  it('holds the pictures that its prose names, and asks for none', () => {
    const folder = join(root, 'notebooks');
    const notebook = notebookOf(
      '# T\n\n![one](figures/factors.png) ![two](attachment:a%20b.png) ![three](https://example.org/c.png) ![four](figures/none.png)',
    );
    Object.assign(notebook.cells[0], { attachments: { 'a b.png': { 'image/png': 'QUJD' } } });
    const html = notebookPage(notebook, { name: 'x', folder });
    const png = readFileSync(join(folder, 'figures', 'factors.png')).toString('base64');
    expect(html).to.contain(`<img src="data:image/png;base64,${png}" alt="one">`);
    expect(html).to.contain('<img src="data:image/png;base64,QUJD" alt="two">');
    expect(html)
      .to.contain('<a href="https://example.org/c.png">three</a>')
      .and.to.contain('<a href="figures/none.png">four</a>');
    expect(html.match(/<img/g)).to.have.length(2);
    expect(page(notebookOf('# T\n\n![](figures/factors.png)'))).to.contain(
      '<a href="figures/factors.png">figures/factors.png</a>',
    );
  });

  it('highlights the hidden solution of an exercise', () => {
    const solution =
      '<details>\n<summary>Solution</summary>\n\n```ts\nconst a = 1;\n```\n\n```text\n<1>\n```\n\nSo it is.\n\n</details>';
    const html = page(notebookOf(`# T\n\n**1.** What is it?\n\n${solution}`));
    const details = /<details>\n<summary>Solution<\/summary>([\s\S]*?)<\/details>/.exec(html)?.[1];
    expect(details)
      .to.contain('<pre class="code"><code><span class="hljs-keyword">const</span> a')
      .and.to.contain('&lt;1&gt;')
      .and.to.contain('<p>So it is.</p>');
  });

  it('escapes and highlights code, and shows the number of the cell', () => {
    const html = page(notebookOf('# T', 'const a = "<script>" && 1;'));
    expect(html)
      .to.contain('<span class="hljs-keyword">const</span>')
      .and.to.contain('&lt;script&gt;');
    expect(page(withOutput())).to.contain('[3]');
  });

  it('shows prints, warnings and errors as text, without colour codes', () => {
    const html = page(
      withOutput(
        { output_type: 'stream', name: 'stdout', text: ['a < b\n'] },
        {
          output_type: 'stream',
          name: 'stderr',
          text: ['\u001b[33mcareful\u001b[0m'],
        },
        {
          output_type: 'error',
          ename: 'E',
          evalue: 'v',
          traceback: ['E: v', '    at cell [3], line 1: <x>'],
        },
      ),
    );
    expect(html)
      .to.contain('<pre class="stdout">a &lt; b</pre>')
      .and.to.contain('<pre class="stderr">careful</pre>');
    expect(html).to.contain(
      '<pre class="error" role="alert">E: v\n    at cell [3], line 1: &lt;x&gt;</pre>',
    );
  });

  it('writes out the control characters of what a cell prints, shows or fails with, and of why a run failed', () => {
    const text = 'a\t\u202eb\u001b]0;c\u0007';
    const cell = withOutput(
      { output_type: 'stream', name: 'stdout', text: [text] },
      { output_type: 'execute_result', data: { 'text/plain': [text] }, metadata: {} },
      { output_type: 'error', ename: 'E', evalue: text, traceback: [text] },
    );
    const html = notebookPage(cell, { name: 'x', failure: { cell: 3, text } });
    expect(html.split('>a\t\\u202eb\\x1b]0;c\\x07</pre>')).to.have.length(5);
  });

  it('draws charts from their specification, with the picture and its text as the fallback', () => {
    const html = page(withOutput(chart(3)));
    expect(html)
      .to.contain('<img alt="T: What it shows." width=')
      .and.to.contain('vega.parse(vegaLite.compile');
    const spec = /<script type="application\/json">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    expect(JSON.parse(spec).data.values[2]).to.deep.equal({
      a: 2,
      b: '</script><script>alert(1)</script>',
    });
    expect(page(withOutput())).not.to.contain('vega');
  });

  it('makes do with the picture of a chart that would take the page beyond 3 MB; the others can still be asked', () => {
    const html = page(withOutput(chart(3), chart(45_000)));
    expect(Buffer.byteLength(html)).to.be.below(3_000_000);
    expect(html.match(/<img alt="T: /g)).to.have.length(2);
    expect(html.match(/<script type="application\/json">/g)).to.have.length(1);
    expect(html).to.contain('vega.parse(vegaLite.compile');
    expect(page(withOutput(chart(45_000))), 'of none but pictures').not.to.contain('vega.parse');
  });

  it('makes do without the largest pictures where there are many, and without what draws the charts where that does not help', () => {
    const [small, large] = [chart(3), chart(900)];
    const withPicture = (output: CellOutput, bytes: number): CellOutput => ({
      ...output,
      data: { ...output.data, 'image/png': 'A'.repeat(bytes) },
    });
    const some = page(
      withOutput(
        withPicture(small, 1_200_000),
        withPicture(small, 900_000),
        withPicture(small, 300_000),
        { ...small },
      ),
    );
    expect(Buffer.byteLength(some)).to.be.within(1_500_000, 3_000_000);
    expect(some.match(/<script type="application\/json">/g)).to.have.length(4);
    expect(some.match(/<img alt="T: /g)).to.have.length(3);
    expect(some).to.contain('<p>T: What it shows.</p><script type="application/json">');
    const bytes = JSON.stringify(large.data?.['application/vnd.vegalite.v5+json']).length;
    const many = page(
      withOutput(
        ...Array.from({ length: Math.floor(2_700_000 / bytes) }, () => withPicture(large, bytes)),
      ),
    );
    expect(many.match(/<img alt="T: /g)).to.have.length(Math.floor(2_700_000 / bytes));
    expect(many)
      .not.to.contain('<script type="application/json">')
      .and.not.to.contain('vega.parse');
    expect(Buffer.byteLength(many)).to.be.below(3_000_000);
  });

  it('cuts what cells print where it would be larger than 3 MB: the beginning and the end stay, and it says what is missing', () => {
    const said = (text: string): CellOutput => ({
      output_type: 'stream',
      name: 'stdout',
      text: [text],
    });
    const long = page(
      withOutput(chart(3), said(`first${'<'.repeat(3_000_000)}last`), said('x'.repeat(150_000))),
    );
    expect(Buffer.byteLength(long)).to.be.within(1_000_000, 3_000_000);
    expect(long).to.match(
      /first(&lt;)+\n… 2,800,009 characters are left out of this page; the notebook beside it has them\.\n(&lt;)+last</,
    );
    expect(long).to.contain('x'.repeat(150_000)).and.to.contain('<script type="application/json">');
    const data = { 'text/html': 'y'.repeat(3_000_000), 'text/plain': 'a table' };
    const html = page(withOutput({ output_type: 'display_data', data }));
    expect(html)
      .to.contain('<pre class="stdout">a table</pre><p>3,000,000 characters are left out')
      .and.not.to.contain('yyy');
    expect(
      page(
        withOutput({ output_type: 'display_data', data: { 'image/png': 'A'.repeat(3_000_000) } }),
      ),
    ).to.contain('<p>3,000,000 characters are left out');
    const many = page(
      withOutput(
        ...Array.from({ length: 40 }, (_, i) => said(`${i} ${'z'.repeat(190_000)} end of ${i}`)),
        chart(45_000),
      ),
    );
    expect(Buffer.byteLength(many)).to.be.below(3_000_000);
    for (let i = 0; i < 40; i++)
      expect(many).to.contain(`>${i} z`).and.to.contain(`z end of ${i}<`);
    const error = {
      output_type: 'error' as const,
      ename: 'E',
      evalue: 'v',
      traceback: ['E: v', 'w'.repeat(4_000_000)],
    };
    expect(Buffer.byteLength(page(withOutput(error)))).to.be.below(3_000_000);
  });

  it('lets its own scripts run, and no others', () => {
    const policy = (html: string): string =>
      /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html)?.[1] ?? '';
    const html = page(
      withOutput(chart(3), {
        output_type: 'display_data',
        data: { 'text/html': '<script>mine()</script>' },
      }),
    );
    const scripts = [...html.matchAll(/<script(?: type="module")?>([\s\S]*?)<\/script>/g)].map(
      ([, code]) => code,
    );
    const hashes = scripts.map(
      (code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`,
    );
    expect(hashes).to.have.length(6);
    for (const [i, hash] of hashes.entries()) {
      if (scripts[i] === 'mine()') expect(policy(html)).to.not.contain(hash);
      else expect(policy(html)).to.contain(hash);
    }
    expect(policy(html)).to.not.contain('unsafe-inline');
    expect(html.indexOf('<meta http-equiv')).to.be.below(html.indexOf('<script'));
  });

  it('says at its top that the run has failed, and links to the cell', () => {
    const html = notebookPage(withOutput(), {
      name: 'x',
      failure: { text: 'Cell [3]: <no>', cell: 3 },
    });
    expect(html)
      .to.contain('stopped at <a href="#cell.3">cell [3]</a>')
      .and.to.contain('Cell [3]: &lt;no&gt;</pre></section>');
    expect(html.split('<section class="cell" id="cell.3">')).to.have.length(2);
    expect(page(withOutput())).not.to.contain('This run failed');
  });

  it('prefers HTML to text, and keeps formulas from being read as emphasis', () => {
    const data = { 'text/html': ['<table>', '</table>'], 'text/plain': ['t'] };
    expect(page(withOutput({ output_type: 'display_data', data }))).to.contain(
      '<div class="html"><table></table></div>',
    );
    expect(page(notebookOf('# T\n\n$a_i \\cdot b_i$ costs $5 and $6'))).to.match(
      /<msub><mi>a<\/mi><mi>i<\/mi><\/msub><mo>⋅<\/mo>.*<\/math> costs \$5 and \$6/,
    );
  });

  it('links to the pages of the other notebooks', () => {
    const html = page(notebookOf('# T\n\n[a](2-lstm.ipynb#x) [b](https://example.org/c.ipynb)'));
    expect(html)
      .to.contain('href="2-lstm.html#x"')
      .and.to.contain('href="https://example.org/c.ipynb"');
  });

  it('has a language, one heading of the first level at least, and no level left out', () => {
    const html = page(notebookOf('# One\n\n### Deep\n\n#### Deeper', '# Two'));
    expect(html).to.contain('<html lang="en">');
    expect([...html.matchAll(/<h(\d) /g)].map((match) => match[1])).to.deep.equal([
      '1',
      '2',
      '3',
      '1',
    ]);
    expect(page(notebookOf('no heading')))
      .to.contain('<h1>x</h1>')
      .and.to.contain('<title>x</title>');
  });

  it('puts tables of the prose into boxes that scroll', () => {
    const html = page(notebookOf('# T\n\n| | a |\n| - | -: |\n| b | c |'));
    expect(html).to.match(/<div class="wide"><table>[\s\S]*<\/table><\/div>/);
    expect(html.replace(/\n/g, '')).to.contain(
      '<tr><td></td><th scope="col" style="text-align:right">a</th></tr>',
    );
  });

  it('lets the reader fold the code of a cell, or all of it', () => {
    const html = page(withOutput());
    expect(html).to.contain(
      '<details class="source" open><summary aria-label="Code of cell [3]">[3]</summary>',
    );
    expect(html).to.contain('<button type="button" id="fold"');
  });

  it('marks charts, whose colours follow the dark setting, but not other pictures', () => {
    const picture: CellOutput = {
      output_type: 'display_data',
      data: { 'image/png': 'AAAA', 'text/plain': ['a photo'] },
    };
    expect(page(withOutput(picture)))
      .to.contain('<figure><img alt="a photo"')
      .and.not.to.contain('<figure class="chart">');
    expect(page(withOutput(chart(3)))).to.contain('<figure class="chart"');
    expect(page(withOutput(chart(45_000)))).to.contain('<figure class="chart"');
  });

  it('ends with what made it: notebook, time, date, versions, and the data that it read', () => {
    const run = {
      name: '1-x',
      seconds: 2.34,
      date: new Date('2024-05-06T07:08:09Z'),
      data: join(root, 'data'),
    };
    const reading = notebookOf('# T', 'const DATA = process.env.RECITAL_DATA;');
    Object.assign(reading.cells[1], { cell_type: 'code', outputs: [] });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const made = `1-x.ipynb, run in 2.3 s on 2024-05-06 by recital ${version} and Node ${process.versions.node}.`;
    const sample = join(root, 'data', 'sample');
    expect(notebookPage(reading, { ...run, data: sample })).to.contain(
      `<footer>${made} Data: the synthetic sample (data/sample).</footer>`,
    );
    expect(notebookPage(reading, { ...run, data: join(root, 'test', 'golden') })).to.contain(
      `${made} Data: test/golden.</footer>`,
    );
    expect(notebookPage(notebookOf('# T'), run)).to.contain(`<footer>${made}</footer>`);
  });
});
