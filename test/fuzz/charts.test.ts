import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { correlation } from '../../lib/recital/data/explore.js';
import { Chart } from '../../lib/recital/data/output.js';
import { type Column, Table } from '../../lib/recital/data/table.js';
import { chartSvg, saveChart, vegaLiteSpec } from '../../lib/recital/display/chart-render.js';
import { barChart, histogram } from '../../lib/recital/display/charts/bars.js';
import type { AxisScale } from '../../lib/recital/display/charts/common.js';
import { heatmap } from '../../lib/recital/display/charts/heatmap.js';
import { lineChart } from '../../lib/recital/display/charts/line-chart.js';
import { scatter } from '../../lib/recital/display/charts/scatter.js';
import { tableHtml } from '../../lib/recital/display/html.js';
import { html } from '../../lib/recital/display/show.js';
import { ArgumentError } from '../../lib/recital/errors.js';
import { TemporaryFolder } from '../recital/data/temporary.js';
import {
  answered,
  anything,
  asked,
  expectFinite,
  mostly,
  numbers,
  runs,
  sparse,
  texts,
} from '../support/hostile.js';

const length = 5;
const value = mostly([0, 1, 2, 3, 10, 0.5], numbers);
const column: fc.Arbitrary<Column> = fc
  .array(value, { minLength: length, maxLength: length })
  .map((v) => Float64Array.from(v));
const words: fc.Arbitrary<Column> = fc.array(mostly(['a', 'b', 'c', 'd', 'e'], texts), {
  minLength: length,
  maxLength: length,
});
const names = ['x', 'y', '__proto__', 'constructor', 'name'];
const table = fc
  .tuple(column, column, column, column, words)
  .map((columns) => new Table(new Map(columns.map((c, i): [string, Column] => [names[i], c]))));
const name = mostly(names, texts);
const scale = mostly<AxisScale>(['linear', 'log'], texts as fc.Arbitrary<AxisScale>);
const title = texts.filter((text) => text !== 'NaN');
const shared = {
  title: mostly(['title'], texts),
  xTitle: texts,
  yTitle: texts,
  xScale: scale,
  yScale: scale,
};

/** Every number of a specification: Vega takes what is not finite for zero, or for nothing. */
function expectNumbers(spec: unknown): void {
  if (typeof spec === 'number') expectFinite(spec);
  else if (typeof spec === 'object' && spec !== null)
    for (const part of Object.values(spec)) expectNumbers(part);
}

function drawn(answer: ReturnType<typeof asked<Chart>>): void {
  answered(answer, (chart) => {
    expectNumbers(chart.spec);
    const text = JSON.stringify(chart.spec);
    expect(chart.alt).to.match(/\w/);
    if (!/"-?(NaN|Infinity)"/.test(text)) expect(chart.alt).to.not.match(/NaN|undefined|Infinity/);
  });
}

/**
 * Names that have been taken for something else: properties of every object, ends of a text in a
 * program, paths into an object, markup.
 */
const hard = [
  'constructor',
  'toString',
  '__proto__',
  'hasOwnProperty',
  '12" single',
  'a\nb',
  'a\r',
  'a\u2028b',
  'a\\',
  '\\"',
  "it's",
  'a.b',
  'a[0]',
  '"+alert(1)+"',
  '</script>',
];

/** Charts of every kind, with two names wherever there can be names. */
function chartsNamed(a: string, b: string): Chart[] {
  const table = new Table(
    new Map<string, Column>([
      [a, Float64Array.of(3, 5, 4)],
      [b, Float64Array.of(1, 2, 3)],
      [`${a}${b}c`, [a, b, 'c']],
    ]),
  );
  const text = `${a}${b}c`;
  return [
    lineChart(table, { x: b, y: a }),
    lineChart(table, { x: a, y: [a, b] }),
    barChart(table, { x: text, y: a }),
    barChart(table, { x: a, y: text }),
    histogram(table, a),
    histogram(table, [a, b]),
    scatter(table, { x: a, y: b, label: text, color: text, tooltip: [a, b], title: a }),
    scatter(table, { x: a, y: b, label: a, color: b, xTitle: b, yTitle: a }),
    heatmap({ labels: [a, b], values: [1, 0, 0, 1] }, { title: a }),
    new Chart(
      {
        data: { values: [{ x: a, y: 1, s: b }] },
        mark: 'bar',
        encoding: {
          x: { field: 'x', type: 'nominal' },
          y: { field: 'y', type: 'quantitative', title: a },
          color: { field: 's' },
        },
      },
      a,
      b,
    ),
  ];
}

/**
 * The words of the programs that Vega makes of a chart: functions, variables and their parts, but
 * no texts.
 */
