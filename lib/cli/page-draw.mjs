/* global vega, vegaLite */
// Puts interactive charts in the place of their pictures, in the browser. A chart that cannot be drawn stays a picture.

// One box for all charts says what is under the pointer, or at the place that the arrow keys have reached.
const tip = document.createElement('div');
tip.id = 'tip';
tip.setAttribute('role', 'status');
tip.hidden = true;
document.querySelector('main').append(tip);

function say(value, { x, y }) {
  const lines = typeof value === 'object' ? Object.entries(value).map(([name, text]) => `${name}: ${text}`) : [String(value)];
  tip.textContent = lines.join('\n');
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 20))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 12) : y + 18}px`;
}
function hush() {
  tip.hidden = true;
}

/** The marks of a chart that have something to say, in order, each with the text once. */
function marksOf(box) {
  const marks = [...box.querySelectorAll('svg [role=graphics-symbol]')].filter((mark) => mark.__data__?.tooltip);
  const texts = marks.map((mark) => JSON.stringify(mark.__data__.tooltip));
  return marks.filter((_, i) => texts.indexOf(texts[i]) === i);
}

/** Lets the arrow keys go through the values of a chart. */
function byKeys(box) {
  let at = -1;
  const leave = () => {
    for (const mark of box.querySelectorAll('.at')) mark.classList.remove('at');
    hush();
  };
  box.tabIndex = 0;
  box.setAttribute('aria-keyshortcuts', 'ArrowRight ArrowLeft Home End Escape');
  box.addEventListener('focus', () => {
    if (box.matches(':focus-visible')) say('← → go through the values', { x: box.getBoundingClientRect().left, y: box.getBoundingClientRect().top });
  });
  box.addEventListener('blur', leave);
  box.addEventListener('keydown', (event) => {
    const marks = marksOf(box);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (event.key === 'Escape') leave();
    if (to === undefined || marks.length === 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    leave();
    at = Math.max(0, Math.min(marks.length - 1, to));
    const mark = marks[at];
    mark.classList.add('at');
    mark.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
    const { right, top } = mark.getBoundingClientRect();
    say(mark.__data__.tooltip, { x: right, y: top });
  });
}

async function draw(figure) {
  const data = figure.querySelector('script');
  if (!data) return;
  const picture = figure.querySelector('img, p');
  const box = document.createElement('div');
  box.className = 'drawn';
  const tooltip = (_handler, event, _item, value) => {
    if (value === null || value === undefined || value === '') hush();
    else say(value, { x: event.clientX, y: event.clientY });
  };
  const view = new vega.View(vega.parse(vegaLite.compile(JSON.parse(data.textContent)).spec), {
    renderer: 'svg',
    container: box,
    hover: true,
    tooltip,
    logLevel: vega.Error,
  });
  await view.runAsync();
  box.setAttribute('role', 'img'); // one picture with a text, not hundreds of marks
  box.setAttribute('aria-label', picture.alt || picture.textContent);
  byKeys(box);
  picture.replaceWith(box);
}

for (const figure of document.querySelectorAll('figure.chart')) draw(figure).catch(console.error);
addEventListener('scroll', () => document.activeElement?.classList.contains('drawn') || hush(), { passive: true });
