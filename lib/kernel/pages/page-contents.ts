import type { Heading } from './page-markdown.js';

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
