import { expect } from 'chai';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { setDisplay } from '../../../lib/recital/data/output.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { Interpretation } from '../../../lib/recital/learner/interpretation.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import type { Model } from '../../../lib/recital/nn/model.js';
import { Parameter } from '../../../lib/recital/nn/parameter.js';
import { shown } from '../../support/shown.js';

/** Predicts a given number for each item, whoever asks. */
function fixedModel(byItem: Record<string, number>, dls: CollabDataLoaders): Model {
  const of = Float32Array.from(
    { length: dls.classes.item.length },
    (_, i) => byItem[dls.classes.item.id(i)] ?? 0,
  );
  return {
    parameters: [new Parameter('unused', [1, 1])],
    outputs: 1,
    touch() {},
    forward: ({ inputs: [, items], size }) =>
      Float32Array.from({ length: size }, (_, r) => of[items[r]]),
    backward() {},
  };
}

const ratings = [
  { user: 'u1', item: 'a', rating: 1 },
  { user: 'u1', item: 'b', rating: 0 },
  { user: 'u2', item: 'a', rating: 0 },
  { user: 'u2', item: 'b', rating: 1 },
  { user: 'u2', item: 'c', rating: 1 },
  { user: 'u3', item: 'a', rating: 1 },
];
const split = { train: [0, 1, 2, 3, 4, 5], valid: [5, 4, 3, 2, 1, 0] };

/**
 * Loaders whose validation rows are all six, in reverse; each row is in both parts, as a model that
 * learns nothing may have it.
 */
function loaders(rows = ratings): CollabDataLoaders {
  const train = CollabDataLoaders.fromTable(rows, {
    bs: 2,
    split: { train: split.train, valid: [] },
  });
  return Object.assign(Object.create(train), {
    valid: train.testDl(
      split.valid.map((i) => rows[i]),
      { bs: 4 },
    ),
  }) as CollabDataLoaders;
}

describe('Interpretation', () => {
  const dls = loaders();
  const learn = new Learner(dls, fixedModel({ a: 0.75, b: 0.25, c: 1 }, dls)); // squared errors: a 1: .0625, a 0: .5625, b 0: .0625, b 1: .5625, c 1: 0

  it('lists the rows with the largest losses, decoded, and the earlier one first where losses are equal', async () => {
    const top = (await Interpretation.fromLearner(learn)).topLosses(3);
    expect(top.rows()).to.deep.equal([
      { row: 2, user: 'u2', item: 'b', rating: 1, rating_pred: 0.25, loss: 0.5625 }, // the third of the rows: they come in reverse
      { row: 3, user: 'u2', item: 'a', rating: 0, rating_pred: 0.75, loss: 0.5625 },
      { row: 0, user: 'u3', item: 'a', rating: 1, rating_pred: 0.75, loss: 0.0625 },
    ]);
  });

  it('lists the smallest losses if told, all rows if fewer are there, and 10 by default', async () => {
    const interp = await Interpretation.fromLearner(learn);
    expect(interp.length).to.equal(6);
    expect(interp.topLosses(1, { largest: false }).row(0)).to.include({ item: 'c', loss: 0 });
    const all = interp.topLosses(100);
    expect(all.length).to.equal(6);
    expect([...all.numbers('loss')]).to.deep.equal([...all.numbers('loss')].sort((a, b) => b - a));
    const many = CollabDataLoaders.fromTable(
      Array.from({ length: 30 }, (_, i) => ({ user: i % 3, item: i % 5, rating: i })),
    );
    expect(
      (
        await Interpretation.fromLearner(new Learner(many, fixedModel({}, many)), { dsIdx: 0 })
      ).topLosses(),
    ).to.have.length(10);
  });

  it('looks at the training set, or at another loader', async () => {
    const training = await Interpretation.fromLearner(learn, { dsIdx: 0 });
    expect([...training.predictions.targets]).to.deep.equal(ratings.map((r) => r.rating)); // in order, though training shuffles
    const other = await Interpretation.fromLearner(learn, {
      dl: dls.testDl([{ user: 'u1', item: 'c', rating: -1 }]),
    });
    expect(other.topLosses(5).rows()).to.deep.equal([
      { row: 0, user: 'u1', item: 'c', rating: -1, rating_pred: 1, loss: 4 },
    ]);
  });

  it('shows its tables through the display, and none without one', async () => {
    const interp = await Interpretation.fromLearner(learn);
    const tables = shown(() => {
      interp.plotTopLosses(2);
      interp.plotTopLosses(1, { largest: false });
    }).tables;
    expect(tables.map(({ title }) => title)).to.deep.equal(['Largest losses', 'Smallest losses']);
    expect(tables[0].table.rows()).to.deep.equal(interp.topLosses(2).rows());
    setDisplay(undefined);
    interp.plotTopLosses(2);
  });

  it('refuses rows without targets, no rows, and a k that is none', async () => {
    const failure = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'no error',
        (e) => `${e.constructor.name}: ${e.message}`,
      );
    const bare = dls.testDl(
      [
        { user: 'u1', item: 'a', rating: 1 },
        { user: 'u1', item: 'b' },
      ].map(({ user, item }) => ({ user, item })),
    );
    expect(await failure(Interpretation.fromLearner(learn, { dl: bare }))).to.equal(
      'ArgumentError: Row 0 (counted from 0) has no target, so it has no loss. Give a loader whose rows have targets.',
    );
    const empty = CollabDataLoaders.fromTable(ratings, {
      split: { train: split.train, valid: [] },
      bs: 2,
    });
    expect(
      await failure(Interpretation.fromLearner(new Learner(empty, fixedModel({}, empty)))),
    ).to.contain('ArgumentError: There are no rows');
    const interp = await Interpretation.fromLearner(learn);
    for (const k of [0, -1, 1.5, NaN])
      expect(() => interp.topLosses(k)).to.throw(
        ArgumentError,
        `k must be a positive whole number, got ${k}`,
      );
  });
});
