/* global vega, vegaLite */
// Puts interactive charts in the place of their pictures, in the browser. A chart that cannot be
// drawn stays a picture.

// One box for all charts says what is under the pointer, or at the place that the arrow keys have
// reached.
const tip = document.createElement('div');
tip.id = 'tip';
tip.setAttribute('role', 'status');
tip.hidden = true;
document.querySelector('main').append(tip);

function say(value, { x, y }) {
  const lines =
    typeof value === 'object'
      ? Object.entries(value).map(([name, text]) => `${name}: ${text}`)
      : [String(value)];
  tip.textContent = lines.join('\n');
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 20))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 12) : y + 18}px`;
}
function hush() {
  tip.hidden = true;
}

const isPath = (item) => /^(line|area|trail)$/.test(item?.mark?.marktype);

/**
 * The points that an element stands for: of a line or area, which Vega draws as one, all; else
 * itself.
 */
function pointsOf({ __data__: item }) {
  return isPath(item) ? item.mark.items : [item];
}

/** The elements of a chart that have something to say; lines after the dots on them. */
function marksOf(box) {
  const marks = [...box.querySelectorAll('svg [role=graphics-symbol]')].filter(
    (mark) => mark.__data__?.tooltip,
  );
  const isLine = (mark) => pointsOf(mark).length > 1;
  return [...marks.filter((mark) => !isLine(mark)), ...marks.filter(isLine)];
}

/**
 * Where a point of an element is in the window: it is given in the coordinates of its parent.
 */
function positionOf(mark, { x, y }) {
  return new DOMPoint(x, y).matrixTransform(mark.parentNode.getScreenCTM());
}

const REACH = 14; // pixels: lines are thin and dots are small

/**
 * What a chart says of the place that the pointer is at: that of the element there, or of the dot
 * or the point of a line next to it. Undefined where nothing is near.
 */
function saidAt(box, { target, clientX, clientY }) {
  const own = target.__data__;
  if (own?.tooltip && !isPath(own)) return own.tooltip;
  let [said, least] = [undefined, isPath(own) ? Number.POSITIVE_INFINITY : REACH];
  for (const mark of marksOf(box)) {
    const points = pointsOf(mark);
    if (points.length === 1 && points[0].mark.marktype !== 'symbol') continue;
    for (const point of points) {
      const { x, y } = positionOf(mark, point);
      const distance = Math.hypot(clientX - x, clientY - y);
      if (distance < least) [said, least] = [point.tooltip, distance];
    }
  }
  return said;
}

const STEPS = 60; // through a line of more points

/** The places of a chart that have something to say, in order, and each text once. */
function placesOf(box) {
  const places = marksOf(box).flatMap((mark) =>
    pointsOf(mark).map((point) => ({ mark, point, said: point.tooltip })),
  );
  const lines = new Map(); // points that cannot be seen are those of a line
  for (const { mark, point } of places) {
    const key = point.opacity === 0 ? point.mark : mark;
    if (!lines.has(key)) lines.set(key, []);
    lines.get(key).push(point);
  }
  const chosen = new Set();
  for (const points of lines.values()) {
    const stride = Math.max(1, (points.length - 1) / STEPS);
    points.forEach((point, i) => {
      if (Math.floor(i / stride) !== Math.floor((i - 1) / stride) || i === points.length - 1)
        chosen.add(point);
    });
  }
  const texts = new Set();
  return places.filter(({ point, said }) => {
    const text = JSON.stringify(said);
    if (!chosen.has(point) || texts.has(text)) return false;
    return texts.add(text);
  });
}

/** Where a place is spoken of. */
function cornerOf({ mark, point }) {
  if (pointsOf(mark).length > 1 || point.opacity === 0) return positionOf(mark, point);
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
    if (box.matches(':focus-visible'))
      say('← → go through the values', {
        x: box.getBoundingClientRect().left,
        y: box.getBoundingClientRect().top,
      });
  });
  box.addEventListener('blur', leave);
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') leave();
    const places = placesOf(box);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: places.length - 1 }[
      event.key
    ];
    if (to === undefined || places.length === 0 || event.ctrlKey || event.altKey || event.metaKey)
      return;
    event.preventDefault();
    leave();
    at = Math.max(0, Math.min(places.length - 1, to));
    const { mark, said } = places[at];
    mark.classList.add('at');
    mark.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
    say(said, cornerOf(places[at]));
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
addEventListener('scroll', () => document.activeElement?.classList.contains('drawn') || hush(), {
  passive: true,
});
