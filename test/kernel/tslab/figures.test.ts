import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { joined, readNotebook } from '../../../lib/kernel/run/notebook-file.js';
import type { Chart } from '../../../lib/recital/data/output.js';
import { Table } from '../../../lib/recital/data/table.js';
import { chartBundle, vegaLiteSpec } from '../../../lib/recital/display/chart-render.js';
import { tableHtml } from '../../../lib/recital/display/html.js';
import { barChart, histogram, lineChart, scatter } from '../../../lib/recital/display/index.js';
import { resultCharts, tableCharts } from '../../support/charts.js';
import { countPixels, decodePng } from '../../support/png.js';
import { printed } from '../../support/printed.js';

const notebooks = join(__dirname, '../../../notebooks');
const VEGA_LITE = 'application/vnd.vegalite.v5+json';

type Json = { readonly [key: string]: unknown };
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/**
 * Whether the names that stand along an axis say what they are: artists, features, recommenders.
 */
const speaksForItself = (channel: Json): boolean =>
  channel.type === 'nominal' || channel.type === 'ordinal';

/**
 * The axes of a specification that show numbers and have no title where one is due: in a column of
 * panels one of them may speak for all.
 */
function untitled(spec: Json): string[] {
  const parts = ['concat', 'hconcat', 'vconcat', 'layer'].flatMap((key) =>
    Array.isArray(spec[key]) ? (spec[key] as Json[]) : [],
  );
  const units = [spec, ...parts.flatMap((part) => [part, ...((part.layer as Json[]) ?? [])])];
  return (['x', 'y'] as const).filter((name) => {
    const channels = units
      .map((unit) => (isJson(unit.encoding) ? unit.encoding[name] : undefined))
      .filter(isJson);
    const numbers = channels.filter(
      (channel) => channel.field !== undefined && !speaksForItself(channel),
    );
    return (
      numbers.length > 0 && !numbers.some(({ title }) => typeof title === 'string' && title !== '')
    );
  });
}

function expectFigure(spec: Json, png: Buffer, text: string): void {
  expect(spec.title).to.be.a('string').and.not.equal('');
  expect(spec.description).to.match(/^[^\n]{20,}\.$/);
  expect(text).to.equal(`[${spec.title}: ${spec.description}]`);
  expect(untitled(spec), 'axes without a title').to.deep.equal([]);
  const picture = decodePng(png);
  const drawn = countPixels(picture, (r, g, b) => Math.max(r, g, b) - Math.min(r, g, b) > 60); // marks are coloured, axes are not
  expect(drawn).to.be.greaterThan(300);
}

describe('every figure has a title, titled axes, an alternative text and something in it', () => {
  for (const [name, make] of Object.entries({ ...tableCharts, ...resultCharts })) {
    it(name, () => {
      let chart!: Chart;
      printed(() => {
        chart = make();
      });
      let bundle!: Json;
      const warnings = printed(() => {
        bundle = chartBundle(chart).bundle;
      });
      expect(warnings).to.deep.equal([]);
      expectFigure(
        bundle[VEGA_LITE] as Json,
        Buffer.from(String(bundle['image/png']), 'base64'),
        String(bundle['text/plain']),
      );
    });
  }

  for (const file of readdirSync(notebooks).filter((name) => name.endsWith('.ipynb'))) {
    it(`in notebooks/${file}, where GitHub shows the PNG`, () => {
      const outputs = readNotebook(join(notebooks, file)).cells.flatMap(
        (cell) => cell.outputs ?? [],
      );
      for (const { data } of outputs) {
        if (data?.[VEGA_LITE] === undefined) continue;
        const png = Buffer.from(joined(data['image/png']).replace(/\s/g, ''), 'base64');
        expectFigure(data[VEGA_LITE] as Json, png, joined(data['text/plain']));
      }
    });
  }
});

describe('units', () => {
  const table = new Table({
    tempo: [90, 120],
    loudness: [-8, -4],
    duration_ms: [1e5, 2e5],
    energy: [0.1, 0.4],
    track: ['a', 'b'],
  });
  const axes = (chart: Chart): unknown[] => {
    const { encoding } = vegaLiteSpec(chart) as { encoding: Record<'x' | 'y', { title: unknown }> };
    return [encoding.x.title, encoding.y.title];
  };

  it('of the columns of the catalogue stand on the axes, unless the axis is given a title', () => {
    expect(axes(lineChart(table, { x: 'tempo', y: 'loudness' }))).to.deep.equal([
      'tempo (beats a minute)',
      'loudness (dB)',
    ]);
    expect(axes(scatter(table, { x: 'duration_ms', y: 'energy' }))).to.deep.equal([
      'duration_ms (ms)',
      'energy',
    ]);
    expect(axes(barChart(table, { x: 'loudness', y: 'track' }))).to.deep.equal([
      'loudness (dB)',
      'track',
    ]);
    expect(axes(histogram(table, 'tempo'))).to.deep.equal(['tempo (beats a minute)', 'rows']);
    expect(
      axes(lineChart(table, { x: 'tempo', y: 'loudness', xTitle: 'BPM', yTitle: 'loudness' })),
    ).to.deep.equal(['BPM', 'loudness']);
  });
});

// What a front end does with a bundle: it takes the first of its kinds of output that it finds.
const vscodeOrder = [
  /^application\/vnd\./,
  /^text\/html$/,
  /^text\/markdown$/,
  /^image\/png$/,
  /^image\/svg/,
  /^image\/jpeg$/,
  /^application\/json$/,
  /^text\/plain$/,
];
/**
 * What VS Code shows of an output by the rules of its Jupyter extension: its own order of kinds, of
 * those that an installed renderer takes.
 */
function vscodeShows(bundle: Json, renderers: readonly string[]): string | undefined {
  const rank = (mime: string): number => vscodeOrder.findIndex((kind) => kind.test(mime));
  const kinds = Object.keys(bundle).sort((a, b) => rank(a) - rank(b));
  return kinds.find((mime) => renderers.includes(mime));
}

describe('the outputs in VS Code, by the rules of its extensions', () => {
  const builtIn = [
    'text/html',
    'text/markdown',
    'image/png',
    'image/jpeg',
    'image/svg+xml',
    'application/json',
    'text/plain',
  ];
  const withJupyterRenderers = [
    ...builtIn,
    'application/vnd.vegalite.v3+json',
    'application/vnd.vegalite.v4+json',
    VEGA_LITE,
  ];
  const { bundle } = chartBundle(tableCharts['lying bars']());

  it('are interactive charts with the renderers that the Jupyter extension brings, pictures without them', () => {
    expect(vscodeShows(bundle, withJupyterRenderers)).to.equal(VEGA_LITE);
    expect(vscodeShows(bundle, builtIn)).to.equal('image/png');
  });

  it('have what those renderers need: a specification that is an object, its schema of version 5, its data inside', () => {
    const spec = bundle[VEGA_LITE] as Json;
    expect(spec.$schema).to.equal('https://vega.github.io/schema/vega-lite/v5.json');
    expect(JSON.stringify(spec)).not.to.contain('"url"');
    expect(spec).not.to.have.property('background'); // with one the renderer would leave its dark theme out, and the text be black
  });

  it('are tables as HTML with its styles in attributes and its colours from the theme', () => {
    const html = tableHtml(new Table({ track: ['a'], plays: [1] }), { title: 'T' });
    expect(vscodeShows({ 'text/plain': '', 'text/html': html }, builtIn)).to.equal('text/html');
    expect(html).not.to.match(/<(style|script|link)|[^-]color:/);
  });
});
