import { expect } from 'chai';
import { ArgumentError } from '../../lib/errors.js';
import { noBar, noLogging, TrainingDisplay } from '../../lib/notebook/index.js';
import { displayPrefs } from '../../lib/notebook/prefs.js';
import { formatTime } from '../../lib/notebook/progress.js';
import { printed } from '../support/printed.js';

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
    expect(lines).to.deep.equal(['epoch      time', '    0     00:01', 'Interrupted in epoch 1, batch 7 of 10.']);
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

describe('noBar and noLogging', () => {
  it('last as long as the work, also asynchronous work, and return its value', async () => {
    const inside = noLogging(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return displayPrefs();
    });
    expect(displayPrefs()).to.deep.equal({ bar: true, logging: true });
    expect(await inside).to.deep.equal({ bar: false, logging: false });
    expect(noLogging(() => noBar(() => displayPrefs()))).to.deep.equal({ bar: false, logging: false });
    expect(noBar(() => displayPrefs())).to.deep.equal({ bar: false, logging: true });
  });
});

describe('formatTime', () => {
  it('writes minutes and seconds, and hours only when there are some', () => {
    expect([0, 59.9, 61, 3599, 3600, 36_065].map(formatTime)).to.deep.equal(['00:00', '00:59', '01:01', '59:59', '1:00:00', '10:01:05']);
  });
});
