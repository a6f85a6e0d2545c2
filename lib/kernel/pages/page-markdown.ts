import { Marked } from 'marked';
import temml from 'temml';
import { escapeHtml } from '../../recital/display/escape.js';
import { type Attachments, pictureData } from './page-pictures.js';

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
