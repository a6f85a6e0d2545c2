import { escapeHtml } from '../notebook/escape.js';
import { type CellOutput, joined, type NotebookCell } from './notebook-file.js';
import type { Markdown } from './page-markdown.js';
import type { Attachments } from './page-pictures.js';

/** What the cells of a page are made with. */
export interface CellParts {
  markdown: Markdown;
  /** HTML of code. */
  highlight(code: string, language: string): string;
  /** HTML of a chart or picture. */
  draw(output: CellOutput): string;
}

/** A cell of a notebook as HTML; of an empty one nothing. */
export function cellHtml(cell: NotebookCell & { attachments?: Attachments }, { markdown, highlight, draw }: CellParts): string {
  const source = joined(cell.source);
  if (source.trim() === '' && !cell.outputs?.length) return '';
  if (cell.cell_type === 'markdown') return `<section class="prose">\n${markdown.html(source, cell.attachments)}</section>`;
  if (cell.cell_type === 'raw') return `<section><pre>${escapeHtml(source)}</pre></section>`;
  const number = cell.execution_count ?? ' ';
  const outputs = (cell.outputs ?? []).map((output) => outputHtml(output, draw)).filter((html) => html !== '');
  const summary = `<summary aria-label="Code of cell [${number}]">[${number}]</summary>`;
  const code = `<details class="source" open>${summary}<pre class="code"><code>${highlight(source, 'typescript')}</code></pre></details>`;
  const shown = outputs.length ? `\n<div class="outputs">\n${outputs.join('\n')}\n</div>` : '';
  return `<section class="cell">\n${code}${shown}\n</section>`;
}

function outputHtml(output: CellOutput, draw: CellParts['draw']): string {
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
