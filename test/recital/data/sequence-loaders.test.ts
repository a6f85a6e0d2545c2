import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { Plays } from '../../../lib/recital/data/plays.js';
import {
  SequenceDataLoader,
  SequenceDataLoaders,
  type SequenceLoadersOptions,
} from '../../../lib/recital/data/sequence-loaders.js';

import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { ArgumentError, DataError, UnknownIdError } from '../../../lib/recital/errors.js';
import { chainSessions, sessionsOf } from '../../support/sequences.js';
import { shown } from '../../support/shown.js';

const sessions = sessionsOf(chainSessions({ sessions: 50 }));
const make = (options: SequenceLoadersOptions = {}): SequenceDataLoaders =>
  SequenceDataLoaders.fromSessions(sessions, { bs: 16, ...options });

describe('batches of sequences', () => {
  it('print themselves in a line', () => {
    const dls = make();
    for (const it of [dls, dls.train, dls.valid])
      expect(inspect(it))
        .to.equal(String(it))
        .and.to.match(/^SequenceDataLoaders?: [\d,]+ [^\n]+$/);
    expect(String(dls)).to.contain(
      `${dls.train.n} training windows in ${dls.train.length} batches of 16`,
    );
  });

  it('have tracks from the left, sizes and the next track', () => {
    const dls = SequenceDataLoaders.fromSessions(
      sessionsOf([
        [1, 2, 3],
        [4, 5],
      ]),
      { length: 4, bs: 3, split: { train: [0, 1], valid: [] } },
    );
    for (const batch of dls.train.inOrder().batches(0)) {
      expect(batch.size).to.equal(3);
      expect([...batch.inputs[0]]).to.deep.equal([1, 0, 0, 0, 1, 2, 0, 0, 4, 0, 0, 0]);
      expect([...batch.inputs[1]]).to.deep.equal([1, 2, 1]);
      expect([...batch.targets]).to.deep.equal([2, 3, 5]);
      expect([...batch.rows]).to.deep.equal([0, 1, 2]);
    }
  });

  it('have a target a position with everyPosition, −1 where there is none', () => {
    const split = { train: [0, 1], valid: [] };
    const dls = SequenceDataLoaders.fromSessions(
      sessionsOf([
        [1, 2, 3],
        [4, 5],
      ]),
      { length: 3, bs: 2, split, everyPosition: true },
    );
    const rows: Record<number, number[][]> = {};
    for (const { inputs, targets, rows: numbers } of dls.train.batches(0)) {
      for (const r of [0, 1])
        rows[numbers[r]] = [inputs[0], targets].map((all) => [...all.subarray(3 * r, 3 * r + 3)]);
    }
    expect(rows).to.deep.equal({
      0: [
        [1, 2, 0],
        [2, 3, -1],
      ],
      1: [
        [4, 0, 0],
        [5, -1, -1],
      ],
    });
  });

  it('have one target a row where they are for predictions, whatever training has: each after the tracks before it', () => {
    const lists = [
      [1, 2, 3, 4, 5],
      [6, 7],
    ];
    for (const everyPosition of [false, true]) {
      const dls = SequenceDataLoaders.fromSessions(sessionsOf(lists), {
        length: 2,
        bs: 8,
        split: { train: [1], valid: [0] },
        everyPosition,
      });
      for (const loader of [dls.valid, dls.testDl(sessionsOf(lists.slice(0, 1)))]) {
        expect(loader.n).to.equal(4);
        const [batch] = loader.batches(0);
        expect([...batch.inputs[0].subarray(0, 8)]).to.deep.equal([1, 0, 1, 2, 2, 3, 3, 4]);
        expect([...batch.inputs[1].subarray(0, 4)]).to.deep.equal([1, 2, 2, 2]);
        expect([...batch.targets.subarray(0, 4)]).to.deep.equal([2, 3, 4, 5]);
        expect(dls.decode(batch, 3)).to.deep.equal({
          history: 't03 → t04',
          length: 2,
          next: 't05',
        });
      }
      const [batch] = dls.valid.batches(0);
      expect([...batch.rows.subarray(0, 4)]).to.deep.equal(
        everyPosition ? [0, 0, 1, 1] : [0, 1, 2, 3],
      ); // windows of dls.dataset
      const [train] = dls.train.inOrder().batches(0);
      expect([train.size, train.targets.length, train.rows[0]]).to.deep.equal([
        1,
        8,
        everyPosition ? 2 : 4,
      ]);
    }
  });

  it('forget the window that was in their place before', () => {
    const dls = SequenceDataLoaders.fromSessions(
      sessionsOf([
        [1, 2, 3, 4],
        [5, 6],
      ]),
      { length: 3, bs: 1, split: { train: [0, 1], valid: [] } },
    );
    const all = Array.from(dls.train.inOrder().batches(0), (batch) => [...batch.inputs[0]]);
    expect(all).to.deep.equal([
      [1, 0, 0],
      [1, 2, 0],
      [1, 2, 3],
      [5, 0, 0],
    ]);
  });

  it('come in an order that depends on seed and epoch alone, each window once, without the ragged last batch', () => {
    const rows = (dls: SequenceDataLoaders, epoch: number): number[] =>
      Array.from(dls.train.batches(epoch), (b) => [...b.rows.subarray(0, b.size)]).flat();
    const dls = make();
    expect(rows(dls, 1)).to.deep.equal(rows(make(), 1));
    expect(rows(dls, 1)).to.not.deep.equal(rows(dls, 0));
    const other = new SequenceDataLoader(dls.train.dataset, { bs: 16, shuffle: true, seed: 7 });
    const again = new SequenceDataLoader(dls.train.dataset, { bs: 16, shuffle: true, seed: 42 });
    const inputs = (loader: SequenceDataLoader): number[] => [
      ...[...loader.batches(1)].at(-1)!.inputs[0],
    ];
    expect(inputs(again)).to.deep.equal(inputs(dls.train));
    expect(inputs(other)).to.not.deep.equal(inputs(dls.train));
    expect(new Set(rows(dls, 0)).size).to.equal(dls.train.length * 16);
    expect(dls.train.n - dls.train.length * 16).to.be.within(0, 15);
    const valid = Array.from(dls.valid.batches(3), (b) => [...b.rows.subarray(0, b.size)]).flat();
    expect(valid).to.deep.equal([...dls.split.valid]);
  });
});

