import { existsSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { readSessions, Sessions } from '../../../lib/recital/data/sessions.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import {
  ArgumentError,
  DataError,
  RecitalError,
  UnknownIdError,
} from '../../../lib/recital/errors.js';
import { runs } from '../../support/hostile.js';
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
      expect(inspect(sessions)).to.equal('Sessions: 3 of 6 plays in all, of 3 items');
      expect(() => sessions.session(3)).to.throw(ArgumentError, 'there are 3');
    }
  });

  it('takes sessions by number, with all items', async () => {
    const sessions = await readSessions(folder.write('take.txt', '1 2\n3\n4 5 4\n'));
    const some = sessions.take([2, 0, 2]);
    expect([some.session(0), some.session(1), some.session(2)]).to.deep.equal([
      ['4', '5', '4'],
      ['1', '2'],
      ['4', '5', '4'],
    ]);
    expect(some.items).to.equal(sessions.items);
    expect(sessions.take([]).length).to.equal(0);
    for (const s of [-1, 3, 0.5])
      expect(() => sessions.take([s])).to.throw(ArgumentError, 'there are 3');
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

  it('reads a table with a played item a row, GRU4Rec’s, by the names of its columns and in order of time', async () => {
    const rows = [
      'ItemId,extra,SessionId,Time',
      '9,x,2,30',
      '7,x,1,1396861807.914',
      '8,x,1,1396861749.277',
      '7,x,2,20',
      '9,x,1,1396861749.277',
    ];
    for (const delimiter of [',', '\t', ';', '|', '::', ' ']) {
      const sessions = await readSessions(
        folder.write('gru.txt', rows.join('\n').replaceAll(',', delimiter)),
      );
      expect(list(sessions), delimiter).to.deep.equal([
        ['7', '9'],
        ['8', '9', '7'],
      ]);
      expect(sessions.ids).to.deep.equal(['2', '1']);
      expect(sessions.take([1]).ids).to.deep.equal(['1']);
    }
    const of = async (text: string, options?: object): Promise<string[][]> =>
      list(await readSessions(folder.write('of.txt', text), options));
    expect(await of('session_id,track_id\n1,"a, b"\n2,c\n1,d\n')).to.deep.equal([
      ['a, b', 'd'],
      ['c'],
    ]);
    expect(
      await of('user,song,when\nu,a,2\nu,b,1\n', {
        columns: { session: 'user', item: 'song', time: 'when' },
      }),
    ).to.deep.equal([['b', 'a']]);
    expect(
      await of('1,2014-04-07T10:51:09.277Z,5,0\n1,2014-04-07T10:50:09Z,6,0\n', {
        columns: { session: 0, item: 2, time: 1 },
      }),
    ).to.deep.equal([['6', '5']]);
    expect(await of('1 5 20\n1 6 10\n', { names: ['SessionId', 'ItemId', 'Time'] })).to.deep.equal([
      ['6', '5'],
    ]);
    expect(await of('user item\na b\n', { header: false })).to.deep.equal([
      ['user', 'item'],
      ['a', 'b'],
    ]);
  });

  it('refuses a table of which it does not know what is what, and rows that are none', async () => {
    expect((await refused('user_id item_id ts\n1 a 3\n')).message)
      .to.include('line 1: it looks like a table')
      .and.include('no column of the sessions: its columns are user_id, item_id, ts')
      .and.include('{ header: false }');
    expect((await refused('session_id,item_id,track_id\n1,a,b\n')).message).to.include(
      'no column of the items',
    );
    expect((await refused('SessionId,ItemId\n1,a\n2,\n')).message).to.include(
      'line 3, column "ItemId": expected an id',
    );
    expect((await refused('SessionId,ItemId\n,a\n')).message).to.include(
      'line 2, column "SessionId": expected an id',
    );
    expect((await refused('SessionId,ItemId\n1,a\n2\n')).message).to.include(
      'line 3: expected 2 columns, found 1',
    );
    expect((await refused('SessionId,ItemId,Time\n1,a,3\n1,b,soon\n')).message)
      .to.include('line 3, column "Time": expected a time')
      .and.include('got soon');
    expect((await refused('SessionId,ItemId\n')).message).to.include('a header and no row');
    expect(
      (await refused('SessionId,ItemId\n1,a\n', { columns: { time: 'Time' } })).message,
    ).to.include('Unknown column "Time"');
    expect(
      (await refused('SessionId,ItemId\n1,a\n', { columns: { sesion: 0 } })).message,
    ).to.include('did you mean "session"');
    expect((await refused('SessionId,ItemId\n1,a\n', { user: false })).message).to.include(
      'line 1, names columns: SessionId, ItemId',
    );
    expect((await refused('1,a\n', { user: true, names: ['session', 'item'] })).message).to.include(
      'Leave out user',
    );
    expect((await refused('a b\n', { quote: '"' })).message).to.include('quote is for tables');
    expect((await refused('a b\n', { encodin: 'latin1' })).message).to.include(
      'did you mean "encoding"',
    );
  });

  it('takes the first id of a line for the user if told so, and asks where nobody can tell', async () => {
    const of = async (
      text: string,
      user?: boolean,
    ): Promise<[string[][], readonly string[] | undefined]> => {
      const sessions = await readSessions(folder.write('users.txt', text), { user });
      return [list(sessions), sessions.ids];
    };
    expect(await of('7 12 5\n3 5\n9\n', true)).to.deep.equal([
      [['12', '5'], ['5']],
      ['7', '3'],
    ]);
    expect(
      (await readSessions(folder.write('users.txt', '7 12 5\n'), { user: true })).items.classes,
    ).to.deep.equal(['5', '12']);
    const unclear: [string, string][] = [
      ['0 5\n1 5\n', 'They count the lines'],
      ['1 5\n2 7\n3 1\n', 'They count the lines'],
      ['2 1\n5 3\n5 2\n8 1\n9 9\n', 'They never fall'],
      ['u a\nv a\nw b\nx a\ny b\n', 'They are all different, and stand nowhere else'],
      ['1 5 10\n1 6 11\n2 5 12\n2 6 13\n3 5 14\n', "{ names: ['SessionId', 'ItemId', 'Time'] }"],
    ];
    for (const [text, why] of unclear) {
      const error = await refused(text);
      expect(error, text).to.be.instanceOf(DataError);
      expect(error.message)
        .to.include(why)
        .and.include('{ user: true }')
        .and.include('{ user: false }');
      expect((await of(text, false))[0][0][0]).to.equal(text.split(' ')[0]);
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
      expect((await of(clear))[1], clear).to.equal(undefined);
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

  it('is made of records and tables, in order of time, rows of one time in theirs', () => {
    const rows = [
      { session: 's', item: 1, time: 20 },
      { session: 2, item: 'b', time: 5 },
      { session: 's', item: 3, time: 10 },
      { session: 's', item: 1, time: 20 },
      { session: 's', item: 0, time: 20 },
    ];
    const made = Sessions.fromRows(rows);
    expect(list(made)).to.deep.equal([['3', '1', '1', '0'], ['b']]);
    expect(made.ids).to.deep.equal(['s', '2']);
    expect(
      list(Sessions.fromRows(rows.map(({ session, item }) => ({ session, item })))),
    ).to.deep.equal([['1', '3', '1', '0'], ['b']]);
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
      [
        () => Sessions.fromRows([{ session: 1, itm: 2 } as never]),
        /field "itm"; did you mean "item"/,
      ],
      [() => Sessions.fromRows([{ session: 1 } as never]), /Row 0 .*the item must be a text/],
      [
        () => Sessions.fromRows([{ session: 2 ** 53, item: 1 }]),
        /the session must be a text, or a number below/,
      ],
      [
        () =>
          Sessions.fromRows([
            { session: 1, item: 1, time: 1 },
            { session: 1, item: 1 },
          ]),
        /Row 1 .*has no time/,
      ],
      [
        () => Sessions.fromRows([{ session: 1, item: 1, time: 'soon' }]),
        /expected a time.*got soon/,
      ],
      [() => Sessions.fromRows([], { item: 1 } as never), /no option "item"; did you mean "items"/],
      [
        () => Sessions.fromTable(table),
        /Unknown column "session_id".*\{ columns: \{ session: '…' \} \}/,
      ],
      [
        () => Sessions.fromTable(new Table({ session: ['a', null], item: ['b', 'c'] })),
        /Row 1 .*the session must be a text/,
      ],
      [
        () => new Sessions(Vocabulary.fromValues(['a']), Int32Array.of(0, 1), Int32Array.of(0), []),
        /1 sessions and 0 ids/,
      ],
    ];
    for (const [work, message] of wrong)
      expect(work, String(message)).to.throw(RecitalError, message);
  });

  it('any texts are items and sessions of a quoted table, and come back as they are (property)', async () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => text.trim() === text && !/[\0\r\n"]/.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 8 }),
        async (rows) => {
          const text = [
            'SessionId,ItemId',
            ...rows.map((row) => row.map((id) => `"${id}"`).join(',')),
          ].join('\n');
          const wanted = Sessions.fromRows(rows.map(([session, item]) => ({ session, item })));
          const read = await readSessions(folder.write('any.csv', text));
          expect([list(read), read.ids]).to.deep.equal([list(wanted), wanted.ids]);
          expect(list(wanted).flat().sort()).to.deep.equal(rows.map(([, item]) => item).sort());
        },
      ),
      runs(25),
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
