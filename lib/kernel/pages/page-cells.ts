import { escapeHtml } from '../../recital/display/escape.js';
import { visible } from '../../recital/printed.js';
import { type CellOutput, joined, type NotebookCell } from '../run/notebook-file.js';
import type { Markdown } from './page-markdown.js';
import type { Attachments } from './page-pictures.js';

/** What the cells of a page are made with. */
export interface CellParts {
  markdown: Markdown;
  /** HTML of code. */
  highlight(code: string, language: string): string;
  /** HTML of a chart or picture. */
  draw(output: CellOutput): string;
  /** Characters that a page has of one output. */
  most: number;
}

/** A cell of a notebook as HTML; of an empty one nothing. */
export function cellHtml(
  cell: NotebookCell & { attachments?: Attachments },
  { markdown, highlight, draw, most }: CellParts,
): string {
  const source = joined(cell.source);
  if (source.trim() === '' && !cell.outputs?.length) return '';
  if (cell.cell_type === 'markdown')
    return `<section class="prose">\n${markdown.html(source, cell.attachments)}</section>`;
  if (cell.cell_type === 'raw') return `<section><pre>${escapeHtml(source)}</pre></section>`;
  const number = cell.execution_count ?? ' ';
  const outputs = (cell.outputs ?? [])
    .map((output) => outputHtml(output, { draw, most }))
    .filter((html) => html !== '');
  const summary = `<summary aria-label="Code of cell [${number}]">[${number}]</summary>`;
  const code = `<details class="source" open>${summary}<pre class="code"><code>${highlight(source, 'typescript')}</code></pre></details>`;
  const shown = outputs.length ? `\n<div class="outputs">\n${outputs.join('\n')}\n</div>` : '';
  const id = cell.execution_count ? ` id="${cellId(cell.execution_count)}"` : '';
  return `<section class="cell"${id}>\n${code}${shown}\n</section>`;
}

/** What a page calls a cell; no heading is called so, since none has a dot. */
export function cellId(number: number): string {
  return `cell.${number}`;
}

function outputHtml(output: CellOutput, { draw, most }: Pick<CellParts, 'draw' | 'most'>): string {
  const text = (given: string): string => escapeHtml(cut(given, most));
  if (output.output_type === 'stream') {
    const said = readable(joined(output.text));
    return said.trim() === ''
      ? ''
      : `<pre class="${output.name === 'stderr' ? 'stderr' : 'stdout'}">${text(said.replace(/\n$/, ''))}</pre>`;
  }
  if (output.output_type === 'error') {
    const trace = output.traceback?.length
      ? output.traceback
      : [`${output.ename}: ${output.evalue}`];
    return `<pre class="error" role="alert">${text(readable(trace.join('\n')))}</pre>`;
  }
  const data = output.data ?? {};
  if ('application/vnd.vegalite.v5+json' in data || fits(data['image/png'], most))
    return draw(output);
  if (fits(data['text/html'], most)) return `<div class="html">${joined(data['text/html'])}</div>`;
  if (fits(data['image/svg+xml'], most)) return `<figure>${joined(data['image/svg+xml'])}</figure>`;
  const plain = readable(joined(data['text/plain']));
  const larger = ['image/png', 'text/html', 'image/svg+xml'].find((type) => type in data);
  const note = larger ? `<p>${leftOut(joined(data[larger]).length)}</p>` : '';
  return plain === '' ? note : `<pre class="stdout">${text(plain)}</pre>${note}`;
}

/** Whether there is an output of this kind that is not too long. */
function fits(content: unknown, most: number): boolean {
  return content !== undefined && joined(content).length <= most;
}

/** The beginning and the end of a text that is too long. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  return `${text.slice(0, half)}\n… ${leftOut(text.length - 2 * half)}\n${text.slice(text.length - half)}`;
}

function leftOut(characters: number): string {
  return `${characters.toLocaleString('en')} characters are left out of this page; the notebook beside it has them.`;
}

/** What a terminal would show, without its colours, and with control characters written out. */
export function readable(text: string): string {
  return visible(
    text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), ''),
    '\n\t\r',
  );
}
