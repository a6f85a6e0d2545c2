import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../lib/recital/compute/random.js';
import { type Target, targetsOf } from '../../lib/recital/data/collab-rows.js';
import {
  correlation,
  countsByGenre,
  describe as describeColumns,
  meansByYear,
  missingValues,
  quantile,
  topArtists,
} from '../../lib/recital/data/explore.js';
import { type PlayRecord, Plays } from '../../lib/recital/data/plays.js';
import {
  leaveKOut,
  orderSplit,
  perUserSplit,
  randomSplit,
  type Split,
} from '../../lib/recital/data/splits.js';
import { type Cell, type Column, Table } from '../../lib/recital/data/table.js';
import { Tracks } from '../../lib/recital/data/tracks.js';
import { Vocabulary } from '../../lib/recital/data/vocabulary.js';
import {
  answered,
  asked,
  cells,
  expectFinite,
  numbers,
  runs,
  sparse,
  texts,
} from '../support/hostile.js';

const column: fc.Arbitrary<Column> = fc.oneof(
  fc.array(numbers, { maxLength: 6 }).map((v): Column => Float64Array.from(v)),
  cells,
);
const named: fc.Arbitrary<Record<string, Column>> = fc
  .array(fc.tuple(texts, column), { maxLength: 5 })
  .map(Object.fromEntries);
/** Columns of equal length. */
const table: fc.Arbitrary<Table> = fc.integer({ min: 0, max: 5 }).chain((length) =>
  fc
    .array(
      fc.tuple(
        texts,
        fc.oneof(
          fc
            .array(numbers, { minLength: length, maxLength: length })
            .map((v): Column => Float64Array.from(v)),
          fc.array(fc.option(texts), { minLength: length, maxLength: length }),
        ),
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((all) => new Table(new Map<string, Column>(all))),
);
const cell: fc.Arbitrary<Cell | undefined> = fc.oneof(
  numbers,
  texts,
  fc.boolean(),
  fc.constantFrom(null, undefined),
);
const records = fc.array(
  fc.array(fc.tuple(texts, cell), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  { maxLength: 4 },
);
const id = fc.oneof(texts, numbers, fc.integer({ min: 0, max: 4 }));
const play: fc.Arbitrary<PlayRecord> = fc.record({
  user: id,
  track: id,
  playcount: fc.option(fc.oneof(numbers, fc.integer({ min: 1, max: 9 })), { nil: undefined }),
});
const goodPlay: fc.Arbitrary<PlayRecord> = fc.record({
  user: fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.constantFrom('__proto__', 'constructor', '#na#', '🎵', ''),
  ),
  track: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('__proto__', 'toString', 'é')),
  playcount: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(1e-40, 0.1, 3e38)),
});
const plays = fc
  .array(goodPlay, { maxLength: 12 })
  .map((rows) => asked(() => Plays.fromRows(rows)))
  .filter((answer) => 'value' in answer)
  .map((answer) => (answer as { value: Plays }).value);

/** A catalogue of distinct ids, whatever else is in it. */
const tracks = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 })
  .chain((ids) =>
    fc.record({
      track_id: fc.constant(ids as Column),
      name: fc.array(fc.option(texts), { minLength: ids.length, maxLength: ids.length }),
      artist: fc.array(fc.option(texts), { minLength: ids.length, maxLength: ids.length }),
      genre: fc.array(fc.option(texts), { minLength: ids.length, maxLength: ids.length }),
      year: fc
        .array(numbers, { minLength: ids.length, maxLength: ids.length })
        .map((v) => Float64Array.from(v)),
      energy: fc
        .array(numbers, { minLength: ids.length, maxLength: ids.length })
        .map((v) => Float64Array.from(v)),
    }),
  )
  .map((columns) => new Tracks(new Table(columns)));

/** Every cell of a table as it was asked for. */
function expectCells(
  t: Table,
  rows: readonly Record<string, unknown>[],
  columns: readonly string[],
): void {
  expect([...t.columnNames]).to.deep.equal([...columns]);
  expect(t.length).to.equal(columns.length ? rows.length : 0); // a table without columns has no rows
}

