import { expect } from 'chai';
import type { Chart } from '../../lib/data/chart.js';
import { grey, palette } from '../../lib/notebook/chart-config.js';
import { chartSvg, vegaLiteSpec } from '../../lib/notebook/chart-render.js';
import { resultCharts, tableCharts } from '../support/charts.js';
import { contrast, distance, sight } from '../support/colour.js';
import { printed } from '../support/printed.js';

const vegaLite = require('vega-lite') as { compile(spec: object, options: object): { spec: { background?: string } } };
const vega = require('vega') as {
  parse(spec: object): object;
  View: new (runtime: object, options: object) => { toSVG(): Promise<string>; finalize(): void };
};

/** vega-embed's theme "dark", which a front end may put beneath a chart: white text for whatever has no colour of its own. */
const dark = {
  background: '#333',
  view: { stroke: '#888' },
  title: { color: '#fff', subtitleColor: '#fff' },
  style: { 'guide-label': { fill: '#fff' }, 'guide-title': { fill: '#fff' } },
  axis: { domainColor: '#fff', gridColor: '#888', tickColor: '#fff' },
};

async function svgWith(theme: object, chart: Chart): Promise<string> {
  const view = new vega.View(vega.parse(vegaLite.compile(vegaLiteSpec(chart), { config: theme }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** The colours of the texts that do not stand in cells. */
const textColours = (svg: string): string[] =>
  [...svg.matchAll(/<text [^>]*?fill="([^"]+)"[^>]*>([^<]*)</g)].filter(([, , text]) => !/^-?\d\.\d\d$/.test(text)).map(([, fill]) => fill);

describe('colours of charts', () => {
  for (const kind of Object.keys(sight)) {
    it(`of categories stay apart: ${kind}`, () => {
      for (const [i, a] of palette.entries()) {
        for (const b of [...palette.slice(0, i), '#bbbbbb']) expect(distance(a, b, kind), `${a} and ${b}`).to.be.greaterThan(14);
      }
      const most = kind === 'tritanopia' ? 16 : 25; // that one is rare
      for (const [i, a] of palette.slice(0, 3).entries()) {
        for (const b of palette.slice(0, i)) expect(distance(a, b, kind), `${a} and ${b}`).to.be.greaterThan(most); // the most used ones
      }
    });
  }

  it('of a palette that the colour-blind confuse would be found out', () => {
    expect(distance('#d62728', '#2ca02c', 'deuteranopia')).to.be.below(distance('#d62728', '#2ca02c', 'normal') / 2);
    expect(distance('#7f7f7f', '#17a085', 'protanopia')).to.be.below(14);
  });

  it('stand out from the page: the first four as objects must, greys that are read as text', () => {
    for (const colour of palette.slice(0, 4)) expect(contrast(colour, '#ffffff'), colour).to.be.at.least(3);
    expect(contrast(grey, '#ffffff')).to.be.at.least(4.5);
  });

  for (const [name, make] of Object.entries({ ...tableCharts, ...resultCharts })) {
    it(`can be read in light and dark themes: ${name}`, async () => {
      let chart!: Chart;
      printed(() => {
        chart = make();
      });
      for (const svg of [chartSvg(chart), await svgWith({}, chart), await svgWith(dark, chart)]) {
        expect(svg).to.match(/<rect [^>]*fill="#ffffff"/i); // the background, white in dark themes as well
        const colours = textColours(svg);
        expect(colours.length).to.be.greaterThan(3);
        for (const colour of colours) expect(contrast(colour, '#ffffff'), colour).to.be.at.least(4.5);
      }
    });
  }

  it('says its background where VS Code looks for it, beside the configuration: else it would put the dark theme beneath', () => {
    for (const make of Object.values(tableCharts)) expect(vegaLiteSpec(make())).to.include({ background: '#ffffff' });
  });

  it('of a heatmap leave the numbers in its cells readable', () => {
    const svg = chartSvg(tableCharts.heatmap());
    const cells = [...svg.matchAll(/<path [^>]*aria-label="[^"]*value: [^"]*"[^>]*fill="(rgb\([^)]*\))"/g)].map(([, fill]) => fill);
    const texts = [...svg.matchAll(/<text [^>]*?fill="([^"]+)"[^>]*>(-?\d\.\d\d)</g)].map(([, fill]) => fill);
    expect(texts).to.have.length(64).and.to.have.length(cells.length);
    for (const [i, text] of texts.entries()) expect(contrast(text, cells[i]), `${text} on ${cells[i]}`).to.be.at.least(3.5);
  });
});
