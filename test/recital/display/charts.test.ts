import { expect } from 'chai';
import { correlation } from '../../../lib/recital/data/explore.js';
import type { Chart } from '../../../lib/recital/data/output.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { chartPng, chartSvg } from '../../../lib/recital/display/chart-render.js';
import { palette } from '../../../lib/recital/display/charts/common.js';
import { placeLabels } from '../../../lib/recital/display/charts/scatter.js';
import {
  barChart,
  heatmap,
  histogram,
  lineChart,
  scatter,
} from '../../../lib/recital/display/index.js';
import { ArgumentError, UnknownIdError } from '../../../lib/recital/errors.js';
import { countPixels, decodePng } from '../../support/png.js';
import { printed } from '../../support/printed.js';

interface Spec {
  data: { values: Record<string, unknown>[] };
}
const values = (chart: Chart): Record<string, unknown>[] =>
  (chart.spec as unknown as Spec).data.values;
const ramp = (n: number, f: (i: number) => number = (i) => i): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => f(i));
const plays = new Table({
  artist: ['Björk', 'Can', 'Air'],
  plays: Float64Array.of(20, 3, 100),
  share: Float64Array.of(0.2, NaN, 0.8),
});

describe('every chart', () => {
  const charts: Record<string, () => Chart> = {
    heatmap: () => heatmap({ labels: ['a', 'b'], values: [1, -0.5, -0.5, 1] }, { title: 't' }),
    'standing bars': () => barChart(plays, { x: 'artist', y: 'plays', title: 't' }),
    'lying bars': () => barChart(plays, { x: 'plays', y: 'artist', title: 't' }),
    histogram: () => histogram(plays, 'plays', { title: 't' }),
    histograms: () => histogram(plays, ['plays', 'share'], { title: 't' }),
    'logarithmic histogram': () => histogram(plays, 'plays', { title: 't', scale: 'log' }),
    line: () => lineChart(plays, { x: 'plays', y: 'share', title: 't', xScale: 'log' }),
    lines: () => lineChart(plays, { x: 'plays', y: ['share', 'plays'], title: 't' }),
    scatter: () =>
      scatter(plays, {
        x: 'plays',
        y: 'share',
        title: 't',
        label: 'artist',
        color: 'artist',
        tooltip: ['plays'],
        xScale: 'log',
      }),
  };
  for (const [name, make] of Object.entries(charts)) {
    it(`is drawn with something in it and without a warning: ${name}`, () => {
      let inked = 0;
      const lines = printed(() => {
        const image = decodePng(chartPng(make()).png);
        inked = countPixels(image, (r, g, b) => Math.max(r, g, b) - Math.min(r, g, b) > 60);
      });
      expect(lines).to.deep.equal([]);
      expect(inked).to.be.greaterThan(150);
    });
  }

  it('says what it shows, in numbers computed from the data', () => {
    expect(charts['lying bars']().alt).to.equal('Bar chart, 3 bars, from Air (100) to Can (3).');
    expect(charts.histogram().alt).to.equal('Histogram. plays: 3 values from 3 to 100, median 20.');
    expect(charts.heatmap().alt).to.contain('the lowest that of').and.to.contain('(-0.50)');
    expect(charts.line().alt).to.equal(
      'Line chart over plays. share: 2 points, from 0.2 to 0.8, lowest 0.2, highest 0.8.',
    );
    expect(charts.scatter().alt).to.equal(
      'Scatter plot of share over plays: 2 points. Their correlation is 1.00. 1 row without a value is left out.',
    );
  });

  it('is called after what it draws where no title is given', () => {
    const table = new Table({ artist: ['a', 'b'], plays: [3, 1], year: [1999, 2001] });
    expect(barChart(table, { x: 'plays', y: 'artist' }).title).to.equal('plays by artist');
    expect(barChart(table, { x: 'artist', y: 'plays' }).title).to.equal('plays by artist');
    expect(lineChart(table, { x: 'year', y: ['plays'] }).title).to.equal('plays by year');
    expect(scatter(table, { x: 'year', y: 'plays', yTitle: 'how often' }).title).to.equal(
      'how often by year',
    );
    expect(histogram(table, ['plays', 'year']).title).to.equal('plays, year');
    expect(heatmap({ labels: ['a'], values: [1] }).title).to.equal('Heatmap');
  });

  it('refuses an empty table, an unknown column and a text column where numbers are needed', () => {
    const none = plays.head(0);
    const options = { x: 'plays', y: 'share', title: 't' };
    const makers = [
      () => histogram(none, 'plays'),
      ...[lineChart, scatter, barChart].map((make) => () => make(none, options)),
    ];
    for (const make of makers)
      expect(make).to.throw(ArgumentError, 'without rows: there is nothing to draw');
    expect(() => heatmap(none)).to.throw(ArgumentError, 'at least one row');
    expect(() => lineChart(plays, { x: 'play' as string, y: 'share', title: 't' })).to.throw(
      UnknownIdError,
      'did you mean "plays"',
    );
    expect(() => scatter(plays, { x: 'artist', y: 'plays', title: 't' })).to.throw(
      ArgumentError,
      'numbers was expected',
    );
    expect(() => barChart({} as Table, { x: 'a', y: 'b', title: 't' })).to.throw(
      ArgumentError,
      'barChart needs a table',
    );
  });

  it('refuses an option that there is not, and says which one was meant', () => {
    const wrong = { x: 'plays', y: 'share', titel: 't' } as {
      x: string;
      y: string;
      title?: string;
    };
    const makers = [
      () => histogram(plays, 'plays', wrong),
      () => heatmap({ labels: ['a'], values: [1] }, wrong),
    ];
    for (const make of [
      ...makers,
      ...[lineChart, scatter, barChart].map((make) => () => make(plays, wrong)),
    ])
      expect(make).to.throw(ArgumentError, 'no option');
    expect(makers[0]).to.throw('has no option "x"');
    expect(() => barChart(plays, wrong)).to.throw(
      'barChart has no option "titel"; did you mean "title"?',
    );
  });

  it('proposes a column for a name that only begins alike', () => {
    const table = new Table({ user: ['a'], playcount: [3], day: [1] });
    expect(() => lineChart(table, { x: 'day', y: 'plays' as string })).to.throw(
      UnknownIdError,
      'did you mean "playcount"?',
    );
  });

  it('proposes a column for a misspelt one, whatever the chart and the option', () => {
    const [wrong, right] = ['palys' as string, 'share'];
    const calls = [
      () => histogram(plays, wrong),
      () => histogram(plays, [right, wrong]),
      ...[lineChart, scatter, barChart].flatMap((make) => [
        () => make(plays, { x: wrong, y: right }),
        () => make(plays, { x: right, y: wrong }),
      ]),
      () => lineChart(plays, { x: right, y: [right, wrong] }),
      ...['label', 'color'].map((by) => () => scatter(plays, { x: right, y: right, [by]: wrong })),
      () => scatter(plays, { x: right, y: right, tooltip: [wrong] }),
    ];
    for (const call of calls)
      expect(call, String(call)).to.throw(UnknownIdError, 'did you mean "plays"?');
  });

  it('draws a catalogue, plays and correlations as their tables', () => {
    const table = Table.fromRows([
      { track_id: 'a', energy: 0.1, tempo: 90 },
      { track_id: 'b', energy: 0.9, tempo: 120 },
      { track_id: 'c', energy: 0.4, tempo: 101 },
    ]);
    const tracks = new Tracks(table);
    const some = Plays.fromRows([
      { user: 'u', track: 'a', playcount: 3 },
      { user: 'v', track: 'b', playcount: 5 },
    ]);
    const both = correlation(tracks);
    const xy = { x: 'energy', y: 'tempo' };
    const pairs = [
      [histogram(tracks, 'energy'), histogram(table, 'energy')],
      [scatter(tracks, { ...xy, label: 'track_id' }), scatter(table, { ...xy, label: 'track_id' })],
      [lineChart(tracks, xy), lineChart(table, xy)],
      [heatmap(both), heatmap(both.table)],
      [
        barChart(both, { x: 'column', y: 'tempo' }),
        barChart(both.table, { x: 'column', y: 'tempo' }),
      ],
      [histogram(some, 'playcount'), histogram(some.toTable(), 'playcount')],
      [
        barChart(some, { x: 'track_id', y: 'playcount' }),
        barChart(some.toTable(), { x: 'track_id', y: 'playcount' }),
      ],
    ];
    for (const [of, same] of pairs) expect(of).to.deep.equal(same);
    expect(() => histogram(tracks, 'enrgy')).to.throw(UnknownIdError, 'did you mean "energy"?');
    expect(() => histogram(some.take([]), 'playcount')).to.throw(ArgumentError, 'without rows');
    for (const wrong of [undefined, null, 'tracks', [], { table: 3 }]) {
      expect(() => histogram(wrong as unknown as Table, 'energy')).to.throw(
        ArgumentError,
        'histogram needs a table, such as Table.fromRows(records), a catalogue of tracks, or plays, got ',
      );
      expect(() => heatmap(wrong as never)).to.throw(ArgumentError, 'what correlation returns');
    }
  });

  it('says that a correlation is 0.00 where only the rounding error of a sum is left', () => {
    const table = new Table({ x: Float64Array.of(-1, 0, 1), y: Float64Array.of(1, -2 - 1e-15, 1) });
    expect(scatter(table, { x: 'x', y: 'y', title: 't' }).alt).to.contain(
      'Their correlation is 0.00.',
    );
    const matrix = heatmap({ labels: ['a', 'b'], values: [1, -2e-16, -2e-16, 1] }, { title: 't' });
    expect(matrix.alt).to.contain('the lowest that of').and.to.contain('(0.00)');
  });

  it('writes numbers of axes so that they can be read: 1.4M, 2e-6, the year 1990', () => {
    const table = new Table({
      big: ramp(5, (i) => i * 5e5),
      giant: ramp(5, (i) => i * 5e9),
      tiny: ramp(5, (i) => i * 1e-6),
      year: ramp(5, (i) => 1990 + i),
    });
    const texts = (x: string, y: string): string[] =>
      [lineChart, scatter].flatMap((make) =>
        [...chartSvg(make(table, { x, y, title: 't' })).matchAll(/>([^<>]+)<\/text>/g)].map(
          (match) => match[1],
        ),
      );
    expect(texts('year', 'big')).to.include.members(['1990', '1.4M']);
    expect(texts('year', 'big').filter((text) => text === '1991')).to.have.length(2); // once a chart
    expect(texts('giant', 'tiny')).not.to.include('0e+0');
    expect(texts('giant', 'tiny')).to.include.members(['4B', '2e-6', '0']);
    expect(chartSvg(histogram(table, 'big', { title: 't' }))).to.match(/>2M</);
    expect(chartSvg(barChart(table, { x: 'year', y: 'big', title: 't' }))).to.match(/>2M</);
  });

  it('writes numbers of tooltips with six digits, not with the rounding errors of the last', () => {
    const table = new Table({
      x: Float64Array.of(0.1 + 0.2, 0.5),
      plays: Float64Array.of(12_345, 2),
      lr: Float64Array.of(5e-3, 5e-8),
    });
    const format = (
      require('vega') as { defaultLocale(): { format(text: string): (x: number) => string } }
    ).defaultLocale().format;
    const tip = (x: string): string[] => {
      const { spec } = scatter(table, { x, y: x, title: 't' }) as unknown as {
        spec: { layer: { encoding: { tooltip: { format: string }[] } }[] };
      };
      return Array.from(table.numbers(x), format(spec.layer[0].encoding.tooltip[0].format));
    };
    expect(tip('x')).to.deep.equal(['0.3', '0.5']);
    expect(tip('plays')).to.deep.equal(['12,345', '2']);
    expect(tip('lr')).to.deep.equal(['0.005', '0.00000005']);
    const bars = barChart(new Table({ x: Float64Array.of(0.1 + 0.2), n: Float64Array.of(1) }), {
      x: 'x',
      y: 'n',
      title: 't',
    });
    expect(values(bars)[0].name).to.equal('0.3');
  });

  it('refuses a logarithmic axis for values that are not positive, and names the row', () => {
    const table = new Table({ n: Float64Array.of(1, 0) });
    expect(() => histogram(table, 'n', { title: 't', scale: 'log' })).to.throw(
      ArgumentError,
      '"n" is 0 in row 1',
    );
    const least = new Table({ n: [1e-300, 1] });
    expect(lineChart(least, { x: 'n', y: 'n', xScale: 'log' }).alt).to.contain('2 points');
    expect(() =>
      lineChart(new Table({ n: [9e-301, 1] }), { x: 'n', y: 'n', xScale: 'log' }),
    ).to.throw(ArgumentError, 'in row 0');
  });

  it('refuses a column without a single number', () => {
    expect(() => histogram(new Table({ n: Float64Array.of(NaN) }), 'n', { title: 't' })).to.throw(
      ArgumentError,
      'nothing to draw',
    );
  });
});

