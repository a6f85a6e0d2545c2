import { extname } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeAtomically } from '../data/files/atomic-write.js';
import type { Chart } from '../data/output.js';
import { ArgumentError } from '../errors.js';
import { visible } from '../printed.js';
import { chartConfig, paperConfig } from './charts/common.js';
import { chartFont } from './font.js';
import type { MimeBundle } from './host.js';
import { escapeHtml } from './html.js';

// Only what is used here: the packages' own types need the DOM and would have to be checked with
// every notebook that imports the library.
interface View {
  run(): View;
  finalize(): void;
  background(): string;
  padding(): { left: number; right: number; top: number; bottom: number };
  scenegraph(): { root: object };
  readonly _viewWidth: number;
  readonly _viewHeight: number;
  readonly _origin: readonly [number, number];
}
interface Vega {
  parse(spec: object): object;
  View: new (runtime: object, options: object) => View;
  SVGStringRenderer: new () => {
    initialize(element: null, width: number, height: number, origin: number[], scale: number): void;
    background(colour: string): void;
    render(root: object): void;
    svg(): string;
  };
  textMetrics: {
    width(
      item: { fontSize?: number; fontWeight?: string | number; limit?: number },
      text: unknown,
    ): number;
  };
  resetSVGClipId(): void;
  resetSVGDefIds(): void;
}
interface VegaLite {
  compile(spec: object): { spec: object };
}
interface Resvg {
  Resvg: new (
    svg: string,
    options: object,
  ) => { render(): { asPng(): Buffer; width: number; height: number } };
}

/**
 * Pixels of the PNG per pixel of the chart, so that it is sharp on fine screens; its size in the
 * page is kept in the metadata.
 */
const SCALE = 2;

interface Tools {
  vega: Vega;
  vegaLite: VegaLite;
  resvg: Resvg;
}
let loaded: Tools | undefined;

/** Vega is loaded by the first chart: a notebook without one does not wait for it. */
function tools(): Tools {
  if (loaded) return loaded;
  const vega = require('vega') as Vega;
  const { regular, bold } = chartFont();
  vega.textMetrics.width = ({ fontSize = 11, fontWeight, limit }, text) => {
    const heavy = fontWeight === 'bold' || Number(fontWeight) >= 600;
    const width = (heavy ? bold : regular).width(String(text ?? ''), fontSize);
    return limit && limit > 0 ? Math.min(limit, width) : width; // a longer text is cut when it is drawn
  };
  loaded = {
    vega,
    vegaLite: require('vega-lite') as VegaLite,
    resvg: require('@resvg/resvg-js') as Resvg,
  };
  return loaded;
}

type Spec = Record<string, unknown>;

/**
 * A logger for Vega that gathers its errors. Vega reports those of the data flow here alone, and
 * would go on with half a picture; what is thrown here would be thrown by a promise that nobody
 * awaits.
 */
function strict(errors: Error[]): object {
  return {
    level: () => 1,
    error: (...messages: unknown[]): void =>
      void errors.push(
        messages.find((message) => message instanceof Error) ??
          new Error(messages.map(String).join(' ')),
      ),
    warn: (...messages: unknown[]): void => console.warn(...messages),
    info: () => undefined,
    debug: () => undefined,
  };
}

/**
 * The complete Vega-Lite specification of a chart as a front end gets it, with title, description
 * and the library's configuration; a chart's own `config` comes on top. Background and text have
 * the colours of the front end's theme, unless the chart gives them others: see {@link onPaper}.
 */
export function vegaLiteSpec(chart: Chart): Spec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    ...(drawableTexts({ title: chart.title, description: chart.alt, ...chart.spec }) as object),
    config: merge(chartConfig, (chart.spec.config ?? {}) as Spec),
  };
}

/** The same specification for white paper, and for a page, which sees to the dark itself. */
export function onPaper(spec: Spec): Spec {
  return {
    background: paperConfig.background,
    ...spec,
    config: merge(paperConfig, (spec.config ?? {}) as Spec),
  };
}

