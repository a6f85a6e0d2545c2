/** A script as part of a page. */
export function inline(code: string): string {
  return `<script>${code.replace(/<\/script/gi, '<\\/script').replace(/^\/\/# sourceMappingURL=.*$/gm, '')}</script>\n`;
}

/** The script of every page. Without it everything can be read as well. */
export function pageScript(): string {
  return inline(script);
}

const script = `
// A box that scrolls must be reached by the keyboard; one that does not would only be in its way.
const boxes = () => {
  for (const box of document.querySelectorAll('pre, .html, .wide, figure')) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }
};
addEventListener('load', boxes);
addEventListener('resize', boxes);

const button = document.getElementById('fold');
const cells = document.querySelectorAll('details.source');
button.hidden = cells.length === 0;
button.onclick = () => {
  const open = button.textContent.startsWith('Show');
  for (const cell of cells) cell.open = open;
  button.textContent = open ? 'Hide all code' : 'Show all code';
};

const contents = document.querySelector('nav details');
if (contents && innerWidth < 640) contents.open = false; // the list would fill the first screen
`;
