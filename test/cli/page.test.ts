import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { type CellOutput, lines, type Notebook } from '../../lib/cli/notebook-file.js';
import { notebookPage } from '../../lib/cli/page.js';
import { Chart } from '../../lib/data/chart.js';
import { chartBundle } from '../../lib/notebook/chart-render.js';
import { notebookOf } from '../support/notebook.js';

const root = resolve(__dirname, '..', '..');

function withOutput(...outputs: CellOutput[]): Notebook {
  const notebook = notebookOf('# Title', 'const a = 1;');
  Object.assign(notebook.cells[1], { outputs, execution_count: 3 });
  return notebook;
}
const page = (notebook: Notebook): string => notebookPage(notebook, { name: 'x' });
const chart = (rows: number): CellOutput => {
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
    expect([...html.matchAll(/<li class="depth(\d)"><a href="#([^"]*)">/g)].map((m) => m.slice(1))).to.deep.equal([
      ['1', 'one'],
      ['2', 'two-code'],
      ['1', 'one-1'],
    ]);
    expect(html).to.contain('<h1 id="one-1">').and.to.contain('<title>One</title>');
  });

  it('escapes and highlights code, and shows the number of the cell', () => {
    const html = page(notebookOf('# T', 'const a = "<script>" && 1;'));
    expect(html).to.contain('<span class="hljs-keyword">const</span>').and.to.contain('&lt;script&gt;');
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
    expect(html).to.contain('<pre class="stdout">a &lt; b</pre>').and.to.contain('<pre class="stderr">careful</pre>');
    expect(html).to.contain('<pre class="error" role="alert">E: v\n    at cell [3], line 1: &lt;x&gt;</pre>');
  });

  it('draws charts from their specification, with the picture and its text as the fallback', () => {
    const html = page(withOutput(chart(3)));
    expect(html).to.contain('<img alt="[T: What it shows.]" width=').and.to.contain('vega.parse(vegaLite.compile');
    const spec = /<script type="application\/json">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    expect(JSON.parse(spec).data.values[2]).to.deep.equal({
      a: 2,
      b: '</script><script>alert(1)</script>',
    });
    expect(page(withOutput())).not.to.contain('vega');
  });

  it('makes do with the pictures where the page would grow beyond 3 MB', () => {
    const html = page(withOutput(chart(45_000)));
    expect(Buffer.byteLength(html)).to.be.below(3_000_000);
    expect(html).to.contain('<img alt=').and.not.to.contain('vega');
  });

  it('prefers HTML to text, and keeps formulas from being read as emphasis', () => {
    const data = { 'text/html': ['<table>', '</table>'], 'text/plain': ['t'] };
    expect(page(withOutput({ output_type: 'display_data', data }))).to.contain('<div class="html"><table></table></div>');
    expect(page(notebookOf('# T\n\n$a_i \\cdot b_i$ costs $5 and $6'))).to.match(
      /<msub><mi>a<\/mi><mi>i<\/mi><\/msub><mo>⋅<\/mo>.*<\/math> costs \$5 and \$6/,
    );
  });

  it('links to the pages of the other notebooks', () => {
    const html = page(notebookOf('# T\n\n[a](2-lstm.ipynb#x) [b](https://example.org/c.ipynb)'));
    expect(html).to.contain('href="2-lstm.html#x"').and.to.contain('href="https://example.org/c.ipynb"');
  });

  it('has a language, one heading of the first level at least, and no level left out', () => {
    const html = page(notebookOf('# One\n\n### Deep\n\n#### Deeper', '# Two'));
    expect(html).to.contain('<html lang="en">');
    expect([...html.matchAll(/<h(\d) /g)].map((match) => match[1])).to.deep.equal(['1', '2', '3', '1']);
    expect(page(notebookOf('no heading')))
      .to.contain('<h1>x</h1>')
      .and.to.contain('<title>x</title>');
  });

  it('puts tables of the prose into boxes that scroll', () => {
    expect(page(notebookOf('# T\n\n| a |\n| - |\n| b |'))).to.match(/<div class="wide"><table>[\s\S]*<\/table><\/div>/);
  });

  it('lets the reader fold the code of a cell, or all of it', () => {
    const html = page(withOutput());
    expect(html).to.contain('<details class="source" open><summary aria-label="Code of cell 3">[3]</summary>');
    expect(html).to.contain('<button type="button" id="fold"');
  });

  it('marks charts, whose colours follow the dark setting, but not other pictures', () => {
    const picture: CellOutput = { output_type: 'display_data', data: { 'image/png': 'AAAA', 'text/plain': ['a photo'] } };
    expect(page(withOutput(picture)))
      .to.contain('<figure><img alt="a photo"')
      .and.not.to.contain('<figure class="chart">');
    expect(page(withOutput(chart(3)))).to.contain('<figure class="chart">');
    expect(page(withOutput(chart(45_000)))).to.contain('<figure class="chart">');
  });

  it('ends with what made it: notebook, time, date, versions, and the data that it read', () => {
    const run = { name: '1-x', seconds: 2.34, date: new Date('2024-05-06T07:08:09Z'), data: join(root, 'data') };
    const reading = notebookOf('# T', 'const DATA = process.env.RECITAL_DATA;');
    Object.assign(reading.cells[1], { cell_type: 'code', outputs: [] });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const made = `1-x.ipynb, run in 2.3 s on 2024-05-06 by recital ${version} and Node ${process.versions.node}.`;
    const sample = join(root, 'data', 'sample');
    expect(notebookPage(reading, { ...run, data: sample })).to.contain(`<footer>${made} Data: the synthetic sample (data/sample).</footer>`);
    expect(notebookPage(reading, { ...run, data: join(root, 'test', 'golden') })).to.contain(`${made} Data: test/golden.</footer>`);
    expect(notebookPage(notebookOf('# T'), run)).to.contain(`<footer>${made}</footer>`);
  });
});
