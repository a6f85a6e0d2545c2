import hljs from 'highlight.js/lib/core';
import typescript from 'highlight.js/lib/languages/typescript';
import { escapeHtml } from '../../recital/display/escape.js';
import { joined, type Notebook } from '../run/notebook-file.js';
import { type CellParts, cellHtml, cellId, readable } from './page-cells.js';
import { chartFigure, chartScripts, type LeftOut, leaveOut } from './page-charts.js';
import { pageNavigation } from './page-contents.js';
import { type PageRun, pageFooter } from './page-footer.js';
import { pageFrame } from './page-frame.js';
import { Markdown, plainText } from './page-markdown.js';

hljs.registerLanguage('typescript', typescript);

interface PageOptions extends PageRun {
  failure?: { text: string; cell: number };
  folder?: string;
  home?: boolean;
}

const MAX_BYTES = 3_000_000;
/**
 * Characters of an output where a page would be larger: more than anybody reads. Where many outputs
 * are so long, fewer, down to `LEAST`.
 */
const OUTPUT = 200_000;
const LEAST = 500;

/**
 * A notebook as one HTML file that needs nothing else: contents, prose, highlighted code that
 * folds, outputs, charts. It follows the reader's light or dark setting, until the reader chooses.
 * It has at most 3 MB. If need be, what cells have printed and shown is cut, which is said in its
 * place; and it does without the largest of what its charts consist of: of each there is the
 * interactive form or the picture, of most both.
 * @param options.name of the notebook, for the title if no heading gives one
 * @param options.seconds how long it ran; left out, nothing is said about it
 * @param options.data folder that a notebook with RECITAL_DATA in it has read; left out, nothing is
 *   said about it
 * @param options.date when it ended; default now
 * @param options.failure where and why the run failed, printed at the top of the page, which links
 *   to the cell
 * @param options.folder of the notebook, from which its prose names pictures; left out, only those
 *   within the notebook are shown
 * @param options.home whether there is a start page, index.html, beside the page; default false
 */
export function notebookPage(notebook: Notebook, options: PageOptions): string {
  let html = render(notebook, options);
  let most = OUTPUT;
  if (Buffer.byteLength(html) > MAX_BYTES) html = render(notebook, options, { most });
  const bytes = Buffer.byteLength(html);
  if (bytes <= MAX_BYTES) return html;
  const leftOut = leaveOut(notebook, { bytes, most: MAX_BYTES });
  while (
    Buffer.byteLength((html = render(notebook, options, { leftOut, most }))) > MAX_BYTES &&
    most > LEAST
  )
    most = Math.floor(most / 2);
  return html;
}

function render(
  notebook: Notebook,
  options: PageOptions,
  { leftOut = new Map(), most = Infinity }: { leftOut?: LeftOut; most?: number } = {},
): string {
  const { name, failure, folder, home } = options;
  const markdown = new Markdown(highlight, folder);
  let charts = 0;
  const parts: CellParts = {
    markdown,
    highlight,
    draw(output) {
      const figure = chartFigure(output, leftOut.get(output));
      if (figure.interactive) charts++;
      return figure.html;
    },
    most,
  };
  const cells = notebook.cells.map((cell) => cellHtml(cell, parts)).join('\n');
  const [first] = markdown.headings;
  const title = first?.text ?? escapeHtml(name);
  const failed = failure
    ? `<section role="alert" class="failure"><strong>This run failed, and stopped at <a href="#${cellId(failure.cell)}">cell [${failure.cell}]</a>.</strong>\n<pre class="error">${escapeHtml(readable(failure.text))}</pre></section>\n`
    : '';
  return pageFrame({
    title: plainText(title),
    description: lead(cells),
    navigation: pageNavigation(markdown.headings, { home }),
    main: `${failed}${first ? '' : `<h1>${title}</h1>\n`}${cells}`,
    footer: pageFooter(readsData(notebook) ? options : { ...options, data: undefined }),
    scripts: charts > 0 ? chartScripts() : '',
  });
}

/** The first paragraph of a page. */
function lead(html: string): string {
  const text = plainText(/<p>([\s\S]*?)<\/p>/.exec(html)?.[1] ?? '');
  return text.replace(/\s+/g, ' ').replaceAll('"', '&quot;').trim();
}

/** Whether a notebook takes its data from the folder that a run gives it. */
function readsData({ cells }: Notebook): boolean {
  return cells.some(
    (cell) => cell.cell_type === 'code' && joined(cell.source).includes('RECITAL_DATA'),
  );
}

function highlight(code: string, language: string): string {
  return /^(ts|typescript|js|javascript)$/.test(language)
    ? hljs.highlight(code, { language: 'typescript' }).value
    : escapeHtml(code);
}