describe('hostile values in tables', () => {
  it('columns of any name, order and length: a table of just these, or an error of ours', () => {
    fc.assert(
      fc.property(named, (columns) => {
        answered(
          asked(() => new Table(columns)),
          (t) => {
            for (const [name, values] of Object.entries(columns))
              expect(t.column(name)).to.equal(values);
            expect(t.columnNames.length).to.equal(Object.keys(columns).length);
            expect(t.rows().length).to.equal(t.length);
            expect(t.toString()).to.be.a('string');
          },
        );
      }),
      runs(300),
    );
  });

  it('records: every field in its column, none from a prototype', () => {
    fc.assert(
      fc.property(records, (rows) => {
        answered(
          asked(() => Table.fromRows(rows)),
          (t) => {
            const names = [...new Set(rows.flatMap((r) => Object.keys(r)))];
            expectCells(t, rows, names);
            for (const [i, row] of rows.entries()) {
              for (const name of names) {
                const wanted = Object.hasOwn(row, name) ? (row[name] ?? null) : null;
                const got = t.column(name)[i];
                if (wanted === null) expect(got === null || Number.isNaN(got)).to.equal(true);
                else expect(String(got)).to.equal(String(wanted));
              }
            }
          },
        );
      }),
      runs(300),
    );
  });

  it('rows, columns and sizes that are not there are refused; the others come as they are', () => {
    fc.assert(
      fc.property(
        table,
        fc.array(numbers, { maxLength: 4 }),
        fc.array(texts, { maxLength: 3 }),
        numbers,
        (t, rows, names, n) => {
          answered(
            asked(() => t.take(rows)),
            (taken) => {
              expect(taken.length).to.equal(rows.length);
              for (const i of rows)
                expect(Number.isInteger(i) && i >= 0 && i < t.length, `row ${i}`).to.equal(true);
            },
          );
          answered(
            asked(() => t.head(n)),
            (head) => expect(head.length).to.equal(Math.min(n, t.length)),
          );
          answered(
            asked(() => t.row(n)),
            (row) => expect(Object.keys(row).sort()).to.deep.equal([...t.columnNames].sort()),
          );
          answered(
            asked(() => t.select(names)),
            (some) => expect(some.columnNames).to.deep.equal([...new Set(names)]),
          );
          for (const name of names) {
            expect(t.has(name)).to.equal(t.columnNames.includes(name));
            asked(() => t.column(name));
            asked(() => t.numbers(name));
            asked(() => t.strings(name));
            answered(
              asked(() => t.withColumn(name, t.column(t.columnNames[0]))),
              (more) =>
                expect(more.columnNames).to.deep.equal([...new Set([...t.columnNames, name])]),
            );
          }
          asked(() => t.toString(n));
        },
      ),
      runs(300),
    );
  });

  it('statistics: finite numbers where the values are moderate, NaN only where a statistic is not defined', () => {
    fc.assert(
      fc.property(
        table,
        fc.option(fc.array(texts, { maxLength: 2 }), { nil: undefined }),
        numbers,
        (t, columns, q) => {
          asked(() => describeColumns(t, columns));
          asked(() => missingValues(t));
          answered(
            asked(() => correlation(t, columns)),
            ({ columns: names, matrix, table: shown }) => {
              expect(matrix.length).to.equal(names.length ** 2);
              for (const r of matrix) expect(Number.isNaN(r) || Math.abs(r) <= 1).to.equal(true);
              expect(shown.columnNames.length).to.equal(names.length + 1);
            },
          );
          answered(
            asked(() => quantile(Float64Array.of(1, 2, 4), q)),
            (x) => expect(x >= 1 && x <= 4).to.equal(true),
          );
        },
      ),
      runs(200),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
          minLength: 3,
          maxLength: 9,
        }),
        fc.constantFrom(1e-160, 1e-300, 1, 1e150, 1e300),
        (pairs, scale) => {
          const x = Float64Array.from(pairs, ([a]) => a);
          const y = Float64Array.from(pairs, ([, b]) => b);
          const r = correlation(new Table({ x, y })).matrix[1];
          const scaled = correlation(
            new Table({ x: x.map((v) => v * scale), y: y.map((v) => v * scale) }),
          ).matrix[1];
          if (Number.isNaN(r)) expect(scaled).to.be.NaN;
          else expect(scaled, 'a correlation does not depend on the unit').to.be.closeTo(r, 1e-9);
        },
      ),
      runs(200),
    );
  });
});

