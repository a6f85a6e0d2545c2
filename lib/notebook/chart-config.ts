/**
 * Colours that stay apart for every common kind of colour blindness (Okabe and Ito, 2008), the strongest first; yellow, hard to see on white, is left
 * out.
 */
export const palette: readonly string[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

const black = '#000000';
/** The grey of axes and notes. */
export const grey = '#555555';

/** Width and height of a chart's plot, in pixels, where the chart does not say otherwise. */
export const plotSize = { width: 520, height: 300 };

/**
 * Vega-Lite configuration of every chart. The background is white, not transparent: black text on a dark theme could not be read; and every text has its
 * colour, since a dark theme would make white what has none. Limits, in pixels, keep long names from squeezing the chart; outside a browser Vega takes a
 * letter for wider than it is, so that a limit of 300 leaves about 34 letters.
 */
export const chartConfig: Record<string, unknown> = {
  background: '#ffffff',
  font: 'DejaVu Sans, Verdana, sans-serif',
  padding: 10,
  view: { continuousWidth: plotSize.width, continuousHeight: plotSize.height, stroke: '#dddddd' },
  title: { limit: 1200, anchor: 'start', fontSize: 14, fontWeight: 'bold', color: black, offset: 12, subtitleFontSize: 11, subtitleColor: grey },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelColor: '#333333',
    titleColor: '#333333',
    gridColor: '#e8e8e8',
    domainColor: '#999999',
    tickColor: '#999999',
    labelLimit: 300,
    labelSeparation: 4,
    titleLimit: 500,
  },
  header: { labelFontSize: 12, titleFontSize: 12, labelColor: black, titleColor: black },
  legend: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: 'normal', labelColor: black, titleColor: black, labelLimit: 220, titleLimit: 220 },
  text: { fontSize: 11, color: black },
  bar: { color: palette[0] },
  rect: { color: palette[0] },
  line: { color: palette[0], strokeWidth: 2 },
  area: { color: palette[0] },
  point: { color: palette[0], filled: true, size: 40 },
  circle: { color: palette[0], size: 40 },
  rule: { color: grey },
  range: { category: palette, diverging: { scheme: 'blueorange' }, heatmap: { scheme: 'blues' }, ramp: { scheme: 'blues' } },
};
