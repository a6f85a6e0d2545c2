import { expect } from 'chai';
import { threadLimit } from '../../../../lib/recital/compute/threads.js';
import { sql } from '../../../../lib/recital/index.js';

describe('RECITAL_THREADS', () => {
  const before = process.env.RECITAL_THREADS;
  afterEach(() => {
    if (before === undefined) delete process.env.RECITAL_THREADS;
    else process.env.RECITAL_THREADS = before;
  });

  it('limits the threads that read files, too', async () => {
    for (const threads of ['1', '3']) {
      process.env.RECITAL_THREADS = threads;
      expect((await sql("select current_setting('threads') as n")).row(0).n).to.equal(
        Number(threads),
      );
    }
  });

  it('is no limit where it is no whole number of 1 or more', () => {
    for (const wrong of ['', '0', '-2', '1.5', 'many']) {
      process.env.RECITAL_THREADS = wrong;
      expect(threadLimit(), wrong).to.equal(undefined);
    }
  });
});
