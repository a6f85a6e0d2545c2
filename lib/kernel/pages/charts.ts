import { readFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { onPaper } from '../../recital/display/chart-render.js';
import { escapeHtml } from '../../recital/display/html.js';
import { type CellOutput, joined, type Notebook } from '../run/notebook-file.js';
import { inline, inlineModule } from './scripts.js';

const VEGA_LITE = 'application/vnd.vegalite.v5+json';
/**
 * The share of its width that a chart keeps on a narrow screen; a smaller one could not be read.
 * What is beyond the edge is reached by scrolling.
 */
const LEAST = 0.75;

/** The two forms of a chart: the one that can be asked, and the one that is always seen. */
export type ChartForm = 'specification' | 'picture';

/** Forms of charts that a page does without. */
export type LeftOut = ReadonlyMap<CellOutput, ChartForm>;

/**
 * A chart or picture of an output: the PNG, and beside it the specification from which the page's
 * script draws the interactive chart.
 */
export function chartFigure(
  output: CellOutput,
  leftOut?: ChartForm,
): { html: string; interactive: boolean } {
  const data = output.data ?? {};
  const { specification, picture } = formsOf(output);
  const alt = escapeHtml(joined(data['text/plain']).replace(/^\[([\s\S]*)\]$/, '$1'));
  const { width, height } = (output.metadata?.['image/png'] ?? {}) as {
    width?: number;
    height?: number;
  };
  const size =
    width && height ? ` width="${Math.round(width)}" height="${Math.round(height)}"` : '';
  const seen =
    picture && leftOut !== 'picture'
      ? `<img alt="${alt}"${size} src="data:image/png;base64,${picture}">`
      : `<p>${alt}</p>`;
  if (!specification) return { html: `<figure>${seen}</figure>`, interactive: false }; // other pictures keep their colours in the dark
  const figure = `<figure class="chart"${width ? ` style="--least:${Math.round(LEAST * width)}px"` : ''}>${seen}`;
  if (leftOut === 'specification') return { html: `${figure}</figure>`, interactive: false };
  return {
    html: `${figure}<script type="application/json">${specification}</script></figure>`,
    interactive: true,
  };
}

/** The forms that an output of a notebook has as a page holds them; empty ones are not there. */
function formsOf({ data = {} }: CellOutput): Record<ChartForm, string> {
  const spec = data[VEGA_LITE];
  const isChart = typeof spec === 'object' && spec !== null;
  return {
    specification: isChart
      ? JSON.stringify(onPaper(spec as Record<string, unknown>)).replaceAll('<', '\\u003c')
      : '', // a title with </script> must not end the script
    picture: joined(data['image/png']).replace(/\s/g, ''),
  };
}

/**
 * What a page of `bytes` must do without to have at most `most`: the largest forms first, but of no
 * chart both. Where that is not enough, all of the charts are left to their pictures, and the
 * library that draws them is not needed.
 */
export function leaveOut(
  { cells }: Notebook,
  { bytes, most }: { bytes: number; most: number },
): LeftOut {
  const charts = cells
    .flatMap(({ outputs = [] }) => outputs)
    .filter(({ data = {} }) => VEGA_LITE in data && 'image/png' in data);
  const forms = charts.flatMap((output) =>
    Object.entries(formsOf(output)).map(([form, text]) => ({
      output,
      form: form as ChartForm,
      bytes: Buffer.byteLength(text),
    })),
  );
  const chosen = new Map<CellOutput, ChartForm>();
  let left = bytes;
  for (const { output, form, bytes: size } of forms.sort((a, b) => b.bytes - a.bytes)) {
    if (left <= most) break;
    if (chosen.has(output)) continue;
    chosen.set(output, form);
    left -= size;
  }
  return left <= most ? chosen : new Map(charts.map((output) => [output, 'specification']));
}

/**
 * The scripts that put interactive charts in the place of the pictures. If one cannot be drawn its
 * picture stays.
 */
export function chartScripts(): string {
  const file = (name: string, path: string): string =>
    readFileSync(join(dirname(require.resolve(`${name}/package.json`)), path), 'utf8');
  return (
    inline(file('vega', 'build/vega.min.js')) +
    inline(file('vega-lite', 'build/vega-lite.min.js')) +
    inlineModule('draw.mjs')
  );
}

/** Pictures that a Markdown cell brings along: by name, in base64 by MIME type (nbformat 4). */
export type Attachments = Record<string, Record<string, string>>;

const types: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.svg': 'image/svg+xml',
};

/**
 * A picture that a Markdown cell names, as an address that holds the picture itself; undefined for
 * one that is not here: a page asks for nothing.
 * @param href `attachment:NAME`, a path from the folder, or an address
 */
export function pictureData(
  href: string,
  { attachments = {}, folder }: { attachments?: Attachments; folder?: string },
): string | undefined {
  if (/^data:image\/[\w.+-]+[;,]/i.test(href)) return href.replace(/["<>]/g, encodeURIComponent);
  if (href.startsWith('attachment:')) {
    const [type, data] =
      Object.entries(attachments[decoded(href.slice('attachment:'.length))] ?? {})[0] ?? [];
    return type && data ? dataUri(type, Buffer.from(data, 'base64')) : undefined;
  }
  const type = types[extname(decoded(href)).toLowerCase()];
  if (/^([a-z]+:|\/\/)/i.test(href) || !type || folder === undefined) return undefined;
  try {
    return dataUri(type, readFileSync(resolve(folder, decoded(href))));
  } catch {
    return undefined; // not there: the text stands for it, as a link
  }
}

function dataUri(type: string, data: Buffer): string {
  return `data:${type.replace(/[^\w/.+-]/g, '')};base64,${data.toString('base64')}`;
}

function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}
