import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import hljs from 'highlight.js/lib/core';
import typescript from 'highlight.js/lib/languages/typescript';
import { locatePlays } from '../../recital/data/files/read-plays.js';
import { escapeHtml } from '../../recital/display/html.js';
import { joined, type Notebook } from '../run/notebook-file.js';
import {
  type CellParts,
  cellHtml,
  cellId,
  type Heading,
  Markdown,
  plainText,
  readable,
} from './cells.js';
import { chartFigure, chartScripts, type LeftOut, leaveOut } from './charts.js';
import { inlineModule, inlineScript, scriptPolicy } from './scripts.js';
import { pageStyle } from './style.js';

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
 * place; and the largest charts keep one form only, interactive or picture.
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

/**
 * The parts of a page. All are HTML but the title and the description, which are HTML without tags.
 */
export interface PageParts {
  title: string;
  /** For search engines, and for the start page: its first sentences. */
  description: string;
  /** The contents, or what else stands beside the buttons. */
  navigation: string;
  main: string;
  footer: string;
  /** At the end of the page. */
  scripts?: string;
  /** Further rules of style. */
  style?: string;
}

/** What pages say that they are made by: by this the start page knows them. */
export const GENERATOR = 'recital';

/**
 * A whole HTML file: head, style, navigation with its buttons, main part and footer. The reader's
 * script makes the buttons work, and shows them; no
 * script but those of pages runs. */
export function pageFrame({
  title,
  description,
  navigation,
  main,
  footer,
  scripts = '',
  style = '',
}: PageParts): string {
  const { base, dark } = pageStyle();
  const start = inlineScript('start.cjs');
  const end = `${inlineModule('reader.mjs')}${scripts}`;
  const about = description === '' ? '' : `\n<meta name="description" content="${description}">`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${scriptPolicy(start + end)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${GENERATOR}">${about}
<title>${title}</title>
<style>
${base}${style}
</style>
<style id="dark" media="screen and (prefers-color-scheme: dark)">
${dark}
</style>
${start}</head>
<body>
<a class="skip" href="#text">Skip to the text</a>
<header>
${navigation}
<div class="tools"><button type="button" id="fold" hidden>Hide code</button><button type="button" id="theme" hidden>Dark</button></div>
</header>
<main id="text" tabindex="-1">
${main}
</main>
<footer>${footer}</footer>
${end}</body>
</html>
`;
}

/**
 * The navigation of a page: the start page, if there is one, and the headings of the first three
 * levels, lists in lists.
 */
export function pageNavigation(headings: readonly Heading[], { home = false } = {}): string {
  const shown = headings.filter(({ depth }) => depth <= 3);
  const start = home ? '<a href="index.html">Notebooks</a>\n' : '';
  const contents =
    shown.length < 2 ? '' : `<details><summary>Contents</summary>${list(shown)}</details>`;
  return start || contents ? `<nav aria-label="Contents">${start}${contents}</nav>` : '';
}

/**
 * No heading is more than one level below the one before it, and the first one is of the first:
 * {@link Markdown} sees to that.
 */
function list(headings: readonly Heading[]): string {
  let html = '';
  let depth = 0;
  for (const heading of headings) {
    html += heading.depth > depth ? '<ol>' : `</li>${'</ol></li>'.repeat(depth - heading.depth)}`;
    html += `\n<li><a href="#${heading.id}">${heading.text.replace(/<\/?a\b[^>]*>/g, '')}</a>`; // no link within a link
    depth = heading.depth;
  }
  return `${html}${'</li></ol>'.repeat(depth)}`;
}

const root = resolve(__dirname, '../../..');

/** What is known of the run that made a page. */
export interface PageRun {
  /** Of the notebook. */
  name: string;
  /** How long it took. */
  seconds?: number;
  /** Folder of the data that it read. */
  data?: string;
  /** When it ended. Default: now. */
  date?: Date;
}

/** The last lines of a page: which notebook, when, with which data and versions. */
export function pageFooter({ name, seconds, data, date = new Date() }: PageRun): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const time = seconds === undefined ? '' : ` in ${seconds.toFixed(1)} s`;
  const run = `${name}.ipynb, run${time} on ${date.toISOString().slice(0, 10)} by recital ${version} and Node ${process.versions.node}.`;
  return escapeHtml(data === undefined ? run : `${run} Data: ${dataName(data)}.`);
}

/**
 * The data that a notebook finds in a folder, in words: the sample, where there is nothing else.
 * Paths are given from the checkout.
 */
export function dataName(folder: string): string {
  const from = process.env.RECITAL_WORKSPACE ?? root;
  const shown = (path: string): string => relative(from, path) || '.';
  let found: string;
  try {
    found = dirname(locatePlays(folder).path);
  } catch {
    return shown(folder); // no plays: the notebook has said so, or reads something else
  }
  return [root, from].some((each) => resolve(found) === join(each, 'data', 'sample'))
    ? 'the synthetic sample (data/sample)'
    : shown(found);
}
