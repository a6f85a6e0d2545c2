import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Chart } from '../../lib/data/chart.js';
import { ArgumentError, DataError } from '../../lib/errors.js';
import { chartBundle, chartPng, chartSvg, saveChart } from '../../lib/notebook/chart-render.js';
import { countPixels, decodePng } from '../support/png.js';

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
        encoding: { y: { field: 'a', type: 'nominal', title: null }, x: { field: 'b', type: 'quantitative' } },
      },
      '',
      '',
    );
    const image = decodePng(chartPng(long).png);
    // Nothing dark touches the left edge: the label begins inside the picture.
    const edge = Array.from({ length: image.height }, (_, y) => image.at(4, y)).filter((pixel) => dark(...pixel));
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
  it('carries the alternative text', () => {
    expect(chartSvg(bars('Plays')))
      .to.contain('Two bars.')
      .and.to.match(/^<svg/);
  });

  it('says which chart cannot be drawn, and why', () => {
    const broken = new Chart({ data: { values: [] }, mark: 'nosuchmark' }, 'Broken', '');
    expect(() => chartSvg(broken)).to.throw(ArgumentError, /"Broken" cannot be drawn/);
    const expression = new Chart({ data: { values: [{ a: 1 }] }, transform: [{ calculate: 'datum.a +', as: 'b' }], mark: 'bar' }, 'Wrong', '');
    expect(() => chartSvg(expression)).to.throw(ArgumentError, /"Wrong" cannot be drawn/);
  });
});

describe('chartBundle', () => {
  it('holds Vega-Lite, PNG and text, and no HTML, which front ends would prefer', () => {
    const { bundle, metadata } = chartBundle(bars('Plays'));
    expect(Object.keys(bundle)).to.deep.equal(['application/vnd.vegalite.v5+json', 'image/png', 'text/plain']);
    expect(bundle['text/plain']).to.equal('[Plays: Two bars.]');
    expect(bundle['application/vnd.vegalite.v5+json']).to.include({ title: 'Plays', description: 'Two bars.' });
    const image = decodePng(Buffer.from(String(bundle['image/png']), 'base64'));
    expect(metadata).to.deep.equal({ 'image/png': { width: image.width / 2, height: image.height / 2 } });
  });

  it("lets a chart's own configuration come on top without losing the rest of it", () => {
    const chart = bars('x');
    const config = { axis: { grid: false } };
    const spec = chartBundle(new Chart({ ...chart.spec, config }, 'x', '')).bundle['application/vnd.vegalite.v5+json'] as {
      config: { axis: object };
    };
    expect(spec.config.axis).to.include({ grid: false, titleFontSize: 12 });
  });
});

describe('saveChart', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recital chart '));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes SVG and PNG by the ending of the name', () => {
    saveChart(bars('x'), join(folder, 'a.svg'));
    saveChart(bars('x'), join(folder, 'b.PNG'));
    expect(readFileSync(join(folder, 'a.svg'), 'utf8')).to.match(/^<svg/);
    expect(decodePng(readFileSync(join(folder, 'b.PNG'))).width).to.be.greaterThan(50);
    expect(readdirSync(folder)).to.have.length(2);
  });

  it('refuses other endings', () => {
    expect(() => saveChart(bars('x'), join(folder, 'a.pdf'))).to.throw(ArgumentError, '.svg or .png');
  });

  it('says that a folder is missing, and what to do', () => {
    expect(() => saveChart(bars('x'), join(folder, 'figures', 'a.png'))).to.throw(DataError, /there is no folder ".*figures"\. Make it first/);
  });

  it('leaves nothing behind when the chart cannot be drawn', () => {
    expect(() => saveChart(new Chart({ mark: 'nosuchmark' }, 'Broken', ''), join(folder, 'a.png'))).to.throw(ArgumentError);
    expect(readdirSync(folder)).to.have.length(0);
  });
});
