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

/** The points of a line or area, which Vega draws as one mark and speaks of by its first point; of other marks the mark itself. */
function pointsOf(item) {
  return /^(line|area|trail)$/.test(item.mark.marktype) ? item.mark.items : [item];
}

/** The marks of a chart that have something to say; lines after the dots on them. */
function marksOf(box) {
  const marks = [...box.querySelectorAll('svg [role=graphics-symbol]')].filter((mark) => mark.__data__?.tooltip);
  const isLine = (mark) => pointsOf(mark.__data__).length > 1;
  return [...marks.filter((mark) => !isLine(mark)), ...marks.filter(isLine)];
}

const REACH = 14; // pixels: a line is thin

/** What a chart says of the place that the pointer is at: of a line, that of the point next to it. Undefined where nothing is near. */
function saidAt(box, { target, clientX, clientY }) {
  const own = target.__data__?.tooltip ? target : undefined;
  if (own && pointsOf(own.__data__).length === 1) return own.__data__.tooltip;
  let [said, least] = [undefined, own ? Number.POSITIVE_INFINITY : REACH];
  for (const mark of own ? [own] : marksOf(box)) {
    const points = pointsOf(mark.__data__);
    if (points.length === 1) continue;
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(mark.getScreenCTM().inverse());
    for (const point of points) {
      const distance = own ? Math.abs(point.x - x) : Math.hypot(point.x - x, point.y - y);
      if (distance < least) [said, least] = [point.tooltip, distance];
    }
  }
  return said;
}

const STEPS = 60; // through a line of more points

/** The places of a chart that have something to say, in order, and each text once. */
function placesOf(box) {
  const places = marksOf(box).flatMap((mark) => {
    const points = pointsOf(mark.__data__);
    const stride = Math.max(1, (points.length - 1) / STEPS);
    const chosen = points.filter((_, i) => Math.floor(i / stride) !== Math.floor((i - 1) / stride) || i === points.length - 1);
    return chosen.map((point) => ({ mark, point, said: point.tooltip }));
  });
  const texts = places.map(({ said }) => JSON.stringify(said));
  return places.filter((_, i) => texts.indexOf(texts[i]) === i);
}

/** Where a place is in the window. */
function positionOf({ mark, point }) {
  if (pointsOf(point).length > 1) return new DOMPoint(point.x, point.y).matrixTransform(mark.getScreenCTM());
  const { right, top } = mark.getBoundingClientRect();
  return { x: right, y: top };
}

/** Says what is under the pointer. */
function byPointer(box) {
  box.addEventListener('pointermove', (event) => {
    const said = saidAt(box, event);
    if (said) say(said, { x: event.clientX, y: event.clientY });
    else hush();
  });
  box.addEventListener('pointerdown', (event) => {
    const said = saidAt(box, event); // a finger does not move
    if (said) say(said, { x: event.clientX, y: event.clientY });
  });
  box.addEventListener('pointerleave', hush);
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
    if (event.key === 'Escape') leave();
    const places = placesOf(box);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: places.length - 1 }[event.key];
    if (to === undefined || places.length === 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    leave();
    at = Math.max(0, Math.min(places.length - 1, to));
    const { mark, said } = places[at];
    mark.classList.add('at');
    mark.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
    say(said, positionOf(places[at]));
  });
}

async function draw(figure) {
  const data = figure.querySelector('script');
  if (!data) return;
  const picture = figure.querySelector('img, p');
  const box = document.createElement('div');
  box.className = 'drawn';
  const view = new vega.View(vega.parse(vegaLite.compile(JSON.parse(data.textContent)).spec), {
    renderer: 'svg',
    container: box,
    hover: true,
    tooltip: () => {}, // see byPointer
    logLevel: vega.Error,
  });
  await view.runAsync();
  box.setAttribute('role', 'img'); // one picture with a text, not hundreds of marks
  box.setAttribute('aria-label', picture.alt || picture.textContent);
  byPointer(box);
  byKeys(box);
  picture.replaceWith(box);
}

for (const figure of document.querySelectorAll('figure.chart')) draw(figure).catch(console.error);
addEventListener('scroll', () => document.activeElement?.classList.contains('drawn') || hush(), { passive: true });
