import { existsSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { readTable } from '../../../lib/recital/data/files/read-table.js';
import {
  readSessions,
  Sessions,
  type SessionsColumnNames,
} from '../../../lib/recital/data/sessions.js';
import { type Cell, Table } from '../../../lib/recital/data/table.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import {
  ArgumentError,
  DataError,
  RecitalError,
  UnknownIdError,
} from '../../../lib/recital/errors.js';
import { rejection, TemporaryFolder } from './temporary.js';

const data = path.resolve(__dirname, '../../../../shared/data/nowplaying');

describe('readSessions', () => {
  const folder = new TemporaryFolder();

  it('reads a session a line, in order, repeats included', async () => {
    const text = '10 9 10\r\n\n 2\n9 2';
    for (const file of [folder.write('a.txt', text), folder.write('a.txt.gz', gzipSync(text))]) {
      const sessions = await readSessions(file);
      expect(sessions.items.classes).to.deep.equal(['2', '9', '10']);
      expect([...sessions.indptr]).to.deep.equal([0, 3, 4, 6]);
      expect([...sessions.item]).to.deep.equal([2, 1, 2, 0, 1, 0]);
      expect(sessions.session(0)).to.deep.equal(['10', '9', '10']);
      expect(inspect(sessions)).to.equal('Sessions: 6 plays of 3 sessions, of 3 tracks');
      expect(() => sessions.session(3)).to.throw(ArgumentError, 'there are 3');
    }
  });

  it('sorts ids that are not all numbers as text, and encodes with given items', async () => {
    const train = await readSessions(folder.write('train.txt', 'b a 10\n'));
    expect(train.items.classes).to.deep.equal(['10', 'a', 'b']);
    const test = await readSessions(folder.write('test.txt', 'a b a\n'), { items: train.items });
    expect([...test.item]).to.deep.equal([1, 2, 1]);
    expect(
      await rejection(readSessions(folder.write('new.txt', 'c\n'), { items: train.items })),
    ).to.be.instanceOf(UnknownIdError);
  });

  const list = (sessions: Sessions): string[][] =>
    Array.from({ length: sessions.length }, (_, s) => sessions.session(s));
  const refused = async (text: string | Buffer, options?: object): Promise<Error> =>
    rejection(readSessions(folder.write('refused.txt', text), options));

  it('is made of a table with a played item a row, GRU4Rec’s, by the names of its columns and in order of time', async () => {
    const rows = [
      'ItemId,extra,SessionId,Time',
      '9,x,2,30',
      '7,x,1,1396861807.914',
      '8,x,1,1396861749.277',
      '7,x,2,20',
      '9,x,1,1396861749.277',
    ];
    const of = async (text: string, columns?: SessionsColumnNames): Promise<Sessions> =>
      Sessions.fromTable(await readTable(folder.write('of.csv', text)), { columns });
    for (const delimiter of [',', '\t', ';', '|']) {
      const sessions = await of(rows.join('\n').replaceAll(',', delimiter));
      expect(list(sessions), delimiter).to.deep.equal([
        ['7', '9'],
        ['8', '9', '7'],
      ]);
    }
    expect(list(await of('session_id,track_id\n1,"a, b"\n2,c\n1,d\n'))).to.deep.equal([
      ['a, b', 'd'],
      ['c'],
    ]);
    const named = { session: 'user', item: 'song', time: 'when' };
    expect(list(await of('user,song,when\nu,a,2\nu,b,1\n', named))).to.deep.equal([['b', 'a']]);
    const at = { session: 0, item: 2, time: 1 };
    expect(list(await of('a,when,b,c\n1,2010-01-02,5,0\n1,2010-01-01,6,0\n', at))).to.deep.equal([
      ['6', '5'],
    ]);
    for (const [columns, message] of [
      [{ session: 'a', item: 4 }, 'Unknown column "4"'],
      [{ session: 'a', item: 'b', time: 'Time' }, 'Unknown column "Time"'],
      [{ sesion: 0 }, 'did you mean "session"'],
      [{ session: -1 }, 'columns.session must be a name, or a position from 0'],
    ] as [SessionsColumnNames, string][])
      expect((await rejection(of('a,b\n1,2\n', columns))).message).to.include(message);
    expect((await rejection(of('session_id,item_id,track_id\n1,a,b\n'))).message).to.include(
      'Unknown column "item_id"',
    );
  });

  it('refuses a table, which is no session a line', async () => {
    for (const names of ['SessionId,ItemId', 'user item', 'user_id item_id ts', 'session|time']) {
      expect((await refused(`${names}\n1 a 3\n`)).message, names)
        .to.include('line 1, names columns:')
        .and.include('Sessions.fromTable')
        .and.include('{ header: false }');
    }
    const read = await readSessions(folder.write('of.txt', 'user item\na b\n'), { header: false });
    expect(list(read)).to.deep.equal([
      ['user', 'item'],
      ['a', 'b'],
    ]);
    for (const [options, message] of [
      [{ header: true }, 'header is false or left out'],
      [{ quote: '"' }, 'no option "quote"'],
      [{ user: 1 }, 'user must be true or false'],
      [{ encodin: 'latin1' }, 'did you mean "encoding"'],
    ] as const)
      expect((await refused('a b\n', options)).message).to.include(message);
  });

  it('takes the first id of a line for the user if told so, and asks where nobody can tell', async () => {
    const of = async (text: string, user?: boolean): Promise<string[][]> =>
      list(await readSessions(folder.write('users.txt', text), { user }));
    expect(await of('7 12 5\n3 5\n9\n', true)).to.deep.equal([['12', '5'], ['5']]);
    expect(
      (await readSessions(folder.write('users.txt', '7 12 5\n'), { user: true })).items.classes,
    ).to.deep.equal(['5', '12']);
    const unclear: [string, string][] = [
      ['0 5\n1 5\n', 'They count the lines'],
      ['1 5\n2 7\n3 1\n', 'They count the lines'],
      ['2 1\n5 3\n5 2\n8 1\n9 9\n', 'They never fall'],
      ['u a\nv a\nw b\nx a\ny b\n', 'They are all different, and occur nowhere else'],
      ['1 5 10\n1 6 11\n2 5 12\n2 6 13\n3 5 14\n', 'They never fall'],
    ];
    for (const [text, why] of unclear) {
      const error = await refused(text);
      expect(error, text).to.be.instanceOf(DataError);
      expect(error.message)
        .to.include(why)
        .and.include('{ user: true }')
        .and.include('{ user: false }');
      expect((await of(text, false))[0][0]).to.equal(text.split(' ')[0]);
    }
    for (const clear of [
      '2 5\n3 7\n',
      '0 5\n2 5\n',
      '1 5\n',
      '2 1\n5 3\n4 2\n8 1\n9 9\n',
      'u a\nv a\nw b\nx a\ny u\n',
      'u a\nv a\nw b\nx a\ny\n',
      '5 1\n5 2\n5 3\n5 4\n5 6\n',
    ]) {
      expect((await of(clear))[0][0], clear).to.equal(clear[0]);
    }
  });

  it('reads every byte in one encoding: what is none is refused, wherever it stands', async () => {
    const late = Buffer.from(`${'a b c\n'.repeat(20_000)}caf\xe9 caf\xe8\n`, 'latin1');
    expect((await refused(late)).message)
      .to.include('line 20001: expected text in UTF-8')
      .and.include("{ encoding: 'latin1' }");
    const sessions = await readSessions(folder.write('latin.txt', late), { encoding: 'latin1' });
    expect(sessions.session(20_000)).to.deep.equal(['café', 'cafè']);
    expect(
      list(
        await readSessions(folder.write('tabs.txt', '# made by me\na b\tc\n'), {
          delimiter: '\t',
          comment: '#',
        }),
      ),
    ).to.deep.equal([['a b', 'c']]);
  });

  it('is made of a table, in order of time, rows of one time in theirs', () => {
    const rows = [
      { session: 's', item: 1, time: 20 },
      { session: 2, item: 'b', time: 5 },
      { session: 's', item: 3, time: 10 },
      { session: 's', item: 1, time: 20 },
      { session: 's', item: 0, time: 20 },
    ];
    const of = (records: readonly Record<string, Cell>[]): Sessions =>
      Sessions.fromTable(Table.fromRows(records));
    expect(list(of(rows))).to.deep.equal([['3', '1', '1', '0'], ['b']]);
    expect(list(of(rows.map(({ session, item }) => ({ session, item }))))).to.deep.equal([
      ['1', '3', '1', '0'],
      ['b'],
    ]);
    const table = new Table({
      who: ['u', 'u'],
      song: ['x', 'y'],
      when: ['2010-01-02', '2010-01-01'],
    });
    const options = {
      columns: { session: 'who', item: 'song', time: 'when' },
      items: Vocabulary.inOrder(['y', 'x']),
    };
    expect([...Sessions.fromTable(table, options).item]).to.deep.equal([0, 1]);
    const wrong: [() => unknown, RegExp][] = [
      [() => of([{ session: 1, itm: 2 }]), /Unknown column "item_id"/],
      [() => of([{ session: 1, item: null }]), /Row 0 .*has no item/],
      [() => of([{ session: 2 ** 53, item: 1 }]), /Row 0 .*the session 9007199254740992/],
      [
        () =>
          of([
            { session: 1, item: 1, time: 1 },
            { session: 1, item: 1 },
          ]),
        /Row 1 .*expected a time.*got NaN/,
      ],
      [() => of([{ session: 1, item: 1, time: 'soon' }]), /expected a time.*got soon/],
      [
        () => Sessions.fromTable(table, { item: 1 } as never),
        /no option "item"; did you mean "items"/,
      ],
      [() => Sessions.fromTable(rows as never), /Table.fromRows makes one of records/],
      [
        () => Sessions.fromTable(table),
        /Unknown column "session_id".*\{ columns: \{ session: '…' \} \}/,
      ],
      [
        () => Sessions.fromTable(new Table({ session: ['a', null], item: ['b', 'c'] })),
        /Row 1 .*has no session/,
      ],
    ];
    for (const [work, message] of wrong)
      expect(work, String(message)).to.throw(RecitalError, message);
  });

  it('any texts are items and sessions, and come back as they are (property)', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 8 }), (rows) => {
        const made = Sessions.fromTable(
          Table.fromRows(rows.map(([session, item]) => ({ session, item }))),
        );
        const ids = [...new Set(rows.map(([session]) => session))];
        ids.forEach((id, s) => {
          const own = rows.filter(([session]) => session === id).map(([, item]) => item);
          expect(made.session(s)).to.deep.equal(own);
        });
      }),
    );
  });

  it('refuses a missing, an empty, a blank, a cut-off and a binary file', async () => {
    const messages: [string, string][] = [
      [path.join(folder.path, 'no.txt'), 'There is no file'],
      [folder.write('empty.txt', ''), 'is empty'],
      [folder.write('blank.txt', '\n \n'), 'is blank'],
      [
        folder.write('cut.txt.gz', gzipSync('1 2 3\n'.repeat(1000)).subarray(0, 30)),
        'cut-off or damaged',
      ],
      [folder.write('binary.txt', Buffer.of(1, 0, 2)), 'not a text file'],
      [
        folder.write('real.parquet', 'PAR1'),
        'readTable reads it, and Sessions.fromTable takes its table',
      ],
    ];
    for (const [file, message] of messages) {
      const error = await rejection(readSessions(file));
      expect(error).to.be.instanceOf(DataError);
      expect(error.message).to.include(message);
    }
  });

  it('reads #nowplaying (skipped where ../shared/data is absent)', async function () {
    if (!existsSync(data)) this.skip();
    const train = await readSessions(path.join(data, 'train_sessions.txt.gz'));
    const test = await readSessions(path.join(data, 'test_sessions.txt.gz'), {
      items: train.items,
    });
    expect([train.length, test.length, train.items.length]).to.deep.equal([128077, 14479, 60416]);
    expect(test.item.length - test.length).to.equal(89824);
  });
});
