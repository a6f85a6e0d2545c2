import { expect } from 'chai';
import { noBar, noLogging, TrainingDisplay } from '../../../lib/recital/display/index.js';
import { displayPrefs, formatTime, writeLine } from '../../../lib/recital/display/progress.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { printed } from '../../support/printed.js';

/** What `work` writes into a terminal of this width by process.stderr; of none without a width. */
function onScreen(columns: number | undefined, work: () => void): string {
  const { stderr } = process;
  const before = Object.getOwnPropertyDescriptors(stderr);
  let written = '';
  Object.defineProperty(stderr, 'isTTY', { value: columns !== undefined, configurable: true });
  Object.defineProperty(stderr, 'columns', { value: columns, configurable: true });
  stderr.write = ((text: string) => Boolean((written += text))) as typeof stderr.write;
  try {
    work();
  } finally {
    for (const key of ['isTTY', 'columns', 'write'] as const) {
      Reflect.deleteProperty(stderr, key);
      if (before[key]) Object.defineProperty(stderr, key, before[key]);
    }
  }
  return written;
}

function train(): void {
  const view = new TrainingDisplay(2, 3, ['epoch', 'train_loss', 'valid_loss', 'time']);
  for (let epoch = 0; epoch < 2; epoch++) {
    for (let i = 0; i < 3; i++) view.batch(epoch, i, 3, 0.5, 'train');
    view.row([epoch, 0.5 / (epoch + 1), epoch === 0 ? null : 1, 3725.9 * epoch]);
  }
  view.done();
}

describe('TrainingDisplay, in a plain script', () => {
  it("prints the head and each row as it comes, with fastai's formats", () => {
    expect(printed(train)).to.deep.equal([
      'epoch  train_loss  valid_loss      time',
      '    0    0.500000           –     00:00',
      '    1    0.250000    1.000000   1:02:05',
    ]);
  });

  it('says where it was interrupted', () => {
    const lines = printed(() => {
      const view = new TrainingDisplay(5, 10, ['epoch', 'time']);
      view.row([0, '00:01']);
      view.batch(1, 6, 10, NaN, 'train');
      view.interrupted();
    });
    expect(lines).to.deep.equal([
      'epoch      time',
      '    0     00:01',
      'Interrupted in epoch 1, batch 7 of 10.',
    ]);
  });

  it('refuses a row that does not fit the head', () => {
    const view = new TrainingDisplay(1, 1, ['epoch', 'time']);
    expect(() => view.row([0])).to.throw(ArgumentError, 'needs 2 cells (epoch, time), got 1');
  });

  it('prints nothing under noLogging, and the rows under noBar', () => {
    expect(printed(() => noLogging(train))).to.deep.equal([]);
    expect(printed(() => noBar(train))).to.have.length(3);
  });
});

describe('TrainingDisplay, in a terminal', () => {
  it('writes its bars into one line, which is gone in the end; none under noBar and noLogging', () => {
    const slow = (): void => {
      const view = new TrainingDisplay(1, 2, ['epoch', 'time']);
      for (const end = performance.now() + 110; performance.now() < end; ); // bars are drawn ten times a second
      view.batch(0, 0, 2, 0.5, 'train');
      view.done();
    };
    expect(onScreen(60, () => printed(slow))).to.match(
      /^\repoch 50\.00% \[0\/1 .* {2}train 50\.00% \[1\/2 .*\r {20,}\r$/,
    );
    expect(onScreen(60, () => printed(() => noBar(slow)))).to.equal('');
    expect(onScreen(60, () => printed(() => noLogging(slow)))).to.equal('');
  });
});

describe('writeLine', () => {
  it('writes over the line before, no wider than the terminal, and takes it away', () => {
    const written = onScreen(20, () => {
      writeLine('a line of more than twenty letters');
      writeLine('short');
      writeLine('');
      writeLine('');
    });
    expect(written.split('\r')).to.deep.equal([
      '',
      'a line of more than',
      'short'.padEnd(19),
      ' '.repeat(5),
      '',
    ]);
  });

  it('writes nothing where the output is no terminal', () => {
    expect(onScreen(undefined, () => writeLine('x'))).to.equal('');
  });
});

describe('noBar and noLogging', () => {
  it('last as long as the work, also asynchronous work, and return its value', async () => {
    const inside = noLogging(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return displayPrefs();
    });
    expect(displayPrefs()).to.deep.equal({ bar: true, logging: true });
    expect(await inside).to.deep.equal({ bar: false, logging: false });
    expect(noLogging(() => noBar(() => displayPrefs()))).to.deep.equal({
      bar: false,
      logging: false,
    });
    expect(noBar(() => displayPrefs())).to.deep.equal({ bar: false, logging: true });
  });
});

describe('formatTime', () => {
  it('writes minutes and seconds, and hours only when there are some', () => {
    expect([0, 59.9, 61, 3599, 3600, 36_065].map(formatTime)).to.deep.equal([
      '00:00',
      '00:59',
      '01:01',
      '59:59',
      '1:00:00',
      '10:01:05',
    ]);
  });
});
