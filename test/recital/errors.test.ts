import { expect } from 'chai';
import { Plays } from '../../lib/recital/data/plays.js';
import { Table } from '../../lib/recital/data/table.js';
import { Tracks } from '../../lib/recital/data/tracks.js';
import { Vocabulary } from '../../lib/recital/data/vocabulary.js';
import { ArgumentError, DataError, setMessages, UnknownIdError } from '../../lib/recital/errors.js';
import { Popularity } from '../../lib/recital/recommend/baselines/popularity.js';
import { FactorRecommender } from '../../lib/recital/recommend/factors/factors.js';
import { Recommender } from '../../lib/recital/recommend/recommender.js';

const message = (kind: string, id: string, known: readonly string[], hint?: string): string =>
  new UnknownIdError(kind, id, known, hint).message;

describe('A message', () => {
  it('is bounded, begins and ends as it was written, and takes a text of any length', () => {
    const whole = `It begins. ${'\0'.repeat(1e8)} It ends.`; // of so many control characters a replacement ends the process
    expect(new DataError(whole).message)
      .to.match(/^It begins\. (?:\\x00)+ … (?:\\x00)+ It ends\.$/)
      .and.to.have.length.below(50_000);
    const long = 'a '.repeat(5000);
    expect(new DataError(long).message).to.equal(long);
  });
});

describe('UnknownIdError', () => {
  it('lists the known names where none is near: all of few, the first of many', () => {
    expect(message('track', 'nothing', ['A', 'B', 'C'])).to.equal(
      'Unknown track "nothing". 3 tracks known: A, B, C.',
    );
    const many = Array.from({ length: 1500 }, (_, i) => `TR${i}`);
    expect(message('track', 'unheard', many, 'Look it up.')).to.equal(
      'Unknown track "unheard". 1,500 tracks known, such as TR0, TR1, TR2. Look it up.',
    );
    expect(message('user', 'x', [])).to.equal('Unknown user "x". 0 users known.');
    expect(message('text', 'x', ['a'.repeat(500)])).to.have.length.below(200);
  });

  it('suggests the nearest name instead, where one is near', () => {
    expect(message('track', 'Titanc', ['Titanic', 'Heat'])).to.equal(
      'Unknown track "Titanc". 2 tracks known; did you mean "Titanic"?',
    );
    expect(new UnknownIdError('column', 'PLAYS', ['plays', 'user']).suggestions).to.deep.equal([
      'plays',
    ]);
    expect(new UnknownIdError('option', 'cb', ['cbs']).suggestions).to.deep.equal(['cbs']);
  });

  it('suggests a name in which two neighbouring letters have changed places', () => {
    for (const [id, name] of [
      ['ndgc', 'ndcg'],
      ['akl', 'kal'],
      ['pcorl', 'pcolr'],
    ])
      expect(new UnknownIdError('metric', id, ['recall', name]).suggestions).to.deep.equal([name]);
  });

  it('suggests nothing that shares nothing: one letter for another, one digit of two', () => {
    for (const [id, known] of [
      ['z', ['a', 'b']],
      ['u1', ['u2', 'u3']],
      ['7', ['12', '3']],
      ['abc', ['xyz', 'ayz']],
    ] as const) {
      expect(new UnknownIdError('id', id, known).suggestions).to.deep.equal([]);
    }
    expect(new UnknownIdError('id', 'Z', ['z']).suggestions).to.deep.equal(['z']);
  });

  it('suggests what was meant by the usual slips: a letter left out, added, changed, or two that have changed places; a word cut short; words of Python', () => {
    const fit = ['wd', 'cbs', 'resetOpt', 'startEpoch', 'div', 'divFinal', 'pctStart', 'moms'];
    const lstm = [
      'seed',
      'embSz',
      'layers',
      'cell',
      'dropout',
      'embedP',
      'tied',
      'embInit',
      'negatives',
      'lossFunc',
      'metrics',
      'lr',
      'wd',
      'moms',
    ];
    const knn = ['k', 'shrink', 'weighting', 'value'];
    const ease = ['lambda', 'popularityPower', 'sideRows', 'sideWeight', 'value'];
    const als = [
      'factors',
      'regularization',
      'alpha',
      'iterations',
      'cgSteps',
      'value',
      'seed',
      'onIteration',
    ];
    for (const [typed, known, meant] of [
      ['embP', lstm, 'embedP'],
      ['embedDropout', lstm, undefined],
      ['emb_sz', lstm, 'embSz'],
      ['embedSz', lstm, 'embSz'],
      ['embSize', lstm, 'embSz'],
      ['embinit', lstm, 'embInit'],
      ['initEmb', lstm, undefined],
      ['loss_func', lstm, 'lossFunc'],
      ['lossFn', lstm, 'lossFunc'],
      ['loss', lstm, 'lossFunc'],
      ['layer', lstm, 'layers'],
      ['metric', lstm, 'metrics'],
      ['negative', lstm, 'negatives'],
      ['droput', lstm, 'dropout'],
      ['drpoout', lstm, 'dropout'],
      ['pct_start', fit, 'pctStart'],
      ['pctstart', fit, 'pctStart'],
      ['divfinal', fit, 'divFinal'],
      ['div_final', fit, 'divFinal'],
      ['cb', fit, 'cbs'],
      ['mom', fit, 'moms'],
      ['reset', fit, 'resetOpt'],
      ['shrinkage', knn, 'shrink'],
      ['weight', knn, 'weighting'],
      ['vlaue', knn, 'value'],
      ['popPower', ease, undefined],
      ['popularity', ease, 'popularityPower'],
      ['sideWeigth', ease, 'sideWeight'],
      ['sideRow', ease, 'sideRows'],
      ['regularisation', als, 'regularization'],
      ['n_factors', als, 'factors'],
      ['iteration', als, 'iterations'],
      ['cg_steps', als, 'cgSteps'],
    ] as const) {
      expect(new UnknownIdError('option', typed, known).suggestions, typed).to.deep.equal(
        meant === undefined ? [] : [meant],
      );
    }
  });

  it('suggests the same whatever the order of what is known, where one is nearer', () => {
    for (const known of [
      ['embSz', 'embedP'],
      ['embedP', 'embSz'],
    ]) {
      expect(new UnknownIdError('option', 'embP', known).suggestions).to.deep.equal(['embedP']);
    }
  });

  it('counts in the right number', () => {
    expect(message('user', 'x', ['ann'])).to.contain('1 user known: ann.');
    expect(message('column of weights', 'x', ['playcount', 'a'])).to.contain(
      '2 columns of weights known',
    );
    expect(message('entry', 'x', ['one', 'two'])).to.contain('2 entries known');
  });

  it('is what vocabularies and the catalogue raise', () => {
    expect(() => Vocabulary.fromValues(['a', 'b'], { kind: 'user' }).index('z')).to.throw(
      UnknownIdError,
      '2 users known: a, b.',
    );
    const tracks = new Tracks(new Table({ track_id: ['1'], name: ['Hurt'] }));
    const users = Vocabulary.fromValues(['a', 'b'], { kind: 'user' });
    expect(() => users.index(1)).to.throw(
      UnknownIdError,
      'Unknown user "1". 2 users known: a, b. users.id(1) is the id of user number 1.',
    );
    expect(() => users.index(2)).to.throw(UnknownIdError, /known: a, b\.$/);
    expect(() => users.index('1')).to.throw(UnknownIdError, /known: a, b\.$/);
    expect(() => tracks.find('Nothing else')).to.throw(UnknownIdError, '1 track known: Hurt.');
  });
});

