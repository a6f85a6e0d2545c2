import { expect } from 'chai';
import { setInterruptScope } from '../../../lib/recital/compute/interrupt.js';
import { Random } from '../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { noLogging } from '../../../lib/recital/index.js';
import {
  type Callback,
  CancelEpochException,
  checkCallback,
} from '../../../lib/recital/learner/callback.js';
import { EarlyStopping } from '../../../lib/recital/learner/callbacks/trackers.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import type { LogRow } from '../../../lib/recital/learner/recorder.js';
import { EmbeddingDotBias } from '../../../lib/recital/models/embedding-dot-bias.js';
import { makeLearner, rejection } from '../../support/learner.js';
import { plantedRatings } from '../../support/synthetic.js';

describe('a callback', () => {
  for (const order of [-20, undefined, 51]) {
    it(`find the row of this epoch in the record at its end, whatever their order: ${order}`, async () => {
      for (const validated of [true, false]) {
        const table = plantedRatings();
        const split = { train: Int32Array.from({ length: table.length }, (_, i) => i), valid: [] };
        const dls = CollabDataLoaders.fromTable(table, validated ? {} : { split });
        const learn = new Learner(
          dls,
          new EmbeddingDotBias(4, dls.classes, { random: new Random(1) }),
        );
        const seen: LogRow[] = [];
        const look: Callback = {
          name: 'look',
          order,
          afterEpoch: ({ recorder, epoch }) => {
            expect(recorder.values).to.have.length(epoch + 1);
            expect(recorder.iters).to.have.length(epoch + 1);
            expect(recorder.log.slice(0, -1)).to.deep.equal([epoch, ...recorder.values[epoch]]);
            expect(recorder.log.at(-1)).to.be.within(0, 60);
            seen.push(recorder.values[epoch]);
          },
        };
        const cancel: Callback = {
          name: 'cancel',
          beforeValidate: ({ epoch }) => {
            if (epoch === 1) throw new CancelEpochException();
          },
        };
        await noLogging(() => learn.fit(3, 0.01, { cbs: [look, cancel] }));
        expect(learn.recorder.values).to.deep.equal(seen);
        expect(seen.map(([, valid]) => valid === null)).to.deep.equal(
          validated ? [false, true, false] : [true, true, true],
        );
      }
    });
  }

  it('needs no name: it is called after its class, or callback', async () => {
    class Counting implements Callback {
      epochs = 0;
      afterEpoch(): void {
        this.epochs++;
      }
    }
    const counting = new Counting();
    let batches = 0;
    const learn = makeLearner({
      bs: 600,
      cbs: [counting, { order: 1, afterBatch: () => void batches++ }],
    });
    await learn.fit(2);
    expect([counting.epochs, batches]).to.deep.equal([2, 6]);
    expect(learn.summary().toString()).to.contain('TrainEval, Counting, callback, Recorder');
    const slow = { afterBatch: async () => {} } as unknown as Callback;
    expect(await rejection(learn.fit(1, 1e-3, { cbs: slow }))).to.contain(
      'callback.afterBatch returned a promise',
    );
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
      [
        { afterEpohc: () => {} },
        'A callback has a handler for an event that never comes, "afterEpohc"; did you mean "afterEpoch"?',
      ],
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
      ['Progress', 'got a string'],
    ];
    for (const [cb, message] of wrong)
      expect(() => checkCallback(cb)).to.throw(ArgumentError, message);
  });
});
