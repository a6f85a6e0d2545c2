import { expect } from 'chai';
import { Chart } from '../../../lib/recital/data/output.js';
import { chartSvg, vegaLiteSpec } from '../../../lib/recital/display/chart-render.js';
import { grey, palette } from '../../../lib/recital/display/charts/common.js';
import { resultCharts, tableCharts } from '../../support/charts.js';
import { contrast, distance, sight } from '../../support/colour.js';
import { printed } from '../../support/printed.js';

const vegaLite = require('vega-lite') as {
  compile(spec: object, options: object): { spec: { background?: string } };
};
const vega = require('vega') as {
  parse(spec: object): object;
  View: new (runtime: object, options: object) => { toSVG(): Promise<string>; finalize(): void };
};

/**
 * vega-embed's theme "dark", which a front end may put beneath a chart: white text for whatever has
 * no colour of its own.
 */
const dark = {
  background: '#333',
  view: { stroke: '#888' },
  title: { color: '#fff', subtitleColor: '#fff' },
  style: { 'guide-label': { fill: '#fff' }, 'guide-title': { fill: '#fff' } },
  axis: { domainColor: '#fff', gridColor: '#888', tickColor: '#fff' },
};

async function svgWith(theme: object, chart: Chart): Promise<string> {
  const view = new vega.View(
    vega.parse(vegaLite.compile(vegaLiteSpec(chart), { config: theme }).spec),
    { renderer: 'none' },
  );
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** The colours of the texts that do not stand in cells. */
const textColours = (svg: string): string[] =>
  [...svg.matchAll(/<text [^>]*?fill="([^"]+)"[^>]*>([^<]*)</g)]
    .filter(([, , text]) => !/^-?\d\.\d\d$/.test(text))
    .map(([, fill]) => fill);

/** A colour with six digits. */
const hex = (colour: string): string =>
  ({ black: '#000000', white: '#ffffff' })[colour] ??
  colour.replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');

describe('colours of charts', () => {
  for (const kind of Object.keys(sight)) {
    it(`of categories stay apart: ${kind}`, () => {
      for (const [i, a] of palette.entries()) {
        for (const b of [...palette.slice(0, i), '#bbbbbb'])
          expect(distance(a, b, kind), `${a} and ${b}`).to.be.greaterThan(14);
      }
      const most = kind === 'tritanopia' ? 16 : 25; // that one is rare
      for (const [i, a] of palette.slice(0, 3).entries()) {
        for (const b of palette.slice(0, i))
          expect(distance(a, b, kind), `${a} and ${b}`).to.be.greaterThan(most); // the most used ones
      }
    });
  }

  it('of a palette that the colour-blind confuse would be found out', () => {
    expect(distance('#d62728', '#2ca02c', 'deuteranopia')).to.be.below(
      distance('#d62728', '#2ca02c', 'normal') / 2,
    );
    expect(distance('#7f7f7f', '#17a085', 'protanopia')).to.be.below(14);
  });

  it('stand out from the page: the first four as objects must, greys that are read as text', () => {
    for (const colour of palette.slice(0, 4))
      expect(contrast(colour, '#ffffff'), colour).to.be.at.least(3);
    expect(contrast(grey, '#ffffff')).to.be.at.least(4.5);
  });

  for (const [name, make] of Object.entries({ ...tableCharts, ...resultCharts })) {
    it(`can be read in light and dark themes: ${name}`, async () => {
      let chart!: Chart;
      printed(() => {
        chart = make();
      });
      const shown: [string, string][] = [
        [chartSvg(chart), '#ffffff'],
        [await svgWith({}, chart), '#ffffff'],
        [await svgWith(dark, chart), '#333333'],
      ];
      for (const [svg, behind] of shown) {
        expect(svg).to.match(
          new RegExp(
            `<rect [^>]*fill="(${behind}|${behind === '#ffffff' ? 'white' : '#333'})"`,
            'i',
          ),
        );
        const colours = textColours(svg);
        expect(colours.length).to.be.greaterThan(3);
        for (const colour of colours)
          expect(contrast(hex(colour), behind), `${colour} on ${behind}`).to.be.at.least(4.5);
      }
    });
  }

  it('are the theme’s but for data: a front end gets no background and no colours of texts and axes', () => {
    for (const make of Object.values(tableCharts)) {
      const { background, config } = vegaLiteSpec(make()) as {
        background?: string;
        config: Record<string, object>;
      };
      expect(background).to.equal(undefined);
      expect(config).not.to.have.property('background');
      for (const part of ['axis', 'legend', 'title', 'header', 'view'])
        expect(JSON.stringify(config[part])).not.to.match(/color|stroke"/i);
    }
  });

  it('of texts that a chart has chosen itself stay', () => {
    const mark = { type: 'text', color: '#123456' };
    const values = [{ a: 1 }];
    const own = new Chart(
      { data: { values }, mark, encoding: { x: { field: 'a' }, text: { field: 'a' } } },
      't',
      'a',
    );
    expect(vegaLiteSpec(own).mark).to.deep.equal(mark);
  });

  it('of a heatmap leave the numbers in its cells readable, on white and in the dark', async () => {
    for (const [svg, behind] of [
      [chartSvg(tableCharts.heatmap()), [255, 255, 255]],
      [await svgWith(dark, tableCharts.heatmap()), [51, 51, 51]],
    ] as const) {
      const cells = [
        ...svg.matchAll(/<path [^>]*aria-label="[^"]*value: [^"]*"[^>]*fill="rgba?\(([^)]*)\)"/g),
      ].map(([, fill]) => {
        const [r, g, b, alpha = 1] = fill.split(',').map(Number);
        const [red, green, blue] = [r, g, b].map((channel, i) =>
          Math.round(channel * alpha + behind[i] * (1 - alpha)),
        );
        return `rgb(${red}, ${green}, ${blue})`;
      });
      const texts = [...svg.matchAll(/<text [^>]*?fill="([^"]+)"[^>]*>(-?\d\.\d\d)</g)].map(
        ([, fill]) => hex(fill),
      );
      expect(texts).to.have.length(64).and.to.have.length(cells.length);
      for (const [i, text] of texts.entries())
        expect(contrast(text, cells[i]), `${text} on ${cells[i]}`).to.be.at.least(4.4);
    }
  });
});