describe('heatmap', () => {
  it('turns names that are longer than their cells, and short ones not', () => {
    const angle = (name: string): unknown => {
      const { encoding } = heatmap({ labels: ['a', name], values: [1, 0, 0, 1] }).spec as {
        encoding: { x: { axis: { labelAngle: number } } };
      };
      return encoding.x.axis.labelAngle;
    };
    expect([
      angle('b'),
      angle('sixltr'),
      angle('sevenlt'),
      angle('a name of many letters'),
    ]).to.deep.equal([0, 0, -45, -45]);
  });

  it('takes a table: text names the rows, numbers are the columns', () => {
    const chart = heatmap(
      new Table({ '': ['a', 'b'], a: Float64Array.of(1, 0.25), b: Float64Array.of(0.25, 1) }),
      { title: 't' },
    );
    expect(values(chart).map(({ row, column, text }) => [row, column, text])).to.deep.equal([
      ['a', 'a', '1.00'],
      ['a', 'b', '0.25'],
      ['b', 'a', '0.25'],
      ['b', 'b', '1.00'],
    ]);
  });

  it('draws positive values red and negative ones blue', () => {
    const red = chartSvg(heatmap({ labels: ['a'], values: [1] }, { title: 't' }));
    const blue = chartSvg(heatmap({ labels: ['a'], values: [-1] }, { title: 't' }));
    const fill = (svg: string): string =>
      /aria-label="[^"]*value: [^"]*"[^>]*fill="(rgb\([^)]*\))"/.exec(svg)?.[1] ?? svg;
    const [r, , b] = fill(red).match(/\d+/g)!.map(Number);
    expect(r).to.be.greaterThan(2 * b);
    const [r2, , b2] = fill(blue).match(/\d+/g)!.map(Number);
    expect(b2).to.be.greaterThan(2 * r2);
  });

  it('leaves cells without a value empty and never writes −0.00', () => {
    const chart = heatmap(
      { labels: ['a'], columnLabels: ['x', 'y'], values: [NaN, -0.001] },
      { title: 't' },
    );
    expect(values(chart).map((cell) => cell.text)).to.deep.equal(['0.00']);
  });

  it('refuses values outside the domain and matrices of the wrong size', () => {
    expect(() => heatmap({ labels: ['a'], values: [3] }, { title: 't' })).to.throw(
      ArgumentError,
      'outside [-1, 1]',
    );
    expect(() => heatmap({ labels: ['a', 'b'], values: [1, 1] }, { title: 't' })).to.throw(
      ArgumentError,
      'needs 4 values, got 2',
    );
    expect(() => heatmap({ labels: [], values: [] }, { title: 't' })).to.throw(
      ArgumentError,
      'at least one',
    );
  });
});

