import { expect } from 'chai';
import { InterruptChannel } from '../../../lib/kernel/tslab/interrupt-channel.js';
import {
  InterruptGuard,
  type InterruptScope,
  interruptible,
  type Stop,
  setInterruptScope,
  stoppable,
} from '../../../lib/recital/compute/interrupt.js';
import { type Display, sayInterrupted, setDisplay } from '../../../lib/recital/data/output.js';
import { InterruptedError } from '../../../lib/recital/errors.js';

const control = new InterruptChannel();

/** A cell of a notebook. */
class Cell implements InterruptScope {
  stopped = false;
  readonly work = new Set<{ interrupt(): void }>();
  enter(work: { interrupt(): void }): () => void {
    this.work.add(work);
    return () => void this.work.delete(work);
  }
  section<T>(work: () => T): T {
    return control.section(work);
  }
  interrupt(): void {
    this.stopped = true;
    for (const work of this.work) work.interrupt();
  }
}

const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

describe('InterruptGuard', () => {
  it('hears SIGINT in a script, from its first turn until it is stopped', async () => {
    const guard = new InterruptGuard();
    expect(await guard.turn()).to.equal(false);
    process.emit('SIGINT');
    expect([guard.interrupted, await guard.turn()]).to.deep.equal([true, true]);
    guard.stop();
    expect(process.listenerCount('SIGINT')).to.equal(0);
  });

  it('is due 50 ms after the last turn, of whatever guard, and gives none before', async () => {
    const other = new InterruptGuard();
    await other.turn();
    other.stop();
    const guard = new InterruptGuard();
    expect(guard.due()).to.equal(false);
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    expect(turned).to.equal(false);
    busy(55);
    expect(guard.due()).to.equal(true);
    await guard.turn();
    expect(turned).to.equal(true);
    guard.stop();
  });

  it('has something done elsewhere as soon as it is interrupted, once', () => {
    const done: string[] = [];
    const guard = new InterruptGuard(() => done.push('a'));
    expect(done).to.deep.equal([]);
    guard.interrupt();
    expect(done).to.deep.equal(['a']);
    guard.interrupt();
    guard.stop();
    expect(done).to.deep.equal(['a']);
  });

  it('lets the outermost work speak, in one line', () => {
    const lines: string[] = [];
    const silent: Display = {
      table() {},
      chart() {},
      text: (line) => lines.push(`text ${line}`),
      warn() {},
    };
    const before = setDisplay(silent);
    const outer = new InterruptGuard();
    const inner = new InterruptGuard();
    for (const guard of [outer, inner]) guard.interrupt();
    sayInterrupted(inner, 'training');
    inner.stop();
    sayInterrupted(outer, 'search');
    setDisplay({ ...silent, interrupted: (line) => lines.push(`interrupted ${line}`) });
    sayInterrupted(outer, 'search');
    outer.stop();
    const other = new InterruptGuard(); // of work that goes on, and says nothing
    const stopped = new InterruptGuard();
    stopped.interrupt();
    sayInterrupted(stopped, 'load');
    for (const guard of [other, stopped]) guard.stop();
    setDisplay(before);
    expect(lines).to.deep.equal(['text search', 'interrupted search', 'interrupted load']);
  });
});

describe('in a cell of a notebook, InterruptGuard', () => {
  let cell: Cell;
  beforeEach(() => {
    cell = new Cell();
    setInterruptScope(() => cell);
  });
  afterEach(() => setInterruptScope(() => undefined));

  it('is interrupted with its cell, without a listener of its own', async () => {
    const guard = new InterruptGuard();
    await guard.turn();
    expect(process.listenerCount('SIGINT')).to.equal(0);
    cell.interrupt();
    expect(await guard.turn()).to.equal(true);
    guard.stop();
    expect(cell.work.size).to.equal(0);
  });

  it('does not begin in one that was stopped; another cell is another matter', () => {
    cell.interrupt();
    expect(() => new InterruptGuard()).to.throw(InterruptedError, 'The cell was stopped.');
    expect(() => interruptible(() => 1)).to.throw(InterruptedError, 'The cell was stopped.');
    cell = new Cell();
    new InterruptGuard().stop();
    expect(interruptible(() => 1)).to.equal(1);
  });

  it('runs work that gives no turns so that SIGINT ends it, and tells the cell', () => {
    const before = performance.now();
    let seen = 0;
    const work = (): void => {
      process.kill(process.pid, 'SIGINT');
      for (seen = 1; performance.now() - before < 10_000; ) seen++;
    };
    expect(() => interruptible(work)).to.throw(InterruptedError);
    expect(performance.now() - before).to.be.below(5_000);
    expect(seen).to.be.greaterThan(0);
    expect(cell.stopped).to.equal(true);
  });

  it('passes on what such work returns and throws', () => {
    expect(interruptible(() => interruptible(() => 7))).to.equal(7);
    expect(() =>
      interruptible(() => {
        throw new RangeError('its own');
      }),
    ).to.throw(RangeError, 'its own');
  });
});

describe('stoppable', () => {
  /** Counts its steps until it is told to stop. */
  function* steps(n: number, each: (i: number) => void): Generator<void, number, Stop | undefined> {
    for (let i = 1; i <= n; i++) {
      each(i);
      if (yield) return i;
    }
    return 0;
  }

  it('returns what the work returns, and hears no SIGINT afterwards', async () => {
    expect(await stoppable(steps(1000, () => {}))).to.equal(0);
    expect(process.listenerCount('SIGINT')).to.equal(0);
  });

  it('tells the work to stop, which returns what it has', async () => {
    let told = 0;
    const onStop = (): void => void told++;
    const at = await stoppable(
      steps(1000, (i) => void (i === 3 && process.emit('SIGINT'))),
      { onStop },
    );
    expect([at, told]).to.deep.equal([3, 1]);
  });

  it('gives the event loop a turn when it is due, and awaits work that awaits', async () => {
    let turns = 0;
    let going = true;
    const count = (): void => {
      turns++;
      if (going) setImmediate(count);
    };
    setImmediate(count);
    async function* work(): AsyncGenerator<void, string, Stop | undefined> {
      for (let i = 0; i < 3; i++) {
        busy(55);
        yield;
        await undefined;
      }
      return 'all';
    }
    expect(await stoppable(work())).to.equal('all');
    going = false;
    expect(turns).to.be.within(3, 20);
  });

  it('passes an error on, and ends', async () => {
    let message = '';
    await stoppable(
      steps(2, () => {
        throw new Error('within');
      }),
    ).catch((error: Error) => {
      message = error.message;
    });
    expect([message, process.listenerCount('SIGINT')]).to.deep.equal(['within', 0]);
  });

  it('tells inner work that it is not the outermost', async () => {
    let inner: boolean | undefined;
    async function* outer(): AsyncGenerator<void, boolean, Stop | undefined> {
      function* within(): Generator<void, void, Stop | undefined> {
        process.emit('SIGINT');
        busy(55);
        const stop = yield;
        inner = stop?.outermost;
      }
      await stoppable(within());
      const stop = yield;
      return Boolean(stop?.outermost);
    }
    expect(await stoppable(outer())).to.equal(true);
    expect(inner).to.equal(false);
  });
});
