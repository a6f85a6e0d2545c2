import { chartFont } from '../font.js';

/**
 * The sides of a point on which its label may stand, as Vega-Lite's text marks; the first free one
 * is taken.
 */
export const sides: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  right: { align: 'left', baseline: 'middle', dx: 6 },
  left: { align: 'right', baseline: 'middle', dx: -6 },
  top: { align: 'center', baseline: 'bottom', dy: -5 },
  bottom: { align: 'center', baseline: 'top', dy: 6 },
};

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const FONT_SIZE = 11;
const HEIGHT = 14;
const GAP = 4; // between labels side by side, which would read as one; also what other fonts are wider
const DOT = 4;
const MAX_LABELS = 80; // more is a wall of text

/**
 * Chooses a side for the label of each point so that labels cover neither each other nor the
 * points, greedily in the order given.
 * @param points positions from 0 to 1, y upwards
 * @param size of the plot, in pixels
 * @returns a side for each point; undefined for those whose label found no room
 */
export function placeLabels(
  points: readonly { x: number; y: number; text: string }[],
  size: { width: number; height: number },
): (string | undefined)[] {
  const dots = points.map(({ x, y }) => {
    const [px, py] = [x * size.width, (1 - y) * size.height];
    return { left: px - DOT, right: px + DOT, top: py - DOT, bottom: py + DOT };
  });
  const taken: Box[] = [];
  return points.map(({ text }, i) => {
    if (text === '' || taken.length >= MAX_LABELS) return undefined;
    const width = chartFont().regular.width(text, FONT_SIZE) + GAP;
    const side = Object.keys(sides).find((name) => {
      const box = around(dots[i], name, width);
      const inside =
        box.left >= 0 && box.right <= size.width && box.top >= 0 && box.bottom <= size.height;
      return (
        inside &&
        !taken.some((other) => overlap(box, other)) &&
        !dots.some((dot, j) => j !== i && overlap(box, dot))
      );
    });
    if (side) taken.push(around(dots[i], side, width));
    return side;
  });
}

function around(dot: Box, side: string, width: number): Box {
  const x = (dot.left + dot.right) / 2;
  const y = (dot.top + dot.bottom) / 2;
  if (side === 'right')
    return { left: x + 6, right: x + 6 + width, top: y - HEIGHT / 2, bottom: y + HEIGHT / 2 };
  if (side === 'left')
    return { left: x - 6 - width, right: x - 6, top: y - HEIGHT / 2, bottom: y + HEIGHT / 2 };
  const top = side === 'top' ? y - 5 - HEIGHT : y + 6;
  return { left: x - width / 2, right: x + width / 2, top, bottom: top + HEIGHT };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
