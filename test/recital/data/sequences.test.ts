import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { Plays } from '../../../lib/recital/data/plays.js';
import { createSequences } from '../../../lib/recital/data/sequences.js';
import { Sessions } from '../../../lib/recital/data/sessions.js';
import { Vocabulary } from '../../../lib/recital/data/vocabulary.js';
import { ArgumentError, DataError, UnknownIdError } from '../../../lib/recital/errors.js';
import { sessionsOf } from '../../support/sequences.js';

const shown = (dataset: ReturnType<typeof createSequences>): [number[], number[]][] =>
  Array.from({ length: dataset.length }, (_, i) => {
    const { inputs, targets } = dataset.at(i);
    return [[...inputs], [...targets]];
  });

describe('createSequences', () => {
  it('slides a window over each session and keeps short ones at the beginning', () => {
    const dataset = createSequences(sessionsOf([[0, 1, 2, 3], [4], [5, 5]]), { length: 2 });
    expect(shown(dataset)).to.deep.equal([
      [[0], [1]],
      [[0, 1], [2]],
      [[1, 2], [3]],
      [[5], [5]],
    ]);
    expect([...dataset.sequence]).to.deep.equal([0, 0, 0, 2]);
    expect(inspect(dataset)).to.equal('SequenceDataset: 4 windows of up to 2 of 6 tracks');
  });

  it("takes each user's plays in the order of the file", () => {
    const rows = [
      ['u2', 'c'],
      ['u1', 'b'],
      ['u2', 'a'],
      ['u1', 'a'],
      ['u2', 'b'],
    ];
    const plays = Plays.fromRows(rows.map(([user, track]) => ({ user, track })));
    const dataset = createSequences(plays);
    expect(shown(dataset)).to.deep.equal([
      [[1], [0]],
      [[2], [0]],
      [[2, 0], [1]],
    ]);
    expect(plays.users.decode(dataset.sequence)).to.deep.equal(['u1', 'u2', 'u2']);
  });

  it('gives each position a target with everyPosition, each track but the first once', () => {
    const dataset = createSequences(sessionsOf([[0, 1, 2, 3, 4, 5], [6, 7], [8]]), {
      length: 3,
      everyPosition: true,
    });
    expect(shown(dataset)).to.deep.equal([
      [
        [0, 1, 2],
        [1, 2, 3],
      ],
      [
        [3, 4],
        [4, 5],
      ],
      [[6], [7]],
    ]);
    expect(dataset.targetWidth).to.equal(3);
    expect(inspect(dataset)).to.include('a target at every position');
  });

  it('takes whole histories when the length is infinite', () => {
    const dataset = createSequences(
      sessionsOf([
        [0, 1, 2, 3, 4, 5],
        [6, 7],
      ]),
      { length: Infinity },
    );
    expect(dataset.windowLength).to.equal(5);
    expect(shown(dataset)[4]).to.deep.equal([[0, 1, 2, 3, 4], [5]]);
  });

  it('copies nothing: a window is a start and a size', () => {
    const sessions = sessionsOf([[0, 1, 2, 3]]);
    expect(createSequences(sessions).histories.item).to.equal(sessions.item);
    expect(createSequences(sessions).take([1]).histories.item).to.equal(sessions.item);
  });

  it('refuses wrong options and sources without a window', () => {
    const sessions = sessionsOf([[0, 1, 2]]);
    for (const length of [0, -1, 1.5, NaN])
      expect(() => createSequences(sessions, { length })).to.throw(ArgumentError, `got ${length}`);
    expect(() =>
      createSequences(sessions, { everyPosition: 'yes' as unknown as boolean }),
    ).to.throw(ArgumentError, 'true or false');
    expect(() => createSequences(sessionsOf([[0], [1]]))).to.throw(
      DataError,
      /No session of 2 has 2 tracks.* A single track has no next one/,
    );
    expect(() => createSequences(Plays.fromRows([{ user: 'u', track: 't' }]))).to.throw(
      DataError,
      'No user of 1 has 2 tracks',
    );
    expect(() =>
      createSequences(
        new Sessions(Vocabulary.fromValues(['a']), Int32Array.of(0), new Int32Array(0)),
      ),
    ).to.throw(DataError, 'no play');
    for (const i of [-1, 2, 0.5]) {
      expect(() => createSequences(sessions).at(i)).to.throw(ArgumentError, 'there are 2');
      expect(() => createSequences(sessions).take([i])).to.throw(ArgumentError, 'there are 2');
    }
  });

  it('has, for any sessions and length, each track but the first of a session as a target once, after what came before it', () => {
    const anySessions = fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(
        anySessions,
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (lists, length, everyPosition) => {
          fc.pre(lists.some((list) => list.length > 1));
          const dataset = createSequences(sessionsOf(lists), { length, everyPosition });
          const found = new Map<number, number>(); // position in the flat history → how often a target
          for (let i = 0; i < dataset.length; i++) {
            const { inputs, targets } = dataset.at(i);
            const start = dataset.start[i];
            const [begin, end] = [
              dataset.histories.indptr[dataset.sequence[i]],
              dataset.histories.indptr[dataset.sequence[i] + 1],
            ];
            expect(inputs.length).to.be.within(1, length);
            expect(start).to.be.at.least(begin);
            expect(start + inputs.length).to.be.below(end);
            expect([...inputs]).to.deep.equal([
              ...dataset.histories.item.slice(start, start + inputs.length),
            ]);
            targets.forEach((target, j) => {
              const position = start + (everyPosition ? j : inputs.length - 1) + 1;
              expect(target).to.equal(dataset.histories.item[position]);
              found.set(position, (found.get(position) ?? 0) + 1);
            });
            if (!everyPosition)
              expect(inputs.length).to.equal(Math.min(length, start + inputs.length - begin));
          }
          expect([...found.values()].every((count) => count === 1)).to.equal(true);
          expect(found.size).to.equal(lists.reduce((sum, list) => sum + list.length - 1, 0));
        },
      ),
    );
  });
});

