import hljs from 'highlight.js/lib/core';
import typescript from 'highlight.js/lib/languages/typescript';
import { escapeHtml } from '../notebook/escape.js';
import { type CellOutput, joined, type Notebook, type NotebookCell } from './notebook-file.js';
import { chartFigure, chartScripts } from './page-charts.js';
import { type PageRun, pageFooter } from './page-footer.js';
import { type Heading, Markdown } from './page-markdown.js';
import { pageScript } from './page-script.js';
import { pageStyle } from './page-style.js';

hljs.registerLanguage('typescript', typescript);

interface PageOptions extends PageRun {
  failure?: string;
}

const MAX_BYTES = 3_000_000; // with interactive charts; beyond that the page makes do with pictures

/**
 * A notebook as one HTML file that needs nothing else: prose, highlighted code, outputs, charts. It follows the reader's light or dark setting.
 * Charts are interactive where that keeps the page below 3 MB; the picture of each is there in any case.
 * @param options.name of the notebook, for the title if no heading gives one
 * @param options.seconds how long it ran; left out, nothing is said about it
 * @param options.data folder that a notebook with RECITAL_DATA in it has read; left out, nothing is said about it
 * @param options.date when it ended; default now
 * @param options.failure where and why the run failed: printed at the top of the page
 */
export function notebookPage(notebook: Notebook, options: PageOptions): string {
  const interactive = render(notebook, options, true);
  return Buffer.byteLength(interactive) <= MAX_BYTES ? interactive : render(notebook, options, false);
}

function render(notebook: Notebook, options: PageOptions, interactive: boolean): string {
  const { name, failure } = options;
  const markdown = new Markdown((code, language) => highlight(code, language));
  let charts = 0;
  const draw = (output: CellOutput): string => {
    const figure = chartFigure(output, interactive);
    if (figure.interactive) charts++;
    return figure.html;
  };
  const cells = notebook.cells.map((cell) => cellHtml(cell, markdown, draw)).join('\n');
  const [first] = markdown.headings;
  const title = first?.text ?? escapeHtml(name);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title.replace(/<[^>]*>/g, '')}</title>
<style>
${pageStyle()}
</style>
</head>
<body>
${contents(markdown.headings)}
<main>
${failure === undefined ? '' : `<section role="alert" class="failure"><strong>This run failed, and stopped there.</strong>\n<pre class="error">${escapeHtml(failure)}</pre></section>\n`}${first ? '' : `<h1>${title}</h1>\n`}${cells}
</main>
${pageFooter(readsData(notebook) ? options : { ...options, data: undefined })}
${pageScript()}${charts > 0 ? chartScripts() : ''}</body>
</html>
`;
}

/** Whether a notebook takes its data from the folder that a run gives it. */
function readsData({ cells }: Notebook): boolean {
  return cells.some((cell) => cell.cell_type === 'code' && joined(cell.source).includes('RECITAL_DATA'));
}

function contents(headings: readonly Heading[]): string {
  const shown = headings.filter(({ depth }) => depth <= 3);
  const items = shown.map(({ depth, text, id }) => `<li class="depth${depth}"><a href="#${id}">${text}</a></li>`);
  const list = shown.length < 2 ? '' : `<details open><summary>Contents</summary><ol>\n${items.join('\n')}\n</ol></details>\n`;
  return `<nav aria-label="Contents">${list}<button type="button" id="fold" hidden>Hide all code</button></nav>`;
}

function highlight(code: string, language: string): string {
  return /^(ts|typescript|js|javascript)$/.test(language) ? hljs.highlight(code, { language: 'typescript' }).value : escapeHtml(code);
}

function cellHtml(cell: NotebookCell, markdown: Markdown, draw: (output: CellOutput) => string): string {
  const source = joined(cell.source);
  if (source.trim() === '' && !cell.outputs?.length) return '';
  if (cell.cell_type === 'markdown') return `<section class="prose">\n${markdown.html(source)}</section>`;
  if (cell.cell_type === 'raw') return `<section><pre>${escapeHtml(source)}</pre></section>`;
  const number = cell.execution_count ?? ' ';
  const outputs = (cell.outputs ?? []).map((output) => outputHtml(output, draw)).filter((html) => html !== '');
  const summary = `<summary aria-label="Code of cell ${number}">[${number}]</summary>`;
  const code = `<details class="source" open>${summary}<pre class="code"><code>${highlight(source, 'typescript')}</code></pre></details>`;
  const shown = outputs.length ? `\n<div class="outputs">\n${outputs.join('\n')}\n</div>` : '';
  return `<section class="cell">\n${code}${shown}\n</section>`;
}

function outputHtml(output: CellOutput, draw: (output: CellOutput) => string): string {
  if (output.output_type === 'stream') {
    const text = withoutColours(joined(output.text));
    return text.trim() === '' ? '' : `<pre class="${output.name === 'stderr' ? 'stderr' : 'stdout'}">${escapeHtml(text.replace(/\n$/, ''))}</pre>`;
  }
  if (output.output_type === 'error') {
    const trace = output.traceback?.length ? output.traceback : [`${output.ename}: ${output.evalue}`];
    return `<pre class="error" role="alert">${escapeHtml(withoutColours(trace.join('\n')))}</pre>`;
  }
  const data = output.data ?? {};
  if ('application/vnd.vegalite.v5+json' in data || 'image/png' in data) return draw(output);
  if ('text/html' in data) return `<div class="html">${joined(data['text/html'])}</div>`;
  if ('image/svg+xml' in data) return `<figure>${joined(data['image/svg+xml'])}</figure>`;
  const text = joined(data['text/plain']);
  return text === '' ? '' : `<pre class="stdout">${escapeHtml(text)}</pre>`;
}

/** Text without a terminal's escape sequences for colours. */
function withoutColours(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
}
