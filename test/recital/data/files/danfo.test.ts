import { expect } from 'chai';
import { type DanfoFrame, fromDanfo, toDanfo } from '../../../../lib/recital/data/files/danfo.js';

import { Table } from '../../../../lib/recital/data/table.js';
import { ArgumentError, DataError } from '../../../../lib/recital/errors.js';
import { findOptional } from '../../../../lib/recital/optional.js';

const installed = findOptional('danfo') !== undefined;
const table = new Table({
  artist: ['a', 'b', 'a', null],
  playcount: [3, 1, 4, null],
  tempo: [16777217, 2.5, 1, 0.1],
});

/** What danfo.js makes of rows. */
function frameOf(
  columns: string[],
  values: unknown[][],
  index: (string | number)[] = values.map((_, i) => i),
): DanfoFrame {
  return {
    columns,
    values,
    index,
    shape: [values.length, columns.length],
    dtypes: [],
  } as unknown as DanfoFrame;
}

describe('fromDanfo', () => {
  it('makes columns of numbers and of text, with what is missing', () => {
    const made = fromDanfo(
      frameOf(
        ['n', 't', 'b', 'none'],
        [
          [1, 'x', true, null],
          [NaN, null, false, undefined],
          [3, NaN, undefined, NaN],
        ],
      ),
    );
    expect(made.columnNames).to.deep.equal(['n', 't', 'b', 'none']);
    expect([...made.numbers('n')]).to.deep.equal([1, NaN, 3]);
    expect(made.strings('t')).to.deep.equal(['x', null, null]);
    expect(made.strings('b')).to.deep.equal(['true', 'false', null]);
    expect([...made.numbers('none')]).to.deep.equal([NaN, NaN, NaN]);
    expect(fromDanfo(frameOf(['1', '0'], [])).columnNames).to.deep.equal(['1', '0']);
  });

  it('keeps the labels of the rows if asked to', () => {
    const frame = frameOf(['n'], [[1], [2]], ['mean', 'std']);
    expect(fromDanfo(frame, { index: 'statistic' }).rows()).to.deep.equal([
      { statistic: 'mean', n: 1 },
      { statistic: 'std', n: 2 },
    ]);
    expect(() => fromDanfo(frame, { index: 'n' })).to.throw(
      ArgumentError,
      'has a column "n" already',
    );
  });

  it('refuses what is no DataFrame, two columns of a name, and unknown options', () => {
    for (const bad of [undefined, table, { columns: ['a'], values: [1], shape: [1] }]) {
      expect(() => fromDanfo(bad as never)).to.throw(
        ArgumentError,
        'fromDanfo needs a DataFrame of danfo.js, got',
      );
    }
    expect(() => fromDanfo(frameOf(['a', 'a'], [[1, 2]]))).to.throw(
      ArgumentError,
      'two columns "a"',
    );
    expect(() => fromDanfo(frameOf(['a'], []), { indx: 'i' } as never)).to.throw(
      ArgumentError,
      'did you mean "index"?',
    );
  });
});

describe('toDanfo', () => {
  it('refuses what is no table, and columns that danfo.js would take for its own', () => {
    expect(() => toDanfo([{ a: 1 }] as never)).to.throw(
      ArgumentError,
      'toDanfo needs a Table, got an array.',
    );
    for (const name of ['values', 'index', 'shape', '$data']) {
      expect(() => toDanfo(new Table({ [name]: [1] }))).to.throw(
        ArgumentError,
        `property of its own called "${name}"`,
      );
    }
  });

  it(`says how to install danfojs-node${installed ? ' (skipped: it is installed)' : ''}`, function () {
    if (installed) this.skip();
    expect(() => toDanfo(table)).to.throw(
      DataError,
      'needs the package danfojs-node, which is not installed. `npm run danfo` installs it',
    );
  });

  describe(`with danfojs-node${installed ? '' : ' (skipped: it is not installed, `npm run danfo` does it)'}`, () => {
    before(function () {
      if (!installed) this.skip();
    });

    it('and back is the same table, in float64', () => {
      const back = fromDanfo(toDanfo(table));
      expect(back.columnNames).to.deep.equal(table.columnNames);
      for (const name of table.columnNames)
        expect([...back.column(name)]).to.deep.equal([...table.column(name)]);
      expect(fromDanfo(toDanfo(table.head(0))).columnNames).to.deep.equal(table.columnNames);
      const numbered = new Table(
        new Map([
          ['5', [1, 2]],
          ['1', [3, 4]],
        ]),
      );
      expect(toDanfo(numbered).columns).to.deep.equal(['5', '1']);
    });

    it('says which columns are whole, whatever the first rows look like', () => {
      const late = new Table({
        a: Array.from({ length: 200 }, (_, i) => (i < 199 ? i : 0.5)),
        b: Array.from({ length: 200 }, () => 1),
      });
      expect(toDanfo(late).dtypes).to.deep.equal(['float32', 'int32']);
      expect((toDanfo(late).values as number[][])[199][0]).to.equal(0.5);
    });

    it('groups, filters and sorts', () => {
      const frame = toDanfo(table);
      const sums = fromDanfo(frame.groupby(['artist']).col(['tempo']).sum());
      expect(sums.rows()[1]).to.deep.equal({ artist: 'b', tempo_sum: 2.5 });
      const filtered = frame
        .query(frame.column('tempo').gt(0.5))
        .sortValues('tempo', { ascending: false });
      expect([...fromDanfo(filtered).numbers('tempo')]).to.deep.equal([16777217, 2.5, 1]);
      expect(fromDanfo(frame.describe(), { index: 'statistic' }).strings('statistic')).to.include(
        'mean',
      );
    });
  });
});
