/**
 * Colours that stay apart for every common kind of colour blindness, the strongest first: those of
 * Okabe and Ito (2008), without yellow, hard to see on white, and with a violet in the place of
 * black, which cannot be seen in the dark.
 */
export const palette: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#9944ff',
];

const black = '#000000';
/** The grey of notes. */
export const grey = '#555555';

/** Width and height of a chart's plot, in pixels, where the chart does not say otherwise. */
export const plotSize = { width: 520, height: 300 };

/**
 * Vega-Lite configuration of every chart: sizes, and the colours of what is data. Limits, in
 * pixels, keep long names from squeezing the chart; outside a browser Vega takes a letter for wider
 * than it is, so that a limit of 300 leaves about 34 letters.
 */
export const chartConfig: Record<string, unknown> = {
  font: 'DejaVu Sans, Verdana, sans-serif',
  padding: 10,
  view: { continuousWidth: plotSize.width, continuousHeight: plotSize.height },
  title: {
    limit: 1200,
    anchor: 'start',
    fontSize: 14,
    fontWeight: 'bold',
    offset: 12,
    subtitleFontSize: 11,
  },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelLimit: 300,
    labelSeparation: 4,
    titleLimit: 500,
  },
  header: { labelFontSize: 12, titleFontSize: 12 },
  legend: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelLimit: 220,
    titleLimit: 220,
  },
  text: { fontSize: 11, color: { expr: "luminance(background) < 0.4 ? '#ffffff' : '#000000'" } }, // no theme has a colour for them
  bar: { color: palette[0] },
  rect: { color: palette[0] },
  line: { color: palette[0], strokeWidth: 2 },
  area: { color: palette[0] },
  point: { color: palette[0], filled: true, size: 40 },
  circle: { color: palette[0], size: 40 },
  rule: { color: '#888888' },
  range: {
    category: palette,
    diverging: { scheme: 'blueorange' },
    heatmap: { scheme: 'blues' },
    ramp: { scheme: 'blues' },
  },
};

/**
 * The colours of everything else, for a chart on white: a picture, a page. A front end has its own,
 * those of its theme: JupyterLab and VS Code put vega-embed's theme "dark", white text on dark
 * grey, beneath a chart that has none.
 */
export const paperConfig: Record<string, unknown> = {
  background: '#ffffff',
  view: { stroke: '#dddddd' },
  title: { color: black, subtitleColor: grey },
  axis: {
    labelColor: '#333333',
    titleColor: '#333333',
    gridColor: '#e8e8e8',
    domainColor: '#999999',
    tickColor: '#999999',
  },
  header: { labelColor: black, titleColor: black },
  legend: { labelColor: black, titleColor: black },
  text: { color: black },
};