function programWords(chart: Chart): Set<string> {
  const vegaLite = require('vega-lite') as { compile(spec: object): { spec: object } };
  interface Node {
    type: string;
    name?: string;
    visit(visitor: (node: Node) => void): void;
  }
  const { parseExpression } = require('vega-expression') as { parseExpression(code: string): Node };
  const words = new Set<string>();
  const look = (part: unknown, key = ''): void => {
    if (typeof part === 'object' && part !== null)
      for (const [name, value] of Object.entries(part)) look(value, name);
    else if (typeof part === 'string' && ['signal', 'expr', 'test', 'update', 'init'].includes(key))
      parseExpression(part).visit(
        ({ type, name }) => void words.add(type === 'Identifier' ? String(name) : type),
      );
  };
  look(vegaLite.compile(vegaLiteSpec(chart)).spec);
  return words;
}

describe('hostile values in charts', () => {
  it('a chart of numbers that says what it shows, or an error of ours', () => {
    fc.assert(
      fc.property(
        table,
        fc.record({ x: name, y: name, ...shared }, { requiredKeys: ['x', 'y', 'title'] }),
        sparse({ label: name, color: name, tooltip: fc.array(name, { maxLength: 2 }) }),
        sparse({
          limit: mostly([1, 3], numbers),
          sort: fc.constantFrom('value' as const, 'table' as const),
          bins: mostly([1, 10, 30], numbers),
        }),
        (t, options, marks, size) => {
          drawn(asked(() => scatter(t, { ...options, ...marks })));
          drawn(asked(() => lineChart(t, { ...options, y: [options.y, 'y'] })));
          const { x, y, title, xTitle, yTitle } = options;
          drawn(
            asked(() =>
              barChart(t, { x, y, title, xTitle, yTitle, sort: size.sort, limit: size.limit }),
            ),
          );
          drawn(
            asked(() =>
              histogram(t, [options.x, options.y], {
                title: options.title,
                scale: options.xScale,
                bins: size.bins,
              }),
            ),
          );
        },
      ),
      runs(250),
    );
  });

  it('histograms count every value, once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(numbers, fc.double({ min: 0.1, max: 1e6, noNaN: true })), {
          minLength: 1,
          maxLength: 8,
        }),
        scale,
        fc.integer({ min: 1, max: 40 }),
        (values, s, bins) => {
          answered(
            asked(() =>
              histogram(new Table({ x: Float64Array.from(values) }), 'x', {
                title: 't',
                scale: s,
                bins,
              }),
            ),
            ({ spec }) => {
              const { values: counted } = (
                spec as { data: { values: { from: number; to: number; count: number }[] } }
              ).data;
              const shown = values.filter((v) => Math.abs(v) <= 1e300);
              expect(counted.reduce((n, bin) => n + bin.count, 0)).to.equal(shown.length);
              for (const { from, to } of counted)
                expect(to, JSON.stringify(values)).to.be.above(from);
            },
          );
        },
      ),
      runs(600),
    );
  });

  it('heatmaps', () => {
    fc.assert(
      fc.property(
        fc.array(texts, { maxLength: 4 }),
        fc.option(fc.array(texts, { maxLength: 3 }), { nil: undefined }),
        fc.array(mostly([0, 0.5, -1], numbers), { maxLength: 12 }),
        sparse({
          domain: fc.tuple(mostly([-1], numbers), mostly([1], numbers)),
          decimals: mostly([0, 2], numbers),
        }),
        table,
        (labels, columnLabels, values, options, t) => {
          drawn(asked(() => heatmap({ labels, columnLabels, values }, { title: 't', ...options })));
          drawn(
            asked(() =>
              heatmap(
                { labels, values: labels.flatMap(() => labels.map(() => 0.5)) },
                { title: 't', ...options },
              ),
            ),
          );
          answered(
            asked(() => correlation(t).table),
            (r) => drawn(asked(() => heatmap(r, { title: 't' }))),
          );
        },
      ),
      runs(250),
    );
  });

  it('what is drawn by Vega', () => {
    fc.assert(
      fc.property(
        table,
        fc.constantFrom('x', 'y'),
        fc.constantFrom('x', 'y'),
        title,
        scale,
        (t, x, y, above, s) => {
          for (const make of [
            () => scatter(t, { x, y, title: above, label: 'name', color: 'name', xScale: s }),
            () => lineChart(t, { x, y, title: above, yScale: s }),
            () => barChart(t, { x, y: 'name', title: above }),
            () => histogram(t, x, { title: above, scale: s }),
          ]) {
            const chart = asked(make);
            if (!('value' in chart)) continue;
            const svg = asked(() => chartSvg(chart.value));
            if ('error' in svg) expect.fail(svg.error.message);
            expect(svg.value).to.not.match(/NaN|<(b|i|script)>/);
            const [width, height] = (/width="([\d.]+)" height="([\d.]+)"/.exec(svg.value) ?? [])
              .slice(1)
              .map(Number);
            expect(width, JSON.stringify(above)).to.be.within(50, 2000); // however long names and titles are
            expect(height).to.be.within(50, 2000);
          }
        },
      ),
      runs(8),
    );
  });

  it('columns and categories of any names: every chart is drawn, and what they are called is nowhere a part of a program', async () => {
    const late: unknown[] = [];
    const failed = (error: unknown): void => void late.push(error);
    const before = process.rawListeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', failed);
    const named = fc
      .oneof(fc.constantFrom(...hard), texts, fc.string({ maxLength: 8 }))
      .filter((text) => !/NaN/.test(text));
    const words = new Set(
      chartsNamed('first', 'second').flatMap((chart) => [...programWords(chart)]),
    );
    expect(words.size).to.be.above(10);
    await fc.assert(
      fc.asyncProperty(named, named, async (a, b) => {
        fc.pre(a !== b && a.trim() !== b.trim());
        for (const [i, chart] of chartsNamed(a, b).entries()) {
          expect(chartSvg(chart).length, JSON.stringify([a, b, i])).to.be.above(3000);
          for (const word of programWords(chart)) expect(words.has(word), word).to.equal(true);
        }
        await new Promise((done) => setImmediate(done)); // what Vega reports late
        expect(late).to.deep.equal([]);
      }),
      { ...runs(25), examples: hard.map((text): [string, string] => [text, 'x']) },
    );
    process.removeAllListeners('unhandledRejection');
    for (const listener of before) process.on('unhandledRejection', listener as () => void);
  });

  it('one row, constant columns, and nothing but what is no number: a picture, or an error that says what is missing', () => {
    const hostile = ['<script>alert(1)</script>', 'Sigur Rós — '.repeat(400), '', '\n'];
    for (const x of [5, 1e-320, -1e300, NaN, -Infinity]) {
      for (const n of [0, 1, 3]) {
        const column = new Float64Array(n).fill(x);
        const t = new Table({
          x: column,
          y: column,
          name: Array.from({ length: n }, (_, i) => `${hostile[i]}${i}`),
        });
        const options = {
          x: 'x',
          y: 'y',
          title: hostile[n],
          xTitle: hostile[1],
          yTitle: hostile[0],
        };
        for (const make of [
          () => scatter(t, { ...options, label: 'name', color: 'name' }),
          () => lineChart(t, options),
          () => barChart(t, { ...options, y: 'name' }),
          () => barChart(t, { ...options, x: 'name' }),
          () => histogram(t, ['x', 'y'], { title: options.title, yTitle: options.yTitle }),
        ]) {
          const nothing = n === 0 || !Number.isFinite(x);
          if (nothing) expect(make).to.throw(ArgumentError, 'nothing to draw');
          else
            expect(chartSvg(make()))
              .to.match(/^<svg/)
              .and.not.match(/NaN|<script>/);
        }
      }
    }
  });

  it('values of the wrong type', () => {
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        const options = { x: 'x', y: 'y', title: 't' };
        for (const make of [scatter, lineChart, barChart]) {
          asked(() => make(a as Table, options));
          asked(
            () =>
              make(new Table({ x: Float64Array.of(1), y: Float64Array.of(2) }), {
                ...options,
                y: b as string,
              }),
            { types: true },
          );
        }
        asked(() => histogram(a as Table, 'x', { title: 't' }));
        asked(() => heatmap(a as Table, { title: 't' }), { types: true });
        expect(() => chartSvg(new Chart({ mark: a, data: b }, 't', 'a'))).to.throw(
          ArgumentError,
          'Its spec must be Vega-Lite 5',
        );
      }),
      runs(40),
    );
  });
});