describe('barChart', () => {
  const names = (chart: Chart): unknown[] => values(chart).map((bar) => bar.name);

  it('sorts by value, or leaves the order of the table', () => {
    expect(names(barChart(plays, { x: 'plays', y: 'artist', title: 't' }))).to.deep.equal([
      'Air',
      'Björk',
      'Can',
    ]);
    expect(
      names(barChart(plays, { x: 'plays', y: 'artist', title: 't', sort: 'table' })),
    ).to.deep.equal(['Björk', 'Can', 'Air']);
  });

  it('draws the largest bars of many', () => {
    const table = new Table({ year: ramp(100, (i) => 1920 + i), n: ramp(100) });
    const chart = barChart(table, { x: 'year', y: 'n', title: 't', sort: 'value', limit: 10 });
    expect(names(chart)).to.deep.equal(Array.from({ length: 10 }, (_, i) => String(2019 - i)));
    expect(chart.alt).to.contain('the largest 10 of 100 bars');
  });

  it('refuses a name that stands in two rows, two text columns and a limit below one', () => {
    const twice = new Table({ a: ['x', 'x'], n: Float64Array.of(1, 2) });
    expect(() => barChart(twice, { x: 'n', y: 'a', title: 't' })).to.throw(
      ArgumentError,
      '"x" stands in two rows',
    );
    expect(() => barChart(plays, { x: 'artist', y: 'artist', title: 't' })).to.throw(
      ArgumentError,
      'both hold text',
    );
    expect(() => barChart(plays, { x: 'plays', y: 'artist', title: 't', limit: 0 })).to.throw(
      ArgumentError,
      'limit',
    );
  });
});