const isBlock = (value: unknown): value is Spec =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The entries of `over` on top of those of `base`; a block of settings such as `axis` keeps those
 * that `over` does not mention.
 */
function merge(base: Spec, over: Spec): Spec {
  const merged = Object.entries(over).map(([key, value]) => [
    key,
    isBlock(value) && isBlock(base[key]) ? { ...(base[key] as object), ...value } : value,
  ]);
  return { ...base, ...Object.fromEntries(merged) };
}

/**
 * A part of a specification without the texts that Vega trips over. A text that is the name of a
 * property of every object (a listener called `constructor`) finds that property where Vega keeps
 * groups by name: it gets a space behind it, which is not seen. A title of an encoding is pasted
 * into a program (that of tooltips and descriptions) between quotation marks, without escapes: its
 * quotation marks, backslashes and line breaks become others that mean nothing there. U+2028 and
 * U+2029, which end a line of a program, are line breaks.
 * @param within the name of the part that it stands in
 */
function drawableTexts(part: unknown, key = '', within = ''): unknown {
  if (typeof part === 'string')
    return REFERENCES.has(key)
      ? part
      : `${part.replace(/[\u2028\u2029]/g, '\n')}${NAMES.has(part) ? '\u00a0' : ''}`;
  if (Array.isArray(part)) return part.map((each) => drawableTexts(each, key, within));
  if (typeof part !== 'object' || part === null || key === 'transform') return part;
  const block = Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, drawableTexts(value, name, key)]),
  );
  if (within !== 'encoding') return block;
  const { title = block.field } = block;
  const plain = Array.isArray(title) ? title.map(withoutQuotes) : withoutQuotes(title);
  return String(plain) === String(block.field) ? block : { ...block, title: plain };
}

/** Names that every object has: `constructor`, `toString`, `__proto__` … */
const NAMES = new Set(Object.getOwnPropertyNames(Object.prototype));
/** Where a text names a column of the data, and so must stay. */
const REFERENCES = new Set(['field', 'groupby', 'as']);

function withoutQuotes(title: unknown): unknown {
  if (typeof title !== 'string') return title;
  const plain = title
    .replaceAll('"', '\u201d')
    .replaceAll('\\', '\u2216')
    .replace(/[\n\r\u2028\u2029]+/g, ' ');
  return NAMES.has(plain) ? `${plain}\u00a0` : plain;
}

/** A chart as SVG. Throws ArgumentError if its specification cannot be drawn. */
export function chartSvg(chart: Chart): string {
  const { vega, vegaLite } = tools();
  vega.resetSVGClipId(); // the same chart gives the same bytes
  vega.resetSVGDefIds();
  const renderer = new vega.SVGStringRenderer();
  const errors: Error[] = [];
  try {
    // Everything here is synchronous, unlike view.toSVG(): a chart appears between the prints
    // before and after it. It is possible because the data is in the specification and nothing has
    // to be loaded.
    const view = new vega.View(vega.parse(vegaLite.compile(onPaper(vegaLiteSpec(chart))).spec), {
      renderer: 'none',
      logger: strict(errors),
    }).run();
    if (errors.length) throw errors[0];
    const { left, right, top, bottom } = view.padding();
    const [x, y] = view._origin;
    const [width, height] = [view._viewWidth + left + right, view._viewHeight + top + bottom];
    renderer.initialize(null, width, height, [left + x, top + y], 1);
    renderer.background(view.background());
    renderer.render(view.scenegraph().root);
    view.finalize();
  } catch (error) {
    throw new ArgumentError(
      `The chart "${chart.title}" cannot be drawn: ${(error as Error).message}. Its spec must be Vega-Lite 5 with its data inside.`,
    );
  }
  const named = renderer
    .svg()
    .replace('<svg ', () => `<svg role="img" aria-label="${escapeHtml(chart.alt)}" `);
  const about = `<title>${escapeHtml(chart.title)}</title><desc>${escapeHtml(chart.alt)}</desc>`;
  return named.replace(/^<svg [^>]*>/, (start) => start + about).replace(notXml, '\ufffd');
}