describe('hostile values on the page', () => {
  it('tables as HTML: nothing of a cell or a name is markup', () => {
    fc.assert(
      fc.property(table, texts, texts, (t, title, markup) => {
        const page = tableHtml(
          t.withColumn(`<i>${title}`, Array(length).fill(`<script>${title}`)),
          { title: `<b>${title}` },
        );
        expect(page).to.not.match(/<script>|<b>|<i>/);
        expect(html(markup).text).to.be.a('string');
      }),
      runs(200),
    );
  });

  const folder = new TemporaryFolder();

  it('names of pictures: a whole file, or none', () => {
    const chart = new Chart(
      { data: { values: [{ a: 1 }] }, mark: 'point', encoding: { x: { field: 'a' } } },
      't',
      'a',
    );
    fc.assert(
      fc.property(texts, anything, (one, wrong) => {
        asked(() => saveChart(chart, path.join(folder.path, `${one.replaceAll('..', '')}.svg`)));
        asked(() => saveChart(chart, path.join(folder.path, 'no', 'such', 'folder.png')));
        asked(() => saveChart(chart, wrong as string));
      }),
      runs(15),
    );
    const left = readdirSync(folder.path, { recursive: true }).map(String);
    expect(left.filter((file) => !file.endsWith('.svg'))).to.deep.equal([]);
  });
});
