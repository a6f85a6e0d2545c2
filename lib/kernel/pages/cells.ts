import { Marked } from 'marked';
import temml from 'temml';
import { escapeHtml } from '../../recital/display/html.js';
import { visible } from '../../recital/printed.js';
import { type CellOutput, joined, type NotebookCell } from '../run/notebook-file.js';
import { type Attachments, pictureData } from './charts.js';

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

/** A heading of a page. */
export interface Heading {
  depth: number;
  /** HTML. */
  text: string;
  id: string;
}

const formula = /^(\$\$[\s\S]+?\$\$|\$(?!\s)(?:\\.|[^$\\\n])+?(?<!\s)\$(?!\d))/;

/**
 * Markdown cells as HTML. Gathers the headings, for the table of contents. Formulas become MathML,
 * which browsers set with their own fonts.
 */
export class Markdown {
  readonly headings: Heading[] = [];
  private readonly marked: Marked;
  private attachments: Attachments = {};

  /**
   * @param highlight makes HTML of the code in a fence
   * @param folder where pictures are that the text names
   */
  constructor(highlight: (code: string, language: string) => string, folder?: string) {
    const { headings } = this;
    const picture = (href: string): string | undefined =>
      pictureData(href, { attachments: this.attachments, folder });
    this.marked = new Marked({ gfm: true, async: false });
    this.marked.use({
      extensions: [
        {
          name: 'formula',
          level: 'inline',
          start: (text: string) => text.indexOf('$'),
          tokenizer(text: string) {
            const raw = formula.exec(text)?.[0];
            return raw ? { type: 'formula', raw } : undefined;
          },
          renderer({ raw }) {
            const tex = raw.replace(/^\$+|\$+$/g, '').trim();
            return temml.renderToString(tex, {
              displayMode: raw.startsWith('$$'),
              throwOnError: false,
            });
          },
        },
      ],
      renderer: {
        heading({ tokens, depth }) {
          const text = this.parser.parseInline(tokens);
          const id = freeId(text, headings);
          const level = Math.min(depth, (headings.at(-1)?.depth ?? 0) + 1); // screen readers go by levels: none may be left out
          headings.push({ depth: level, text, id });
          const anchor = `<a class="anchor" href="#${id}" aria-label="Link to ${plainText(text)}">#</a>`; // beside the heading: it is not a part of its name
          return `<div class="heading depth${level}"><h${level} id="${id}">${text}</h${level}>${anchor}</div>\n`;
        },
        code({ text, lang }) {
          return `<pre class="code"><code>${highlight(text, (lang ?? '').split(/\s/)[0])}</code></pre>\n`;
        },
        link({ href, title, tokens }) {
          // The other notebooks are web pages here as well.
          const target = /^[a-z]+:/i.test(href) ? href : href.replace(/\.ipynb(?=$|#)/, '.html');
          const hint = title ? ` title="${escapeHtml(title)}"` : '';
          return `<a href="${escapeHtml(target)}"${hint}>${this.parser.parseInline(tokens)}</a>`;
        },
        image({ href, text }) {
          const data = picture(href);
          return data === undefined
            ? `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`
            : `<img src="${data}" alt="${escapeHtml(text)}">`;
        },
        tablecell({ tokens, header, align }) {
          const tag = header && tokens.length ? 'th' : 'td'; // an empty corner heads nothing
          const style = align ? ` style="text-align:${align}"` : '';
          return `<${tag}${tag === 'th' ? ' scope="col"' : ''}${style}>${this.parser.parseInline(tokens)}</${tag}>\n`;
        },
      },
    });
  }

  /** The HTML of one cell. */
  html(source: string, attachments: Attachments = {}): string {
    this.attachments = attachments;
    const html = this.marked.parse(source) as string;
    return html
      .replace(/<table>/g, '<div class="wide"><table>')
      .replace(/<\/table>/g, '</table></div>'); // wide ones scroll in a box of their own
  }
}

/** HTML without its tags. */
export function plainText(html: string): string {
  return html.replace(/<[^>]*>/g, '');
}

/** The id of a heading, as GitHub makes it, with a number if it is taken. */
function freeId(text: string, taken: readonly Heading[]): string {
  const slug =
    plainText(text)
      .replace(/&[a-z#0-9]+;/g, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replace(/ /g, '-') || 'section';
  let id = slug;
  for (let n = 1; taken.some((heading) => heading.id === id); n++) id = `${slug}-${n}`;
  return id;
}
