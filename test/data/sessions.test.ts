import { existsSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { readSessions } from '../../lib/data/sessions.js';
import { ArgumentError, DataError, UnknownIdError } from '../../lib/errors.js';
import { rejection, TemporaryFolder } from './temporary.js';

const data = path.resolve(__dirname, '../../../shared/data/nowplaying');

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
    for (const s of [-1, 3, 0.5]) expect(() => sessions.take([s])).to.throw(ArgumentError, 'there are 3');
  });

  it('sorts ids that are not all numbers as text, and encodes with given items', async () => {
    const train = await readSessions(folder.write('train.txt', 'b a 10\n'));
    expect(train.items.classes).to.deep.equal(['10', 'a', 'b']);
    const test = await readSessions(folder.write('test.txt', 'a b a\n'), { items: train.items });
    expect([...test.item]).to.deep.equal([1, 2, 1]);
    expect(await rejection(readSessions(folder.write('new.txt', 'c\n'), { items: train.items }))).to.be.instanceOf(UnknownIdError);
  });

  it('refuses a missing, an empty, a blank, a cut-off and a binary file', async () => {
    const messages: [string, string][] = [
      [path.join(folder.path, 'no.txt'), 'There is no file'],
      [folder.write('empty.txt', ''), 'is empty'],
      [folder.write('blank.txt', '\n \n'), 'is blank'],
      [folder.write('cut.txt.gz', gzipSync('1 2 3\n'.repeat(1000)).subarray(0, 30)), 'cut-off or damaged'],
      [folder.write('binary.txt', Buffer.of(1, 0, 2)), 'not a text file'],
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
    const test = await readSessions(path.join(data, 'test_sessions.txt.gz'), { items: train.items });
    expect([train.length, test.length, train.items.length]).to.deep.equal([128077, 14479, 60416]);
    expect(test.item.length - test.length).to.equal(89824);
  });
});
