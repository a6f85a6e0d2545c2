import '../../../lib/recital/display/index.js';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as vega from 'vega';
import { compile } from 'vega-lite';
import { Chart } from '../../../lib/recital/data/output.js';
import {
  chartBundle,
  chartPng,
  chartSvg,
  withPoints,
} from '../../../lib/recital/display/chart-render.js';
import { ArgumentError, DataError } from '../../../lib/recital/errors.js';
import { countPixels, decodePng, pngTexts } from '../../support/png.js';

const bars = (title: string): Chart => {
  const encoding = { x: { field: 'a', type: 'nominal' }, y: { field: 'b', type: 'quantitative' } };
  return new Chart(
    {
      data: {
        values: [
          { a: 'A', b: 3 },
          { a: 'B', b: 5 },
        ],
      },
      mark: 'bar',
      encoding,
    },
    title,
    'Two bars.',
  );
};
const blue = (r: number, g: number, b: number): boolean => r < 60 && g > 90 && b > 150;
const dark = (r: number, g: number, b: number): boolean => r < 90 && g < 90 && b < 90;

describe('chartPng', () => {
  it('draws marks in the colour of the palette on white, at twice the size it is shown at', () => {
    const { png, width, height } = chartPng(bars('Plays'));
    const image = decodePng(png);
    expect([image.width, image.height]).to.deep.equal([2 * width, 2 * height]);
    expect(image.at(0, 0)).to.deep.equal([255, 255, 255]);
    expect(countPixels(image, blue)).to.be.greaterThan(4000);
  });

  it('draws text with the fonts that come with the package', () => {
    const titled = decodePng(chartPng(bars('A title of many letters')).png);
    const untitled = decodePng(chartPng(bars('')).png);
    expect(countPixels(titled, dark) - countPixels(untitled, dark)).to.be.greaterThan(1000);
    expect(countPixels(untitled, dark)).to.be.greaterThan(100); // the axes' labels
  });

  it('leaves room for long labels instead of cutting them', () => {
    const long = new Chart(
      {
        data: { values: [{ a: 'A band with quite a long name', b: 1 }] },
        mark: 'bar',
        encoding: {
          y: { field: 'a', type: 'nominal', title: null },
          x: { field: 'b', type: 'quantitative' },
        },
      },
      '',
      '',
    );
    const image = decodePng(chartPng(long).png);
    // Nothing dark touches the left edge: the label begins inside the picture.
    const edge = Array.from({ length: image.height }, (_, y) => image.at(4, y)).filter((pixel) =>
      dark(...pixel),
    );
    expect(edge).to.have.length(0);
    expect(chartSvg(long)).to.contain('A band with quite a long name');
  });

  it('cuts titles that no page has room for', () => {
    const { width } = chartPng(bars('A title without an end. '.repeat(200)));
    expect(width).to.be.below(1250);
  });

  it('gives the same bytes each time', () => {
    expect(chartPng(bars('x')).png.equals(chartPng(bars('x')).png)).to.equal(true);
  });
});

describe('chartSvg', () => {
  it('carries title and alternative text, whatever is in them', () => {
    const { spec } = bars('');
    const svg = chartSvg(new Chart(spec, 'Plays & $&', 'Two <bars>.'));
    expect(svg).to.match(
      /^<svg role="img" aria-label="Two &lt;bars&gt;\." [^>]*><title>Plays &amp; \$&amp;<\/title><desc>Two &lt;bars&gt;\.<\/desc>/,
    );
  });

  it('draws what XML has no character for as a question mark', () => {
    const values = [{ a: 'a\u0001b\ufffe', b: 1 }];
    const odd = new Chart({ ...bars('').spec, data: { values } }, 'a\u0000\ud800', 'b\u0002');
    expect(chartSvg(odd))
      .to.contain('a\ufffdb\ufffd')
      .and.to.contain('<title>a\ufffd\ufffd</title>')
      .and.to.contain('<desc>b\ufffd</desc>');
    expect(decodePng(chartPng(odd).png).width).to.be.greaterThan(50);
  });

  it('says which chart cannot be drawn, and why', () => {
    const broken = new Chart({ data: { values: [] }, mark: 'nosuchmark' }, 'Broken', '');
    expect(() => chartSvg(broken)).to.throw(ArgumentError, /"Broken" cannot be drawn/);
    const expression = new Chart(
      {
        data: { values: [{ a: 1 }] },
        transform: [{ calculate: 'datum.a +', as: 'b' }],
        mark: 'bar',
      },
      'Wrong',
      '',
    );
    expect(() => chartSvg(expression)).to.throw(ArgumentError, /"Wrong" cannot be drawn/);
  });
});