/** Characters that XML cannot hold in any form, such as a control character in a title. */
const notXml = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/**
 * A chart as PNG, drawn with the fonts that come with the package. `width` and `height` are those
 * it is meant to be shown at.
 */
export function chartPng(chart: Chart): { png: Buffer; width: number; height: number } {
  const svg = chartSvg(chart);
  const { regular, bold } = chartFont();
  const font = {
    fontFiles: [regular.file, bold.file],
    defaultFontFamily: 'DejaVu Sans',
    loadSystemFonts: !regular.covers(svg), // only for what DejaVu lacks, e.g. Japanese titles: it takes time and differs between machines
  };
  const { resvg } = tools();
  const image = new resvg.Resvg(svg, {
    fitTo: { mode: 'zoom', value: SCALE },
    background: '#ffffff',
    font,
  }).render();
  const png = withTexts(image.asPng(), { Title: chart.title, Description: chart.alt });
  return { png, width: image.width / SCALE, height: image.height / SCALE };
}

/**
 * The output of a chart: Vega-Lite for the front ends that draw it (JupyterLab, Notebook 7, VS
 * Code), PNG for the others (classic, GitHub, nbconvert), text for terminals. No HTML: the front
 * ends would prefer it. Where the packages that draw are not installed there is no PNG.
 * @param picture draws the PNG; undefined where it cannot be drawn
 */
export function chartBundle(
  chart: Chart,
  picture = pictureOf,
): { bundle: MimeBundle; metadata: MimeBundle } {
  const spec = { 'application/vnd.vegalite.v5+json': withPoints(vegaLiteSpec(chart)) };
  const text = { 'text/plain': chartText(chart) };
  const drawn = picture(chart);
  if (!drawn) return { bundle: { ...spec, ...text }, metadata: {} };
  const { png, width, height } = drawn;
  return {
    bundle: { ...spec, 'image/png': png.toString('base64'), ...text },
    metadata: {
      'image/png': { width: Math.round(width), height: Math.round(height), alt: chart.alt },
    },
  };
}

/** The PNG of a chart; undefined where the packages that draw are not installed. */
function pictureOf(chart: Chart): ReturnType<typeof chartPng> | undefined {
  try {
    tools();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
  return chartPng(chart);
}

/** A chart as text: its title and what it shows. */
export function chartText({ title, alt }: Chart): string {
  return visible(`[${title}: ${alt}]`, '\n');
}

/** Writes a chart to a file, by the ending of its name: see {@link Chart.save}. */
export function saveChart(chart: Chart, path: string): void {
  const kind = typeof path === 'string' ? extname(path).toLowerCase() : '';
  if (kind !== '.svg' && kind !== '.png')
    throw new ArgumentError(
      `A chart is saved as .svg or .png, got ${typeof path === 'string' ? `"${path}"` : typeof path}.`,
    );
  writeAtomically(path, [kind === '.svg' ? Buffer.from(chartSvg(chart)) : chartPng(chart).png]);
}

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

const HEAD = 8 + 25; // signature and IHDR, which must come first

/**
 * A PNG with texts in it, as `iTXt` chunks in front of the picture: what it shows goes where the
 * file goes.
 * @param png a PNG
 * @param texts by keyword: the specification's are Title, Description, Author, Software …
 */
export function withTexts(png: Buffer, texts: Readonly<Record<string, string>>): Buffer {
  const chunks = Object.entries(texts).map(([keyword, text]) => {
    // Keyword, no compression (two zero bytes), no language, no translated keyword, the text in
    // UTF-8.
    const data = Buffer.from(`iTXt${keyword}${'\0'.repeat(5)}${text}`);
    const chunk = Buffer.alloc(8 + data.length);
    chunk.writeUInt32BE(data.length - 4);
    data.copy(chunk, 4);
    chunk.writeUInt32BE(crc32(data), 4 + data.length);
    return chunk;
  });
  return Buffer.concat([png.subarray(0, HEAD), ...chunks, png.subarray(HEAD)]);
}