describe('setMessages({ ids: false })', () => {
  beforeEach(() => setMessages({ ids: false }));
  afterEach(() => setMessages({ ids: true }));

  const secret = Array.from({ length: 40 }, (_, i) => `secret-${i}`);
  const plays = Plays.fromRows(
    secret.flatMap((user, i) => [
      { user, track: 'Titanic' },
      { user, track: `t${i % 3}` },
    ]),
  );
  const errorOf = (work: () => unknown): Error & { suggestions?: readonly string[] } => {
    try {
      work();
    } catch (error) {
      return error as Error;
    }
    throw new Error('No error came.');
  };

  it('leaves every known user out of messages and suggestions, and their number', () => {
    const popularity = new Popularity(plays);
    for (const [work, said] of [
      [() => popularity.recommend('secret-4o'), 'Unknown user "secret-4o".'],
      [() => popularity.recommend(7), 'Unknown user "7".'],
      [() => popularity.recommendBatch(['secret-1', 'x']), 'Unknown user "x".'],
      [() => popularity.similarUsers('nobody'), 'Unknown user "nobody".'],
      [() => plays.users.index('nobody'), 'Unknown user "nobody".'],
      [() => plays.users.index(7), 'Unknown user "7".'],
      [() => plays.users.encode(['nobody']), 'Unknown user "nobody".'],
      [() => Vocabulary.fromValues(secret).index('secret'), 'Unknown id "secret".'],
      [() => Vocabulary.fromValues(secret, { kind: 'reader' }).index('x'), 'Unknown reader "x".'],
    ] as const) {
      const error = errorOf(work);
      expect(error).to.be.instanceOf(UnknownIdError);
      expect(error.message.slice(0, said.length)).to.equal(said);
      expect(error.message.slice(said.length)).to.not.match(/secret|40|known/);
      expect(error.suggestions).to.deep.equal([]);
    }
  });

  it('holds for the other messages that quote a user', () => {
    class Broken extends Recommender {
      readonly name: string = 'Broken';
      scores(_users: Int32Array, out: Float32Array): void {
        out.fill(NaN);
      }
    }
    const broken = errorOf(() => new Broken(new Popularity(plays).seen).recommend('secret-7'));
    expect(broken.message).to.contain('Broken, a user').and.not.contain('secret');
    const factors = (ids: string[]) => ({ ids, values: ids.map(() => 1) });
    const apart = errorOf(() =>
      FactorRecommender.fromFactors(
        { users: factors(['hidden']), tracks: factors(['t0']) },
        { plays },
      ),
    );
    expect(apart.message)
      .to.match(/^None of the 80 plays/)
      .and.not.contain('hidden');
  });

  it('still suggests tracks and explains names that are no ids', () => {
    const { message, suggestions } = errorOf(() => new Popularity(plays).similarTracks('Titanc'));
    expect(message).to.equal('Unknown track "Titanc"; did you mean "Titanic"?');
    expect(suggestions).to.deep.equal(['Titanic']);
    expect(errorOf(() => new Popularity(plays).similarTracks('zzzzz')).message).to.equal(
      'Unknown track "zzzzz".',
    );
    expect(errorOf(() => new Table({ plays: [1] }).column('play' as string)).message).to.equal(
      'Unknown column "play". 1 column known; did you mean "plays"?',
    );
  });

  it('is set back, says what holds, and refuses what it does not have', () => {
    expect(setMessages()).to.deep.equal({ ids: false });
    expect(setMessages({ ids: true })).to.deep.equal({ ids: true });
    expect(errorOf(() => plays.users.index('x')).message).to.contain('40 users known, such as');
    for (const wrong of [{ ids: 'no' }, { id: false }, null, false, []])
      expect(() => setMessages(wrong as never), String(wrong)).to.throw(ArgumentError, /ids/);
    expect(setMessages()).to.deep.equal({ ids: true });
  });
});
