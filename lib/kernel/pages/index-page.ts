import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../../recital/data/files/atomic-write.js';
import { GENERATOR, pageFrame } from './page.js';

const INDEX = 'index.html';

/** What the start page says of a page: HTML, as the page itself has it. */
interface Listed {
  file: string;
  title: string;
  description: string;
  footer: string;
  failed: boolean;
}

/**
 * Whether a folder will have a start page once these notebooks, by name, have their pages in it.
 */
export function willHaveIndex(folder: string, names: readonly string[]): boolean {
  const pages = new Set([...pagesIn(folder), ...names.map((name) => `${name}.html`)]);
  return pages.size > 1 && isFree(folder, pages);
}

/**
 * Writes the start page of a folder, index.html: a list of the notebooks' pages in it, of this run
 * and of earlier ones, each with its first paragraph and what made it. Returns its path; undefined
 * where there is nothing to choose from, or where something else is called so.
 */
export function writeIndex(folder: string): string | undefined {
  const path = join(folder, INDEX);
  const files = pagesIn(folder);
  if (!isFree(folder, new Set(files))) return undefined;
  if (files.length < 2) {
    rmSync(path, { force: true }); // of pages that are gone
    return undefined;
  }
  writeAtomically(path, [Buffer.from(indexPage(files.map((file) => read(folder, file))))]);
  return path;
}

/** The pages of notebooks in a folder, each beside the executed copy. */
function pagesIn(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const pages = files.filter(
    (file) =>
      file.endsWith('.html') &&
      files.includes(file.replace(/html$/, 'ipynb')) &&
      isOurs(join(folder, file)),
  );
  return pages.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/**
 * Whether the start page may be written: it is neither the page of a notebook nor anything that
 * others have made.
 */
function isFree(folder: string, pages: ReadonlySet<string>): boolean {
  return !pages.has(INDEX) && (!existsSync(join(folder, INDEX)) || isOurs(join(folder, INDEX)));
}

function isOurs(path: string): boolean {
  return readFileSync(path, 'utf8').includes(`<meta name="generator" content="${GENERATOR}">`);
}

/** What a page says of itself. */
function read(folder: string, file: string): Listed {
  const html = readFileSync(join(folder, file), 'utf8');
  const part = (pattern: RegExp): string => pattern.exec(html)?.[1] ?? '';
  return {
    file,
    title: part(/<title>([^<]*)<\/title>/),
    description: part(/<meta name="description" content="([^"]*)">/),
    footer: html.slice(
      html.lastIndexOf('<footer>') + '<footer>'.length,
      html.lastIndexOf('</footer>'),
    ),
    failed: html.includes('<section role="alert" class="failure">'),
  };
}

function indexPage(pages: readonly Listed[]): string {
  const items = pages.map(({ file, title, description, footer, failed }) => {
    const state = failed ? '<strong>This run failed.</strong> ' : '';
    return `<li><h2><a href="${encodeURIComponent(file)}">${title}</a></h2>\n<p>${description}</p>\n<p class="run">${state}${footer}</p></li>`;
  });
  const failed = pages.filter((page) => page.failed).length;
  const count = `${pages.length} notebooks${failed ? `, ${failed} failed` : ''}.`;
  return pageFrame({
    title: 'Notebooks',
    description: count,
    navigation: '',
    main: `<h1>Notebooks</h1>\n<ol class="pages">\n${items.join('\n')}\n</ol>`,
    footer: count,
    style: rules,
  });
}

const rules = `
.pages { list-style: none; padding: 0; }
.pages li { margin: 2rem 0; }
.pages h2 { margin: 0; }
.pages p { margin: 0.4rem 0; }
.run { color: var(--dim); font-size: 0.85rem; }
`;