describe('hostile values in vocabularies', () => {
  it('any ids, in any order: each has one index, and it leads back', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 8 }), fc.boolean(), fc.boolean(), (ids, na, sorted) => {
        answered(
          asked(() =>
            sorted ? Vocabulary.fromValues(ids, { na }) : Vocabulary.inOrder(ids, { na }),
          ),
          (v) => {
            expect(v.length).to.equal(new Set([...(na ? ['#na#'] : []), ...ids.map(String)]).size);
            v.classes.forEach((c, i) => {
              expect(v.indexOf(c)).to.equal(i);
              expect(v.id(i)).to.equal(c);
            });
            for (const one of ids) expect(v.has(one)).to.equal(true);
            expect(v.decode(v.encode(ids))).to.deep.equal(ids.map(String));
          },
        );
      }),
      runs(300),
    );
  });

  it('unknown ids and indices are refused in time, with a message that can be read', () => {
    const many = Vocabulary.fromValues(Array.from({ length: 20_000 }, (_, i) => `track ${i}`));
    fc.assert(
      fc.property(
        fc.oneof(id, fc.constant('y'.repeat(1_000_000))),
        numbers,
        fc.array(numbers, { maxLength: 3 }),
        (one, index, indices) => {
          const start = performance.now();
          const answer = asked(() => many.index(one));
          expect(performance.now() - start).to.be.below(2000);
          if ('error' in answer) expect(answer.error.message.length).to.be.below(500);
          asked(() => many.id(index));
          asked(() => many.decode(indices));
          answered(
            asked(() => many.subset(indices)),
            (part) => expect(part.classes).to.deep.equal(indices.map((i) => many.id(i))),
          );
        },
      ),
      runs(100),
    );
  });
});

describe('hostile values in plays', () => {
  it('any records: plays that are positive and finite, or an error of ours', () => {
    fc.assert(
      fc.property(fc.array(play, { maxLength: 8 }), (rows) => {
        answered(
          asked(() => Plays.fromRows(rows)),
          (p) => {
            expect(p.playcount.every((c) => c > 0 && c < Infinity)).to.equal(true);
            expect(p.length + p.repairs.duplicates).to.equal(rows.length);
            expect(new Set(Array.from(p.user, (u, i) => `${u},${p.track[i]}`)).size).to.equal(
              p.length,
            );
          },
        );
      }),
      runs(300),
    );
  });

  it('filters and samples of any size: a part of the plays, compacted, or an error of ours', () => {
    fc.assert(
      fc.property(
        plays,
        numbers,
        numbers,
        fc.array(numbers, { maxLength: 4 }),
        texts,
        (p, n, k, rows, seed) => {
          const part = (q: Plays): void => {
            expect(q.length).to.be.at.most(p.length);
            expect(q.length === 0 || q.users.length > 0).to.equal(true);
          };
          answered(
            asked(() => p.sampleUsers(n, { seed })),
            (q) => {
              part(q);
              expect(q.users.length).to.equal(n);
            },
          );
          answered(
            asked(() => p.minPlays({ perUser: n, perTrack: k })),
            part,
          );
          answered(
            asked(() => p.kCore(k)),
            part,
          );
          answered(
            asked(() => p.take(rows)),
            (q) => expect(q.length).to.equal(rows.length),
          );
          answered(
            asked(() => p.compact()),
            part,
          );
          expect(p.toTable().length).to.equal(p.length);
          asked(() => describeColumns(p));
        },
      ),
      runs(200),
    );
  });

  it('splits of any kind put each row into one part', () => {
    const whole = (n: number) => (split: Split) => {
      const all = [...split.train, ...split.valid, ...(split.test ?? [])];
      expect(all.length).to.equal(n);
      expect(new Set(all).size).to.equal(n);
    };
    fc.assert(
      fc.property(
        plays,
        fc.array(fc.oneof(numbers, fc.constantFrom(0.8, 0.1, 0.2, 0.5, 0)), { maxLength: 4 }),
        sparse({ validPct: numbers, seed: fc.oneof(numbers, texts) }),
        sparse({
          k: numbers,
          which: fc.constantFrom('random' as const, 'last' as const),
          seed: fc.oneof(numbers, texts),
        }),
        numbers,
        (p, ratios, random, keep, n) => {
          answered(
            asked(() => randomSplit(n, random)),
            (split) => {
              if (n < 1e6) whole(n)(split);
              expect(split.train.length).to.be.above(0);
              expect(split.valid.length).to.be.above(0);
            },
          );
          answered(
            asked(() => perUserSplit(p, { ratios, seed: keep.seed })),
            whole(p.length),
          );
          answered(
            asked(() => orderSplit(p, { ratios })),
            whole(p.length),
          );
          answered(
            asked(() => leaveKOut(p, keep)),
            whole(p.length),
          );
        },
      ),
      runs(200),
    );
  });

  it('targets of every kind are finite', () => {
    fc.assert(
      fc.property(
        plays,
        sparse({
          target: fc.constantFrom<Target>('binary', 'log', 'rank', 'count', 'toString' as Target),
          threshold: numbers,
        }),
        (p, options) => {
          answered(
            asked(() => targetsOf(p, options)),
            (targets) => {
              expect(targets.length).to.equal(p.length);
              expectFinite(targets);
            },
          );
        },
      ),
      runs(200),
    );
  });
});

