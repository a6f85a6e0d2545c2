import { expect } from 'chai';
import * as vega from 'vega';
import { compile } from 'vega-lite';
import { Chart } from '../../../lib/recital/data/display.js';
import { withPoints } from '../../../lib/recital/display/chart-points.js';
import { chartBundle } from '../../../lib/recital/display/chart-render.js';

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
