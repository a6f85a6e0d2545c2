import { expect } from 'chai';
import { setInterruptScope } from '../../lib/compute/interrupt.js';
import { ArgumentError } from '../../lib/errors.js';
import { type Callback, checkCallback } from '../../lib/learner/callback.js';
import { EarlyStopping } from '../../lib/learner/callbacks/early-stopping.js';
import { makeLearner, rejection } from '../support/learner.js';

describe('a callback', () => {
  it('needs no name: it is called after its class, or callback', async () => {
    class Counting implements Callback {
      epochs = 0;
      afterEpoch(): void {
        this.epochs++;
      }
    }
    const counting = new Counting();
    let batches = 0;
    const learn = makeLearner({ bs: 600, cbs: [counting, { order: 1, afterBatch: () => void batches++ }] });
    await learn.fit(2);
    expect([counting.epochs, batches]).to.deep.equal([2, 6]);
    expect(learn.summary().toString()).to.contain('TrainEval, Counting, callback, Recorder');
    const slow = { afterBatch: async () => {} } as unknown as Callback;
    expect(await rejection(learn.fit(1, 1e-3, { cbs: slow }))).to.contain('callback.afterBatch returned a promise');
  });

  it('is refused with a handler for an event that there is not, its own or inherited, before anything is trained', async () => {
    class Mistaken {
      afterEpohc(): void {}
      afterEpoch(): void {}
    }
    class Heir extends Mistaken {}
    const learn = makeLearner();
    const callbacks = [...learn.cbs];
    const wrong: [object, string][] = [
      [{ afterEpohc: () => {} }, 'A callback has a handler for an event that never comes, "afterEpohc"; did you mean "afterEpoch"?'],
      [
        { name: 'mine', before_fit: () => {} },
        'The callback mine has a handler for an event that never comes, "before_fit"; did you mean "beforeFit"?',
      ],
      [new Heir(), 'The callback Heir has a handler for an event that never comes, "afterEpohc"'],
    ];
    let working = 0;
    const enter = (): (() => void) => {
      working++;
      return () => working--;
    };
    setInterruptScope(() => ({ stopped: false, enter, interrupt() {}, section: (work) => work() }));
    for (const [cb, message] of wrong) {
      expect(() => learn.addCbs(cb as Callback)).to.throw(ArgumentError, message);
      expect(await rejection(learn.fit(1, 1e-3, { cbs: cb as Callback }))).to.contain(message);
    }
    setInterruptScope(() => undefined);
    expect(working).to.equal(0);
    expect(learn.epochsTrained).to.equal(0);
    expect(learn.cbs).to.deep.equal(callbacks);
  });

  it('may have other methods, and fields whose names begin like an event', () => {
    checkCallback({ afterEpoch: () => {}, helper: () => {}, beforeTax: 3 });
    checkCallback({ afterEpoch: () => {}, beforeFit: undefined });
  });

  it('is refused without any handler, with a handler that is none, and as a class', () => {
    const wrong: [unknown, string][] = [
      [Object.create(null), 'A callback has no handler for any event'],
      [{}, 'A callback has no handler for any event'],
      [{ name: 'idle', onEpochEnd: () => {} }, 'The callback idle has no handler for any event'],
      [{ afterEpoch: 5 }, 'afterEpoch of a callback must be a function of the learner, got number'],
      [{ name: 7, afterEpoch: () => {} }, 'The name of a callback must be a string, got number'],
      [EarlyStopping, 'Make one: new EarlyStopping()'],
      [null, 'got null'],
      ['Progress', 'got string'],
    ];
    for (const [cb, message] of wrong) expect(() => checkCallback(cb)).to.throw(ArgumentError, message);
  });
});