describe('chartBundle', () => {
  it('holds Vega-Lite, PNG and text, and no HTML, which front ends would prefer', () => {
    const { bundle, metadata } = chartBundle(bars('Plays'));
    expect(Object.keys(bundle)).to.deep.equal([
      'application/vnd.vegalite.v5+json',
      'image/png',
      'text/plain',
    ]);
    expect(bundle['text/plain']).to.equal('[Plays: Two bars.]');
    expect(bundle['application/vnd.vegalite.v5+json']).to.include({
      title: 'Plays',
      description: 'Two bars.',
    });
    const image = decodePng(Buffer.from(String(bundle['image/png']), 'base64'));
    expect(metadata).to.deep.equal({
      'image/png': { width: image.width / 2, height: image.height / 2, alt: 'Two bars.' },
    });
  });

  it("lets a chart's own configuration come on top without losing the rest of it", () => {
    const chart = bars('x');
    const config = { axis: { grid: false } };
    const spec = chartBundle(new Chart({ ...chart.spec, config }, 'x', '')).bundle[
      'application/vnd.vegalite.v5+json'
    ] as {
      config: { axis: object };
    };
    expect(spec.config.axis).to.include({ grid: false, titleFontSize: 12 });
  });
});

describe('chart.save', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recital chart '));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes SVG and PNG by the ending of the name', () => {
    bars('x').save(join(folder, 'a.svg'));
    bars('x').save(join(folder, 'b.PNG'));
    expect(readFileSync(join(folder, 'a.svg'), 'utf8')).to.match(/^<svg/);
    expect(decodePng(readFileSync(join(folder, 'b.PNG'))).width).to.be.greaterThan(50);
    expect(readdirSync(folder)).to.have.length(2);
  });

  it('writes title and alternative text into a PNG, where other programs find them', () => {
    const file = join(folder, 'a.png');
    new Chart(bars('').spec, 'Hörer', 'Zwei Balken – ∑.').save(file);
    expect(pngTexts(readFileSync(file))).to.deep.equal({
      Title: 'Hörer',
      Description: 'Zwei Balken – ∑.',
    });
  });

  it('replaces a file as a whole, or leaves it as it was', () => {
    const file = join(folder, 'a.svg');
    bars('first').save(file);
    const before = readFileSync(file, 'utf8');
    expect(() => new Chart({ mark: 'nosuchmark' }, 'Broken', '').save(file)).to.throw(
      ArgumentError,
    );
    expect(readFileSync(file, 'utf8')).to.equal(before);
    bars('second').save(file);
    expect(readFileSync(file, 'utf8')).to.contain('<title>second</title>');
    expect(readdirSync(folder)).to.deep.equal(['a.svg']);
  });

  it('refuses other endings', () => {
    expect(() => bars('x').save(join(folder, 'a.pdf'))).to.throw(ArgumentError, '.svg or .png');
  });

  it('says that a folder is missing, and what to do', () => {
    expect(() => bars('x').save(join(folder, 'figures', 'a.png'))).to.throw(
      DataError,
      /there is no folder ".*figures"\. Make it first/,
    );
  });

  it('leaves nothing behind when the chart cannot be drawn', () => {
    expect(() =>
      new Chart({ mark: 'nosuchmark' }, 'Broken', '').save(join(folder, 'a.png')),
    ).to.throw(ArgumentError);
    const values = [{ a: 1 }];
    const late = new Chart(
      { data: { values }, transform: [{ calculate: 'datum.b.c', as: 'd' }], mark: 'bar' },
      'Late',
      '',
    );
    expect(() => late.save(join(folder, 'a.svg'))).to.throw(
      ArgumentError,
      '"Late" cannot be drawn: Cannot read properties of undefined',
    );
    expect(readdirSync(folder)).to.have.length(0);
  });
});

