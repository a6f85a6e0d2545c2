import { expect } from 'chai';
import fc from 'fast-check';
import { sql } from '../../lib/recital/data/files/sql.js';
import { Plays } from '../../lib/recital/data/plays.js';
import { type Column, Table } from '../../lib/recital/data/table.js';
import { answered, anything, askedLater, numbers, runs, texts } from '../support/hostile.js';

const values = fc.array(fc.tuple(numbers, fc.option(texts)), { minLength: 1, maxLength: 4 });

describe('hostile values in SQL', () => {
  it('queries that are none: the explanation of DuckDB in an error of ours', async () => {
    const word = fc.oneof(
      texts,
      fc.constantFrom(
        'select',
        '*',
        'from',
        't',
        'where',
        'group by',
        '1',
        ',',
        '(',
        ')',
        "'",
        '"',
        '1/0',
        'null',
        "'nan'::double",
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { maxLength: 6 }).map((words) => words.join(' ')),
        async (query) => {
          const t = new Table({ x: Float64Array.of(1, NaN) });
          const answer = await askedLater(() => sql(query, { tables: { t } }));
          if ('error' in answer)
            expect(answer.error.message).to.match(
              /^(The query failed|The query holds no statement|A query is a text)/,
            );
        },
      ),
      runs(60),
    );
  });

  it('names of tables and columns: usable when quoted, or refused', async () => {
    await fc.assert(
      fc.asyncProperty(texts, texts, texts, values, async (name, first, second, rows) => {
        const columns: [string, Column][] = [
          [first, Float64Array.from(rows, ([x]) => x)],
          [second, rows.map(([, text]) => text)],
        ];
        const t = new Table(new Map(columns));
        const answer = await askedLater(() =>
          sql(`select * from "${name.replaceAll('"', '""')}"`, { tables: { [name]: t } }),
        );
        answered(answer, (found) => {
          expect([found.length, found.columnNames.length]).to.deep.equal([
            t.length,
            t.columnNames.length,
          ]);
          if (first !== second)
            expect([...found.numbers(found.columnNames[0])]).to.deep.equal([...t.numbers(first)]);
        });
      }),
      runs(40),
    );
  });

  it('plays under any name, and what is no table at all', async () => {
    const plays = Plays.fromRows([{ user: '__proto__', track: 'é', playcount: 2 }]);
    await fc.assert(
      fc.asyncProperty(texts, anything, async (name, data) => {
        await askedLater(() =>
          sql(`select playcount from "${name.replaceAll('"', '""')}"`, {
            tables: { [name]: plays },
          }),
        );
        await askedLater(() => sql('select 1', { tables: { x: data as Table } }));
        await askedLater(() => sql(data as string), { types: true });
      }),
      runs(25),
    );
    const own = await sql('select 1 as "__proto__", 2 as constructor, 3 as "2", 4 as "1"');
    expect(own.columnNames).to.deep.equal(['__proto__', 'constructor', '2', '1']);
  });
});
