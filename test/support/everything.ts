import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CellOutput, Notebook } from '../../lib/kernel/run/notebook-file.js';
import type { Chart } from '../../lib/recital/data/output.js';
import { Table } from '../../lib/recital/data/table.js';
import { chartBundle } from '../../lib/recital/display/chart-render.js';
import { tableHtml } from '../../lib/recital/display/html.js';
import { lineChart } from '../../lib/recital/display/index.js';
import { resultCharts, tableCharts } from './charts.js';

const photo = readFileSync(
  resolve(__dirname, '..', '..', 'notebooks', 'figures', 'sound.png'),
).toString('base64');

const long = new Table({
  step: Array.from({ length: 301 }, (_, i) => i),
  value: Array.from({ length: 301 }, (_, i) => i * i),
});

/** The charts of the notebook below. */
export const shownCharts: Record<string, () => Chart> = {
  ...Object.fromEntries(
    ['heatmap', 'lying bars', 'histograms', 'lines', 'scatter by category'].map((name) => [
      name,
      tableCharts[name],
    ]),
  ),
  'learning rate finder': resultCharts['learning rate finder'],
  'a long line': () => lineChart(long, { x: 'step', y: 'value', title: 'A long line' }),
};

function chart(make: () => Chart): CellOutput {
  const { bundle, metadata } = chartBundle(make());
  return {
    output_type: 'display_data',
    data: bundle,
    metadata: metadata as Record<string, unknown>,
  };
}
const shown = (data: Record<string, unknown>): CellOutput => ({
  output_type: 'display_data',
  data,
  metadata: {},
});
const printed = (text: string, name = 'stdout'): CellOutput => ({
  output_type: 'stream',
  name,
  text: [text],
});

const prose = [
  `# Everything that a page can hold

**Goal.** To *see* it, with \`code\`, a [link](1-collab.ipynb), a formula $\\hat r_{ui} = \\sigma(b_u + b_i + p_u \\cdot q_i)$, and 5 $ of text.

$$\\mathcal{L} = -\\frac{1}{n} \\sum_{i=1}^{n} \\bigl( y_i \\log p_i + (1 - y_i) \\log(1 - p_i) \\bigr) + \\lambda \\sum_{j=1}^{m} \\lVert w_j \\rVert^2 + \\mu \\sum_{k=1}^{m} \\lvert w_k \\rvert$$

> A word from elsewhere.

1. one
2. two
   - three

![A photo that the cell has brought along](attachment:photo.png)`,
  `## Tables

| | a column | ${Array.from({ length: 14 }, (_, i) => `another ${i}`).join(' | ')} |
|${' - |'.repeat(16)}
| row | ${Array.from({ length: 15 }, (_, i) => 1000 * i).join(' | ')} |`,
  `## Exercises and their [solutions](https://example.org)

**1. A question.** What comes of it?

<details>
<summary>Solution</summary>

\`\`\`ts
// a comment
const answer: number = await ask('what', { of: [1, 2.5e-3, true, null] }); // ${'long '.repeat(40)}
class Model extends Base implements Other { private readonly a = /x+/g; }
\`\`\`

\`\`\`text
42
\`\`\`

So it is.

</details>`,
  '### Deeper\n\nText.\n\n#### Deepest\n\nText.\n\n### Deeper\n\nThe same name again.',
  `## Last\n\n${'Some text, so that there is something to scroll. '.repeat(60)}`,
];

const code = `import { Table } from 'recital';
/** Says what it is. */
function name(x: string): string { return \`\${x} and ${'so on '.repeat(30)}\`; }
@decorated class A { static #b = new Map<string, number>([['a', 0x1f]]); }`;

const names = Array.from({ length: 24 }, (_, i) => `column ${i}`);
const wide = new Table(
  Object.fromEntries(names.map((name, i) => [name, Float64Array.of(i / 7, i * 1e5)])),
);
const few = new Table({ artist: ['Björk', 'Can'], plays: [12, 3] });

/** The outputs of the cells with code, a list each. */
const outputs = (): CellOutput[][] => [
  [printed(`a line\n${'a long line '.repeat(30)}\n`), printed('a warning\n', 'stderr')],
  [
    shown({ 'text/html': tableHtml(few, { title: 'A title' }), 'text/plain': '' }),
    shown({ 'text/html': tableHtml(wide), 'text/plain': '' }),
  ],
  Object.values(shownCharts).map(chart),
  [
    shown({ 'image/png': photo, 'text/plain': 'A photo' }),
    shown({
      'text/html': '<b>bold</b> <progress value="3" max="10" aria-label="progress"></progress>',
      'text/plain': 'bold',
    }),
    shown({ 'text/plain': '42' }),
  ],
  [
    {
      output_type: 'error',
      ename: 'E',
      evalue: 'no',
      traceback: [`E: no\n    at cell [5], line 1: ${'x'.repeat(200)}`],
    },
  ],
];

/** A notebook that has one of everything that a page can hold. */
export function everything(): Notebook {
  const cells = outputs().flatMap((list, i) => [
    {
      cell_type: 'markdown',
      metadata: {},
      source: prose[i],
      ...(i === 0 && { attachments: { 'photo.png': { 'image/png': photo } } }),
    },
    { cell_type: 'code', metadata: {}, source: code, outputs: list, execution_count: i + 1 },
  ]);
  cells.push({
    cell_type: 'raw' as 'code',
    metadata: {},
    source: `raw ${'text '.repeat(60)}`,
  } as (typeof cells)[number]);
  return { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 } as Notebook;
}