describe('hostile values in a catalogue', () => {
  it('any names: found by them, or an error that lists or suggests', () => {
    fc.assert(
      fc.property(tracks, texts, (t, text) => {
        answered(
          asked(() => t.find(text)),
          (found) => expect(t.has(found)).to.equal(true),
        );
        for (const name of [text, t.ids.id(0)]) {
          t.title(name);
          t.artist(name);
          t.year(name);
          expect(t.label(name)).to.be.a('string');
        }
      }),
      runs(300),
    );
  });

  it('counts and means: a row each, in numbers', () => {
    fc.assert(
      fc.property(
        tracks,
        plays,
        numbers,
        fc.array(fc.oneof(texts, fc.constantFrom('energy', 'year')), { maxLength: 3 }),
        (t, p, n, columns) => {
          for (const data of [t, p, p.withCatalogue(t)]) {
            answered(
              asked(() => topArtists(data, n)),
              (top) => expect(top.length).to.be.at.most(n),
            );
            answered(
              asked(() => countsByGenre(data)),
              (counts) => expectFinite(counts.numbers('tracks')),
            );
          }
          answered(
            asked(() => meansByYear(t, columns)),
            (means) => {
              expectFinite(means.numbers('tracks'));
              expect([...means.numbers('year')]).to.deep.equal(
                [...means.numbers('year')].sort((a, b) => a - b),
              );
            },
          );
          asked(() => correlation(t));
          asked(() => describeColumns(t));
        },
      ),
      runs(150),
    );
  });
});

describe('hostile values in Random', () => {
  it('numbers within their bounds, or an error of ours', () => {
    fc.assert(
      fc.property(fc.oneof(numbers, texts), numbers, texts, (seed, n, name) => {
        answered(
          asked(() => new Random(seed).child(name)),
          (random) => {
            answered(
              asked(() => random.int(n)),
              (x) => expect(Number.isInteger(x) && x >= 0 && x < n).to.equal(true),
            );
            if (!(n > 1e6 && n < 1e12)) {
              answered(
                asked(() => random.permutation(n)),
                (p) =>
                  expect([...p].sort((a, b) => a - b)).to.deep.equal(
                    Array.from({ length: n }, (_, i) => i),
                  ),
              );
            }
            expectFinite([random.uniform(), random.normal()]);
          },
        );
      }),
      runs(300),
    );
  });
});
