import { expect } from 'chai';
import { createSequences } from '../../lib/data/sequences.js';
import { SequenceDataLoaders } from '../../lib/data/sequences-loaders.js';
import { Sessions } from '../../lib/data/sessions.js';
import { Vocabulary } from '../../lib/data/vocabulary.js';
import { itemVectors } from '../../lib/decomposition/item-vectors.js';
import { ppmi } from '../../lib/decomposition/ppmi.js';
import { ArgumentError } from '../../lib/errors.js';
import { LSTMModel } from '../../lib/models/lstm.js';
import { NextItemKNN } from '../../lib/recommend/item-knn-next.js';
import { Markov } from '../../lib/recommend/markov.js';
import { evaluateNextItem } from '../../lib/recommend/next-item-evaluate.js';
import { fuse } from '../../lib/recommend/next-item-fuse.js';
import { WeightedSum } from '../../lib/recommend/next-item-sum.js';
import { SequentialRules } from '../../lib/recommend/sequential-rules.js';
import { SessionKNN } from '../../lib/recommend/session-knn.js';
import { STAN } from '../../lib/recommend/session-knn-stan.js';

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
