type Spec = Record<string, unknown>;

const isBlock = (value: unknown): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The same chart with the tooltips of its lines on points of their own, which cannot be seen where
 * the line has none. Vega draws a line as one mark, and a front end would say its first point
 * wherever the pointer is.
 */
export function withPoints(spec: Spec): Spec {
  const deeper = Object.entries(spec).map(([key, value]) => {
    if (['layer', 'concat', 'hconcat', 'vconcat'].includes(key) && Array.isArray(value))
      return [key, value.map((each) => (isBlock(each) ? withPoints(each) : each))];
    return [key, key === 'spec' && isBlock(value) ? withPoints(value) : value];
  });
  const { mark, encoding, ...rest } = Object.fromEntries(deeper) as Spec;
  const line = isBlock(mark) ? mark : { type: mark };
  if (line.type !== 'line' || !isBlock(encoding) || encoding.tooltip === undefined)
    return Object.fromEntries(deeper) as Spec;
  const { point, ...plain } = line;
  const { tooltip, ...others } = encoding;
  const shared = isBlock(point) || point === true ? others : { x: others.x, y: others.y }; // points that are not seen have no colour, nor a place in the legend
  const seen = point === true ? {} : isBlock(point) ? point : { opacity: 0 };
  return {
    ...rest,
    encoding: shared,
    layer: [
      { mark: plain, encoding: others },
      { mark: { type: 'point', filled: true, ...seen }, encoding: { tooltip } },
    ],
  };
}
