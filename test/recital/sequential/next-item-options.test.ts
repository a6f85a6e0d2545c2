import { expect } from 'chai';
import { createSequences } from '../../../lib/recital/data/sequences.js';
import { SequenceDataLoaders } from '../../../lib/recital/data/sequences-loaders.js';
import { Sessions } from '../../../lib/recital/data/sessions.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { itemVectors } from '../../../lib/recital/decomposition/item-vectors.js';
import { ppmi } from '../../../lib/recital/decomposition/ppmi.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { evaluateNextItem } from '../../../lib/recital/evaluation/next-item-evaluate.js';
import { fuse } from '../../../lib/recital/hybrid/next-item-fuse.js';
import { WeightedSum } from '../../../lib/recital/hybrid/next-item-sum.js';
import { LSTMModel } from '../../../lib/recital/models/lstm.js';
import { NextItemKNN } from '../../../lib/recital/sequential/item-knn-next.js';
import { Markov } from '../../../lib/recital/sequential/markov.js';
import { SequentialRules } from '../../../lib/recital/sequential/sequential-rules.js';
import { SessionKNN } from '../../../lib/recital/sequential/session-knn.js';
import { STAN } from '../../../lib/recital/sequential/session-knn-stan.js';

const sessions = new Sessions(
  Vocabulary.inOrder(['a', 'b', 'c']),
  Int32Array.of(0, 3, 6),
  Int32Array.of(0, 1, 2, 0, 1, 2),
);
const markov = new Markov(sessions);

/** A mistyped option of each, which types would refuse, and what was meant. */
const mistyped: Record<string, [(options: never) => unknown, object, string]> = {
  createSequences: [(options) => createSequences(sessions, options), { lenght: 5 }, 'length'],
  SequenceDataLoaders: [
    (options) => SequenceDataLoaders.fromSessions(sessions, options),
    { everyPositions: true },
    'everyPosition',
  ],
  LSTMModel: [
    (options) => new LSTMModel({ item: sessions.items }, options),
    { embSize: 5 },
    'embSz',
  ],
  negatives: [
    (options) =>
      new LSTMModel(
        { item: sessions.items },
        { negatives: { counts: [1, 1, 1], ...(options as object) } },
      ),
    { powr: 1 },
    'power',
  ],
  SequentialRules: [(options) => new SequentialRules(sessions, options), { decy: 0 }, 'decay'],
  NextItemKNN: [(options) => new NextItemKNN(sessions, options), { shrinkag: 1 }, 'shrinkage'],
  SessionKNN: [(options) => new SessionKNN(sessions, options), { recnt: 1 }, 'recent'],
  STAN: [(options) => new STAN(sessions, options), { agescale: 1 }, 'ageScale'],
  WeightedSum: [(options) => new WeightedSum([markov], options), { weight: [1] }, 'weights'],
  fuse: [(options) => fuse([markov], sessions, options), { metrc: 'mrr' }, 'metric'],
  evaluateNextItem: [
    (options) => evaluateNextItem(markov, sessions, options),
    { sampl: 1 },
    'sample',
  ],
  ppmi: [(options) => ppmi(sessions, options), { windw: 2 }, 'window'],
};

describe('fuse', () => {
  it('refuses sessions of known tracks that all end with an unknown one: there is nothing to fit', () => {
    const items = Vocabulary.inOrder(['a', 'b', 'z']);
    const late = new Sessions(items, Int32Array.of(0, 2, 4), Int32Array.of(0, 2, 1, 2));
    expect(() => fuse([markov], late)).to.throw(
      ArgumentError,
      'know no next track of these sessions',
    );
    const some = new Sessions(items, Int32Array.of(0, 2, 4), Int32Array.of(0, 2, 1, 0));
    expect(fuse([markov], some).weights).to.deep.equal([1]);
  });
});

describe('a mistyped option', () => {
  for (const [of, [call, options, meant]] of Object.entries(mistyped)) {
    it(`of ${of} is refused, with the one that was meant`, () => {
      expect(() => call(options as never)).to.throw(
        ArgumentError,
        new RegExp(`${of} has no option .*"${meant}"`),
      );
    });
  }

  it('of itemVectors is refused, too', async () => {
    const refused = await itemVectors(sessions, { meannorm: 1 } as object).catch(
      (error: unknown) => error,
    );
    expect(refused)
      .to.be.instanceOf(ArgumentError)
      .with.property('message')
      .that.includes('itemVectors has no option "meannorm"');
  });
});