describe('splits of sequences', () => {
  const windows = (dls: SequenceDataLoaders, part: 'train' | 'valid'): number[] =>
    [...dls.split[part]].map((i) => dls.dataset.sequence[i]);

  it('by user keep all windows of a history together, in its share', () => {
    const dls = make();
    const [train, valid] = [new Set(windows(dls, 'train')), new Set(windows(dls, 'valid'))];
    expect(valid.size).to.equal(10);
    expect(train.size).to.equal(40);
    expect([...valid].some((s) => train.has(s))).to.equal(false);
    expect(make({ split: 'user' }).split).to.deep.equal(dls.split);
    expect(make({ seed: 1 }).split.valid).to.not.deep.equal(dls.split.valid);
  });

  it('by window draw windows', () => {
    const dls = make({ split: 'window', validPct: 0.25 });
    expect(dls.valid.n).to.equal(Math.trunc(0.25 * 50 * 7));
    expect(new Set([...dls.split.train, ...dls.split.valid]).size).to.equal(350);
  });

  for (const everyPosition of [false, true]) {
    it(`leave-last-out holds the last track of each history out and never trains on it${everyPosition ? ', at every position' : ''}`, () => {
      const lists = [[0, 1, 2, 3, 4], [5, 6], [7], [8, 9, 10]];
      const dls = SequenceDataLoaders.fromSessions(sessionsOf(lists), {
        length: 3,
        split: 'last',
        everyPosition,
        bs: 1,
      });
      const targets = (part: 'train' | 'valid'): number[] =>
        Array.from(dls[part].inOrder().batches(0), (b) => [...b.targets]).flatMap((t) =>
          t.filter((x) => x >= 0),
        );
      expect(targets('valid')).to.deep.equal([4, 10]);
      expect(targets('train').sort((a, b) => a - b)).to.deep.equal([1, 2, 3, 6, 9]);
      const trained = Array.from(dls.train.inOrder().batches(0), (b) => [
        ...b.inputs[0].subarray(0, b.inputs[1][0]),
      ]).flat();
      expect(trained).to.not.include(4).and.not.include(10);
      expect([...dls.valid.dataset.at(0).inputs]).to.deep.equal([1, 2, 3]);
    });
  }

  it('by numbers take the histories that are named, and leave the others out', () => {
    const dls = make({ split: { train: [3, 4], valid: [0] } });
    expect(new Set(windows(dls, 'train'))).to.deep.equal(new Set([3, 4]));
    expect(new Set(windows(dls, 'valid'))).to.deep.equal(new Set([0]));
    expect(make({ split: { train: [1, 2, 3], valid: [] } }).valid.length).to.equal(0);
  });

  it('must leave both parts something, and be one of those', () => {
    expect(() => make({ split: 'users' as 'user' })).to.throw(ArgumentError, "got 'users'");
    expect(() => make({ split: 'last', validPct: 0.1 })).to.throw(
      ArgumentError,
      'validPct means nothing',
    );
    for (const validPct of [0, 1, NaN])
      expect(() => make({ validPct })).to.throw(ArgumentError, `got ${validPct}`);
    expect(() => make({ validPct: 0.01 })).to.throw(ArgumentError, 'leaves none for validation');
    expect(() => make({ split: { train: [], valid: [1] } })).to.throw(
      ArgumentError,
      'no training row',
    );
    expect(() => make({ split: { train: [1], valid: [1] } })).to.throw(ArgumentError, 'both parts');
    const short = sessionsOf([[1], [2, 3], [4]]);
    expect(() =>
      SequenceDataLoaders.fromSessions(short, { split: { train: [0], valid: [1] } }),
    ).to.throw(ArgumentError, 'training sequences');
    expect(() =>
      SequenceDataLoaders.fromSessions(short, { split: { train: [1], valid: [0, 2] } }),
    ).to.throw(ArgumentError, 'validation sequences');
    expect(() => SequenceDataLoaders.fromSessions(short, { split: 'last' })).to.throw(
      ArgumentError,
      'No sequence has two windows',
    );
    expect(() => SequenceDataLoaders.fromSessions(sessionsOf([[1]]))).to.throw(
      DataError,
      'A single track has no next one',
    );
  });

  it('never put a target of validation among those of training, for any sessions', () => {
    const anySessions = fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 9 }), {
      minLength: 5,
      maxLength: 9,
    });
    fc.assert(
      fc.property(
        anySessions,
        fc.constantFrom('user', 'last', 'window'),
        fc.boolean(),
        (lists, split, everyPosition) => {
          fc.pre(lists.filter((list) => list.length > 2).length >= 5);
          const dls = SequenceDataLoaders.fromSessions(sessionsOf(lists), {
            length: 3,
            split: split as 'user',
            everyPosition,
            bs: 1,
          });
          const positions = (part: 'train' | 'valid'): number[] =>
            [...dls.split[part]].flatMap((i) => {
              const { targets, inputs } = dls.dataset.at(i);
              const last = dls.dataset.start[i] + inputs.length;
              return [...targets]
                .map((target, j) => (target < 0 ? -1 : last - (targets.length - 1 - j)))
                .filter((p) => p >= 0);
            });
          const all = [...positions('train'), ...positions('valid')];
          expect(new Set(all).size).to.equal(all.length);
          expect(all.length).to.equal(lists.reduce((sum, list) => sum + list.length - 1, 0));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('SequenceDataLoaders', () => {
  const table = Table.fromRows(
    ['a', 'b', 'c', 'd', 'e'].map((id) => ({ track_id: id, name: `Song ${id}`, artist: 'X' })),
  );
  const plays = Plays.fromRows(
    ['a', 'b', 'c', 'd', 'e'].map((track) => ({ user: 'u1', track })),
    { catalogue: new Tracks(table) },
  );

  it('show titles, and the last tracks of long windows', () => {
    const dls = SequenceDataLoaders.fromPlays(plays, { split: 'last', bs: 3 });
    const { tables } = shown(() => dls.showBatch());
    const rows = tables[0].table.rows().sort((a, b) => Number(a.length) - Number(b.length));
    expect(rows).to.deep.equal([
      { history: 'Song a by X', length: 1, next: 'Song b by X' },
      { history: 'Song a by X → Song b by X', length: 2, next: 'Song c by X' },
      { history: 'Song a by X → Song b by X → Song c by X', length: 3, next: 'Song d by X' },
    ]);
    for (const batch of dls.valid.batches(0)) {
      expect(dls.decode(batch, 0)).to.deep.equal({
        history: '… → Song b by X → Song c by X → Song d by X',
        length: 4,
        next: 'Song e by X',
      });
    }
    const every = SequenceDataLoaders.fromPlays(plays, {
      split: 'last',
      bs: 1,
      everyPosition: true,
    });
    expect(every.decode(every.oneBatch(), 0)).to.deep.equal({
      history: 'Song a by X → Song b by X → Song c by X',
      length: 3,
      next: 'Song d by X',
    });
    expect(shown(() => dls.showBatch({ maxN: 1 })).tables[0].table.length).to.equal(1);
  });

  it('have all tracks as classes, and no other', () => {
    expect(make().classes.item.classes).to.deep.equal(sessions.items.classes);
    expect(
      SequenceDataLoaders.fromPlays(plays, { split: 'last', bs: 1 }).classes.item.classes,
    ).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
  });

  it('make batches of other data with the same tracks', () => {
    const dls = make({ length: 4, everyPosition: true });
    const loader = dls.testDl(sessionsOf([[3, 1, 2]]), { bs: 1 });
    const [batch] = loader.batches(0);
    expect([...batch.inputs[0]]).to.deep.equal([3, 0, 0, 0]);
    expect([...batch.targets]).to.deep.equal([1]);
    expect(() => dls.testDl(sessionsOf([[3, 90]]))).to.throw(UnknownIdError, 't90');
  });

  it('say when training has no batch, and refuse a wrong bs', () => {
    const { lines } = shown(() =>
      expect(() => make({ bs: 1000 }).oneBatch()).to.throw(ArgumentError, 'smaller bs'),
    );
    expect(lines.join()).to.include('bs = 1000 is more than the 280 training windows');
    expect(() => make({ bs: 0 })).to.throw(
      ArgumentError,
      'bs must be a whole number from 1 to 16777216, got 0',
    );
    expect(() => make({ valBs: 1.5 })).to.throw(
      ArgumentError,
      'bs must be a whole number from 1 to 16777216, got 1.5',
    );
  });
});