describe('histogram', () => {
  const bins = (
    table: Table,
    options: { bins?: number; scale?: 'log' } = {},
  ): { from: number; to: number; count: number }[] =>
    values(histogram(table, 'n', { title: 't', ...options })) as never;

  it('ships bins, not rows, on round edges, and counts every row once', () => {
    const counts = bins(new Table({ n: ramp(50_000, (i) => i / 50_000) }), { bins: 10 });
    expect(counts.map(({ from }) => from)).to.deep.equal([
      0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
    ]);
    expect(counts.every(({ count }) => count === 5000)).to.equal(true);
  });

  it('gives few whole numbers a bin each', () => {
    const counts = bins(new Table({ n: Float64Array.of(0, 1, 1, 3) }));
    expect(counts).to.deep.equal([
      { from: -0.5, to: 0.5, count: 1 },
      { from: 0.5, to: 1.5, count: 2 },
      { from: 1.5, to: 2.5, count: 0 },
      { from: 2.5, to: 3.5, count: 1 },
    ]);
  });

  it('marks whole numbers of rows on the vertical axis', () => {
    for (const most of [1, 2, 3, 4, 7]) {
      const svg = chartSvg(
        histogram(new Table({ n: [0, ...Array<number>(most).fill(1)] }), 'n', { title: 't' }),
      );
      const marks = [
        ...(/Y-axis.*?<\/g><g class="mark-text role-axis-title"/.exec(svg)?.[0] ?? '').matchAll(
          />([\d.]+)<\/text>/g,
        ),
      ].map(([, text]) => text);
      expect(marks.length, svg).to.be.within(2, 8);
      expect(
        marks.every((text) => /^\d+$/.test(text)),
        marks.join(),
      ).to.equal(true);
    }
  });

  it('copes with a constant column and with infinite values', () => {
    expect(bins(new Table({ n: Float64Array.of(0.3, 0.3, Infinity) }))).to.deep.equal([
      { from: -0.2, to: 0.8, count: 2 },
    ]);
  });

  it('takes bins of equal width in the logarithm', () => {
    const counts = bins(new Table({ n: Float64Array.of(1, 5, 50, 100, 1000) }), {
      bins: 3,
      scale: 'log',
    });
    expect(counts.map(({ count }) => count)).to.deep.equal([2, 1, 2]);
    expect(counts[1].from).to.be.closeTo(10, 1e-9);
  });

  it('refuses a number of bins that is none', () => {
    expect(() => bins(plays, { bins: 0 })).to.throw(ArgumentError, 'bins must be');
    expect(() => histogram(plays, [], { title: 't' })).to.throw(
      ArgumentError,
      'at least one column',
    );
  });
});