interface Group {
  marktype: string;
  role: string;
  items: { x?: number; y?: number; opacity?: number; tooltip?: unknown; items?: Group[] }[];
}

const encoding = {
  x: { field: 'x', type: 'quantitative' },
  y: { field: 'y', type: 'quantitative' },
  color: { field: 'curve', type: 'nominal' },
  tooltip: [{ field: 'x' }, { field: 'curve' }],
};
const values = ['a', 'b'].flatMap((curve) => [1, 2, 3].map((x) => ({ x, y: x * x, curve })));

/** The marks that Vega draws. */
function drawn(spec: object): Group[] {
  const view = new vega.View(vega.parse(compile(spec as never).spec), { renderer: 'none' }).run();
  const inside = (group: Group): Group[] => [
    group,
    ...group.items.flatMap(({ items = [] }) => items.flatMap(inside)),
  ];
  return inside((view.scenegraph() as unknown as { root: Group }).root);
}
const of = (marks: Group[], type: string) =>
  marks.filter(({ marktype, role }) => marktype === type && role === 'mark');

describe('withPoints', () => {
  for (const [name, mark] of Object.entries({
    'a line': 'line',
    'a line with options': { type: 'line', point: false },
  })) {
    it(`has each point of ${name} say itself, where Vega would say the first one of all: points that are not seen`, () => {
      const marks = drawn(withPoints({ data: { values }, mark, encoding }));
      const lines = of(marks, 'line');
      expect(lines.map(({ items }) => items.map(({ tooltip }) => tooltip))).to.deep.equal([
        new Array(3).fill(undefined),
        new Array(3).fill(undefined),
      ]);
      const points = of(marks, 'symbol').flatMap(({ items }) => items);
      expect(points.map(({ tooltip }) => tooltip)).to.deep.equal(
        values.map(({ x, curve }) => ({ x, curve })),
      );
      expect(points.map(({ x, y }) => [x, y])).to.deep.equal(
        lines.flatMap(({ items }) => items.map(({ x, y }) => [x, y])),
      );
      expect(points.every(({ opacity }) => opacity === 0)).to.equal(true);
      const legends = (spec: object) => compile(spec as never).spec.legends;
      expect(legends(withPoints({ data: { values }, mark, encoding }))).to.deep.equal(
        legends({ data: { values }, mark, encoding }),
      );
    });
  }

  it('leaves points that are seen as they are', () => {
    const marks = drawn(
      withPoints({ data: { values }, mark: { type: 'line', point: { size: 50 } }, encoding }),
    );
    const points = of(marks, 'symbol').flatMap(
      ({ items }) => items as { size?: number; opacity?: number }[],
    );
    expect(points.map(({ size, opacity }) => [size, opacity === 0])).to.deep.equal(
      new Array(6).fill([50, false]),
    );
  });

  it('finds the lines in layers and panels', () => {
    const unit = { mark: 'line', encoding };
    for (const spec of [
      { layer: [unit] },
      { hconcat: [unit] },
      { vconcat: [{ layer: [unit] }] },
      { concat: [unit] },
      { facet: { row: { field: 'curve' } }, spec: unit },
    ]) {
      expect(
        of(drawn(withPoints({ data: { values }, ...spec })), 'symbol').flatMap(
          ({ items }) => items,
        ),
      ).to.have.length(6);
    }
  });

  it('changes no line without a tooltip, and nothing else', () => {
    const { tooltip, ...silent } = encoding;
    for (const spec of [
      { mark: 'line', encoding: silent },
      { mark: 'bar', encoding },
      { layer: [{ mark: { type: 'point' }, encoding }] },
    ])
      expect(withPoints(spec)).to.deep.equal(spec);
    expect(tooltip).to.have.length(2);
  });

  it('makes what notebooks keep of a chart, but not its picture', () => {
    const chart = new Chart(
      { data: { values }, mark: 'line', encoding },
      'Squares',
      'Two equal curves.',
    );
    const { bundle } = chartBundle(chart);
    expect(bundle['application/vnd.vegalite.v5+json']).to.have.property('layer');
    expect(chart.spec).to.not.have.property('layer');
  });
});
