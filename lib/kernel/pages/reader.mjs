// The script of every page, in the browser. Without it everything can be read as well.

// The theme: that of the system, until the reader chooses the other one; remembered where the
// browser stores anything.
const dark = document.getElementById('dark');
const bySystem = 'screen and (prefers-color-scheme: dark)';
const system = matchMedia('(prefers-color-scheme: dark)');
const theme = document.getElementById('theme');
const isDark = () => matchMedia(dark.media).matches;
const nameTheme = () => {
  theme.textContent = isDark() ? 'Light' : 'Dark';
  theme.title = `${theme.textContent} colours`;
};
theme.onclick = () => {
  const wanted = !isDark();
  const chosen = wanted === system.matches ? undefined : wanted ? 'dark' : 'light';
  dark.media = chosen === undefined ? bySystem : wanted ? 'screen' : 'not all';
  nameTheme();
  try {
    if (chosen) localStorage.setItem('recital-theme', chosen);
    else localStorage.removeItem('recital-theme');
  } catch {} // it holds for this page then
};
system.addEventListener('change', nameTheme);
theme.hidden = false;
nameTheme();

// The code: each cell by itself, or all of them.
const fold = document.getElementById('fold');
const cells = [...document.querySelectorAll('details.source')];
const nameFold = () => {
  fold.textContent = cells.some((cell) => cell.open) ? 'Hide code' : 'Show code';
};
fold.onclick = () => {
  const open = fold.textContent === 'Show code';
  for (const cell of cells) cell.open = open;
  nameFold();
};
for (const cell of cells) cell.addEventListener('toggle', nameFold);
fold.hidden = cells.length === 0;

// The contents: beside the text where there is room, else a list that opens over it.
const contents = document.querySelector('nav details');
const links = [...document.querySelectorAll('nav ol a')];
if (contents) {
  const wide = matchMedia('(min-width: 75rem)');
  const place = () => {
    contents.open = wide.matches;
  };
  const close = () => {
    if (!wide.matches) contents.open = false;
  };
  wide.addEventListener('change', place);
  place();
  for (const link of links) link.addEventListener('click', close);
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !contents.open || wide.matches) return;
    close();
    contents.querySelector('summary').focus();
  });
  document.addEventListener('pointerdown', ({ target }) => {
    if (!contents.contains(target)) close();
  });
}

// The section that is read is marked in them: the last one whose heading has passed the upper part
// of the window.
const headings = links.map((link) =>
  document.getElementById(decodeURIComponent(link.hash.slice(1))),
);
let waiting = false;
const mark = () => {
  waiting = false;
  const limit =
    innerHeight + scrollY < document.documentElement.scrollHeight - 2
      ? innerHeight / 4
      : innerHeight; // at the end the last one that is seen
  const passed = headings.filter((heading) => heading.getBoundingClientRect().top < limit).length;
  const link = links[Math.max(0, passed - 1)];
  if (link.hasAttribute('aria-current')) return;
  for (const other of links) other.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'location');
  const list = link.closest('details > ol');
  const [box, row] = [list.getBoundingClientRect(), link.getBoundingClientRect()];
  list.scrollTop += Math.max(0, row.bottom - box.bottom) + Math.min(0, row.top - box.top);
};
const later = () => {
  if (!waiting) requestAnimationFrame(mark);
  waiting = true;
};
if (links.length) {
  addEventListener('scroll', later, { passive: true });
  addEventListener('resize', later);
  mark();
}

// A box that scrolls must be seen to do so: it has a frame, and what is in it fades where there is
// more.
const edges = (box) => {
  const { scrollLeft, scrollWidth, clientWidth } = box;
  box.classList.toggle('scrolls', scrollWidth > clientWidth);
  box.classList.toggle('before', scrollLeft > 1);
  box.classList.toggle('after', scrollLeft + clientWidth < scrollWidth - 1);
};
// It must be reached by the keyboard, too, and have a name; one that does not scroll would only be
// in its way.
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const attributes = {
      tabindex: '0',
      ...(nameOf(target) && { role: 'group', 'aria-label': nameOf(target) }),
    };
    for (const [key, value] of Object.entries(attributes)) {
      if (target.scrollWidth > target.clientWidth) target.setAttribute(key, value);
      else target.removeAttribute(key);
    }
    edges(target);
  }
});
function nameOf(box) {
  if (box.matches('.error, math')) return ''; // it has a role of its own
  if (box.matches('pre')) return box.matches('.code') ? 'Code' : 'Text';
  return box.matches('figure') ? 'Chart' : 'Table';
}
for (const box of document.querySelectorAll('pre, .html, .wide, figure, math[display=block]')) {
  boxes.observe(box);
  box.addEventListener('scroll', () => edges(box), { passive: true });
}

// A table that is wider than paper is made smaller. Measured on the screen, where its letters are
// larger.
const PAPER = 700; // pixels between the margins of A4 and Letter, and what is lost by rounding
const tables = [...document.querySelectorAll('.html table, .wide table')];
addEventListener('beforeprint', () => {
  for (const table of tables) {
    const width = (table.offsetWidth * 10) / Number.parseFloat(getComputedStyle(table).fontSize); // on paper they have 7.5 points, which are 10 pixels
    if (width > PAPER) table.style.zoom = PAPER / width;
  }
});
addEventListener('afterprint', () => {
  for (const table of tables) table.style.zoom = '';
});