describe('lineChart', () => {
  it('keeps the extremes of a long line', () => {
    const table = new Table({
      x: ramp(50_000),
      y: ramp(50_000, (i) => (i === 31_234 ? 99 : i === 7 ? -99 : Math.sin(i))),
    });
    const drawn = values(lineChart(table, { x: 'x', y: 'y', title: 't' }));
    expect(drawn.length).to.be.within(1000, 2000);
    expect(drawn.map(({ y }) => y)).to.include.members([99, -99]);
    expect(drawn.map(({ x }) => x as number)).to.satisfy((xs: number[]) =>
      xs.every((x, i) => i === 0 || x > xs[i - 1]),
    );
  });

  it('takes the rows in the order of x', () => {
    const table = new Table({ x: Float64Array.of(2, 0, 1), y: Float64Array.of(20, 0, 10) });
    expect(
      values(lineChart(table, { x: 'x', y: 'y', title: 't' })).map(({ y }) => y),
    ).to.deep.equal([0, 10, 20]);
  });
});

describe('scatter', () => {
  it('draws a sample of many points, always the same', () => {
    const table = new Table({ x: ramp(20_000), y: ramp(20_000, (i) => i * i) });
    const [a, b] = [1, 2].map(() => scatter(table, { x: 'x', y: 'y', title: 't' }));
    expect(values(a)).to.have.length(3000).and.to.deep.equal(values(b));
    expect(a.alt).to.contain('3,000 points of 20,000 drawn');
  });

  it('gives the most frequent category the first colour, and grey to "other", which is last', () => {
    const scale = (genres: string[]): unknown => {
      const n = genres.map((_, i) => i);
      const { layer } = scatter(new Table({ n, genre: genres }), { x: 'n', y: 'n', color: 'genre' })
        .spec as {
        layer: { encoding: { color: { scale: { domain: string[]; range: string[] } } } }[];
      };
      return layer[0].encoding.color.scale;
    };
    const many = ['b', 'b', 'b', ...'ccaadde', 'e', 'f', 'f', 'g', 'h'];
    expect(scale(many)).to.deep.equal({
      domain: ['b', 'a', 'c', 'd', 'e', 'f', 'other'],
      range: [...palette.slice(0, 6), '#bbbbbb'],
    });
    expect(scale(['b', 'a', 'b'])).to.deep.equal({
      domain: ['b', 'a'],
      range: palette.slice(0, 2),
    });
  });

  it('keeps the six most frequent categories and calls the rest "other"', () => {
    const genre = Array.from(
      { length: 45 },
      (_, i) => `g${Math.floor((Math.sqrt(8 * i + 1) - 1) / 2)}`,
    ); // g8 nine times, …, g0 once
    const chart = scatter(new Table({ x: ramp(45), y: ramp(45), genre }), {
      x: 'x',
      y: 'y',
      color: 'genre',
      title: 't',
    });
    expect([...new Set(values(chart).map(({ color }) => color))]).to.have.members([
      'g8',
      'g7',
      'g6',
      'g5',
      'g4',
      'g3',
      'other',
    ]);
  });

  it('writes labels beside the points where there is room, and drops those that would cover another', () => {
    const text = 'a track';
    const size = { width: 500, height: 300 };
    expect(placeLabels([{ x: 0.5, y: 0.5, text }], size)).to.deep.equal(['right']);
    expect(placeLabels([{ x: 1, y: 0.5, text }], size)).to.deep.equal(['left']);
    const crowd = Array.from({ length: 30 }, (_, i) => ({ x: 0.5 + i / 5000, y: 0.5, text }));
    expect(placeLabels(crowd, size).filter((side) => side !== undefined).length).to.be.within(1, 4);
  });
});