describe('Sessions', () => {
  it('encodes with other tracks if told, and refuses those that are not among them', () => {
    const sessions = sessionsOf([[0, 1], [1]]);
    const items = Vocabulary.fromValues(['t09', 't01', 't00']);
    const histories = Sessions.of(sessions, { items });
    expect([...histories.item]).to.deep.equal([0, 1, 1]);
    expect(histories.items).to.equal(items);
    expect(histories.label(2)).to.equal('t09');
    expect(() => Sessions.of(sessions, { items: Vocabulary.fromValues(['t00']) })).to.throw(
      UnknownIdError,
      't01',
    );
    expect(() => histories.history(2)).to.throw(ArgumentError, 'there are 2');
    expect(inspect(histories)).to.equal('Sessions: 3 plays of 2 sessions, of 3 tracks');
  });
});

/** The sequences, by id of user or session. */
function contents(histories: Sessions): Record<string, string[]> {
  return Object.fromEntries(
    Array.from({ length: histories.length }, (_, s) => [
      histories.users?.id(s) ?? s,
      histories.items.decode(histories.history(s)),
    ]),
  );
}

describe('part of Sessions', () => {
  const plays = Plays.fromRows(
    [...'ua ub va wb wc'.split(' ')].map(([user, track]) => ({ user, track })),
  );

  it('is what is kept, without users who have nothing left', () => {
    const all = Sessions.of(plays);
    expect(contents(all.only([1, 1, 0, 0, 1]))).to.deep.equal({ u: ['a', 'b'], w: ['c'] });
    expect(contents(all.only([1, 1, 1, 1, 1]))).to.deep.equal(contents(all));
    expect(contents(all.only([0, 0, 0, 0, 0]))).to.deep.equal({});
    expect(() => all.only([1])).to.throw(
      ArgumentError,
      'There are 5 plays to keep or not, got 1 values',
    );
  });

  it('leaves sessions their numbers', () => {
    const all = Sessions.of(sessionsOf([[0, 1], [2], [3, 4]]));
    expect(contents(all.only([1, 1, 0, 0, 1]))).to.deep.equal({ 0: ['t00', 't01'], 2: ['t04'] });
    expect(all.only([1, 0, 1, 1, 0]).users).to.equal(undefined);
  });

  it('may have fewer tracks', () => {
    const items = Vocabulary.fromValues(['b', 'c'], { kind: 'track' });
    expect(contents(Sessions.of(plays).only([0, 1, 0, 1, 1], { items }))).to.deep.equal({
      u: ['b'],
      w: ['b', 'c'],
    });
    expect(() => Sessions.of(plays).only([1, 1, 1, 1, 1], { items })).to.throw(
      UnknownIdError,
      '"a"',
    );
  });
});

describe('Sessions of arrays', () => {
  const items = Vocabulary.fromValues(['a', 'b'], { kind: 'track' });
  const make = (indptr: number[], item: number[], users?: string[]): Sessions =>
    new Sessions(items, Int32Array.from(indptr), Int32Array.from(item), {
      users: users && Vocabulary.fromValues(users),
    });

  it('are what they say', () => {
    expect(contents(make([0, 2, 3], [1, 0, 1], ['u', 'v']))).to.deep.equal({
      u: ['b', 'a'],
      v: ['b'],
    });
    expect(contents(make([0, 1], [1]))).to.deep.equal({ 0: ['b'] });
  });

  it('must fit together', () => {
    expect(() => make([], [])).to.throw(DataError, 'do not span');
    expect(() => make([0, 1], [1, 1])).to.throw(DataError, 'do not span the 2 plays');
    expect(() => make([0, 3, 2], [1, 1])).to.throw(DataError, 'must rise');
    expect(() => make([1, 2], [1, 1])).to.throw(DataError, 'do not span');
    expect(() => make([0, 2], [1, 2])).to.throw(
      DataError,
      'Play 1 is of track 2; the tracks have indices 0 to 1',
    );
    expect(() => make([0, 1], [-1])).to.throw(DataError, 'of track -1');
    expect(() => make([0, 1], [1], ['u', 'v'])).to.throw(
      DataError,
      'There are 2 users for 1 sequences',
    );
  });
});
