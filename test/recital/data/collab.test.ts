import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Batch, CollabDataLoader } from '../../../lib/recital/data/batches.js';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import { targetsOf } from '../../../lib/recital/data/collab-rows.js';
import { setDisplay } from '../../../lib/recital/data/output.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { Table } from '../../../lib/recital/data/table.js';
import { Tracks } from '../../../lib/recital/data/tracks.js';
import { ArgumentError, DataError, UnknownIdError } from '../../../lib/recital/errors.js';
import { MSELossFlat } from '../../../lib/recital/nn/losses.js';
import { collabLearner } from '../../../lib/recital/recommend/learners/collab.js';

const golden = JSON.parse(
  readFileSync(path.join(__dirname, '../../golden/collab_dataloaders.json'), 'utf8'),
);
const records = golden.rows.map(([user, title, rating]: [string, string, number]) => ({
  user,
  title,
  rating,
}));
const split = { train: golden.train_rows, valid: golden.valid_rows };

/** The rows of an epoch, copied out of the batches. */
function epochOf(
  loader: CollabDataLoader,
  epoch = 0,
): { rows: number[]; codes: number[][]; targets: number[]; sizes: number[] } {
  const out = {
    rows: [] as number[],
    codes: [] as number[][],
    targets: [] as number[],
    sizes: [] as number[],
  };
  for (const batch of loader.batches(epoch)) {
    out.sizes.push(batch.size);
    for (let k = 0; k < batch.size; k++) {
      out.rows.push(batch.rows[k]);
      out.codes.push(batch.inputs.map((column) => column[k]));
      out.targets.push(batch.targets[k]);
    }
  }
  return out;
}

/** What a call shows and warns of. */
function shown(call: () => void): { tables: Table[]; warnings: string[] } {
  const out = { tables: [] as Table[], warnings: [] as string[] };
  const before = setDisplay({
    table: (t) => out.tables.push(t),
    chart() {},
    text() {},
    warn: (line) => out.warnings.push(line),
  });
  try {
    call();
  } finally {
    setDisplay(before);
  }
  return out;
}

describe('CollabDataLoaders', () => {
  const dls = CollabDataLoaders.fromTable(records, { split, bs: 4 });

  it("has fastai's classes, codes and numbers of batches", () => {
    expect(dls.classes.user.classes).to.deep.equal(golden.classes.user);
    expect(dls.classes.item.classes).to.deep.equal(golden.classes.item);
    const train = epochOf(dls.train.inOrder());
    expect(train.codes).to.deep.equal(golden.train_codes);
    expect(train.rows).to.deep.equal(golden.train_rows);
    expect(train.targets).to.deep.equal(golden.train_rows.map((i: number) => golden.rows[i][2]));
    expect(epochOf(dls.valid).codes).to.deep.equal(golden.valid_codes);
    expect([dls.train.length, dls.valid.length]).to.deep.equal([
      golden.train_batches_per_epoch,
      golden.valid_batches_per_epoch,
    ]);
  });

  it('makes the same classes and codes from plays as from a table', () => {
    const plays = Plays.fromRows(
      golden.rows.map(([user, track, playcount]: [string, string, number]) => ({
        user,
        track,
        playcount,
      })),
    );
    const fromPlays = CollabDataLoaders.fromPlays(plays, { split, bs: 4, target: 'count' });
    expect(fromPlays.classes.user.classes).to.deep.equal(golden.classes.user);
    expect(epochOf(fromPlays.train.inOrder())).to.deep.equal(epochOf(dls.train.inOrder()));
    expect(epochOf(fromPlays.valid)).to.deep.equal(epochOf(dls.valid));
  });

  it('gives index 0 to users and items of validation alone', () => {
    const own = CollabDataLoaders.fromTable(
      [...records, { user: 'new', title: 'none', rating: 1 }],
      {
        split: { train: [0, 1], valid: [10, 2] },
        bs: 1,
      },
    );
    expect(epochOf(own.valid).codes).to.deep.equal([
      [0, 0],
      [0, 1],
    ]);
    expect(own.classes.user.index('u2')).to.equal(1);
    expect(() => own.classes.user.index('new')).to.throw('occurs in validation only');
  });

  it('puts trunc(validPct · n) rows into validation and the others into training', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 60 }),
        fc.double({ min: 0.05, max: 0.95 }),
        fc.integer(),
        (n, validPct, seed) => {
          fc.pre(Math.trunc(validPct * n) > 0);
          const rows = Array.from({ length: n }, (_, i) => ({
            user: i % 7,
            item: i % 5,
            rating: i,
          }));
          const own = CollabDataLoaders.fromTable(rows, { validPct, seed, bs: 1 });
          expect(own.valid.n).to.equal(Math.trunc(validPct * n));
          expect([...own.split.train, ...own.split.valid].sort((a, b) => a - b)).to.deep.equal(
            rows.map((r) => r.rating),
          );
          expect(epochOf(own.valid).targets).to.deep.equal([...own.split.valid]);
        },
      ),
    );
  });

  it('draws each training row once an epoch, in an order of seed and epoch alone', () => {
    const rows = Array.from({ length: 100 }, (_, i) => ({ user: i, item: i % 5, rating: i }));
    const make = (seed: number): CollabDataLoaders =>
      CollabDataLoaders.fromTable(rows, { seed, bs: 8 });
    const [first, second] = [make(1), make(1)];
    const epochs = [0, 1].map((e) => epochOf(first.train, e).rows);
    expect(epochOf(second.train, 1).rows).to.deep.equal(epochs[1]);
    expect(epochs[0]).to.not.deep.equal(epochs[1]);
    expect(epochOf(make(2).train, 0).rows).to.not.deep.equal(epochs[0]);
    expect(new Set(epochs[0]).size).to.equal(80);
    expect([...epochs[0]].sort((a, b) => a - b)).to.deep.equal(
      [...first.split.train].sort((a, b) => a - b),
    );
  });

  it('drops a ragged last batch in training and keeps it in validation', () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({ user: i, item: i % 5, rating: i }));
    const own = CollabDataLoaders.fromTable(rows, { bs: 5, valBs: 4 });
    expect(epochOf(own.train).sizes).to.deep.equal([5, 5, 5, 5]);
    expect(epochOf(own.valid).sizes).to.deep.equal([4, 2]);
    expect(epochOf(own.train.inOrder({ bs: 7 })).sizes).to.deep.equal([7, 7, 7, 3]);
  });

  it('draws with replacement on request: about 63 % of the rows come up', () => {
    const rows = Array.from({ length: 10000 }, (_, i) => ({ user: i, item: i % 5, rating: i }));
    const own = CollabDataLoaders.fromTable(rows, { bs: 10, shuffle: 'replacement' });
    const drawn = epochOf(own.train).rows;
    expect(drawn.length).to.equal(8000);
    expect(new Set(drawn).size / 8000).to.be.closeTo(1 - Math.exp(-1), 0.02);
    expect(drawn.every((i) => own.split.train.includes(i))).to.equal(true);
  });

  it('takes columns by position, or by name', () => {
    const table = new Table({
      rating: Float64Array.of(1, 2, 3, 4, 5),
      who: ['a', 'b', 'a', 'b', 'a'],
      what: Float64Array.of(10, 9, 10, 9, 9),
    });
    const named = CollabDataLoaders.fromTable(table, {
      userName: 'who',
      itemName: 'what',
      ratingName: 'rating',
      bs: 1,
    });
    expect(named.classes.item.classes).to.deep.equal(['#na#', '9', '10']);
    expect(named.names).to.deep.equal({ user: 'who', item: 'what', rating: 'rating' });
    const byPosition = CollabDataLoaders.fromTable(table, { bs: 1 });
    expect(byPosition.names).to.deep.equal({ user: 'rating', item: 'who', rating: 'what' });
  });

  it('reads a file as fastai does: columns by position, whole numbers as numbers', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'recital-test-'));
    try {
      const file = path.join(folder, 'ratings.csv');
      writeFileSync(
        file,
        `user,title,rating,when\n${golden.rows.map((r: unknown[]) => r.join(',')).join(',2020\n')},2020\n`,
      );
      const fromFile = await CollabDataLoaders.fromCsv(file, { split, bs: 4 });
      expect(fromFile.classes.item.classes).to.deep.equal(golden.classes.item);
      expect(epochOf(fromFile.valid)).to.deep.equal(epochOf(dls.valid));
      writeFileSync(file, 'user,item,rating\n10,7,1\n9,7,2\n100,8,3\n');
      const numeric = await CollabDataLoaders.fromCsv(file, {
        split: { train: [0, 1, 2], valid: [] },
        bs: 1,
      });
      expect(numeric.classes.user.classes).to.deep.equal(['#na#', '9', '10', '100']);
      writeFileSync(file, '# made by me\nuser,item,rating\n10,7,1\n');
      const refused = await CollabDataLoaders.fromCsv(file).catch((error: unknown) => error);
      expect(refused)
        .to.be.instanceOf(DataError)
        .with.property('message')
        .that.matches(
          /has only: # made by me\. Fields were split by ",", a guess .* give { comment: '#' }\.$/,
        );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('knows what each user has in training, and nothing of validation', () => {
    const { indptr, indices } = dls.seen;
    const rows = dls.classes.user.classes.map((_, u) => [
      ...indices.subarray(indptr[u], indptr[u + 1]),
    ]);
    expect(rows).to.deep.equal([[], [2, 4], [3], [1, 2, 4], [1, 4]]);
  });

  it('encodes other rows with its classes, with or without ratings', () => {
    const test = dls.testDl([
      { user: 'u3', title: 't9' },
      { user: 'nobody', title: 't1' },
    ]);
    expect(epochOf(test)).to.deep.equal({
      rows: [0, 1],
      codes: [
        [4, 4],
        [0, 1],
      ],
      targets: [NaN, NaN],
      sizes: [2],
    });
    expect(epochOf(dls.testDl(records, { bs: 3 })).targets).to.deep.equal(
      records.map((r: { rating: number }) => r.rating),
    );
    const plays = Plays.fromRows([{ user: 'u10', track: 't9', playcount: 7 }]);
    expect(epochOf(dls.testDl(plays))).to.deep.equal({
      rows: [0],
      codes: [[2, 4]],
      targets: [7],
      sizes: [1],
    });
    const unrated = records.map(({ user, title }: { user: string; title: string }) => ({
      user,
      title,
    }));
    const { warnings } = shown(() =>
      dls.testDl([
        ...unrated,
        { user: 'nobody', title: 't1' },
        { user: 'no one', title: '#na#' },
        { user: 'u3', title: 9 },
      ]),
    );
    expect(warnings).to.deep.equal([
      `Of ${records.length + 3} rows, 2 rows with an unknown user ("nobody" …) and 1 row with an unknown title ("9" …): training has not seen them, so they are predicted as #na#.`,
    ]);
    expect(shown(() => dls.testDl(records)).warnings).to.deep.equal([]);
    expect(() => dls.testDl([])).to.throw(DataError, 'no rows to predict');
    expect(() => dls.testDl([{ user: 'u1' }])).to.throw('Unknown column "title"');
  });

  it('shows decoded rows of the first batch, with titles where there are any', () => {
    const { tables } = shown(() => dls.showBatch({ maxN: 3 }));
    expect(tables[0].columnNames).to.deep.equal(['user', 'title', 'rating']);
    expect(tables[0].length).to.equal(3);
    const first: Batch = dls.oneBatch();
    expect(tables[0].row(0)).to.deep.equal(records[first.rows[0]]);

    const catalogue = new Tracks(
      new Table({ track_id: ['t1'], name: ['Hurt'], artist: ['Johnny Cash'] }),
    );
    const plays = Plays.fromRows(
      [0, 1, 2, 3, 4].map((i) => ({ user: `u${i}`, track: 't1', playcount: i + 1 })),
      { catalogue },
    );
    const titled = shown(() => CollabDataLoaders.fromPlays(plays, { bs: 1 }).showBatch());
    expect(titled.tables[0].columnNames).to.deep.equal(['user_id', 'track', 'rating']);
    expect(titled.tables[0].row(0).track).to.equal('Hurt by Johnny Cash');
  });

  it('warns of equal targets, and of a batch larger than the training rows', () => {
    const ones = Plays.fromRows([0, 1, 2, 3, 4].map((i) => ({ user: `u${i}`, track: 't1' })));
    expect(shown(() => CollabDataLoaders.fromPlays(ones, { bs: 2 })).warnings).to.have.length(1);
    expect(shown(() => CollabDataLoaders.fromPlays(ones, { bs: 2 })).warnings[0]).to.include(
      'has the target 0',
    );
    const large = shown(() => {
      const own = CollabDataLoaders.fromTable(records, { bs: 9 });
      expect(() => own.oneBatch()).to.throw(
        ArgumentError,
        'bs = 9 is more than the 8 training rows',
      );
      own.showBatch();
    });
    expect(large.warnings[0]).to.include('bs = 9');
    expect(large.tables[0].length).to.equal(8);
  });

  it('trains on every row if the split says so', () => {
    const all = CollabDataLoaders.fromTable(records, {
      split: { train: records.map((_: unknown, i: number) => i), valid: [] },
      bs: 5,
    });
    expect([all.train.n, all.valid.n, all.valid.length]).to.deep.equal([10, 0, 0]);
  });

  const refused: [string, () => unknown, string][] = [
    ['no rows', () => CollabDataLoaders.fromTable([]), 'no rows'],
    ['no plays', () => CollabDataLoaders.fromPlays(Plays.fromRows([])), 'no rows'],
    [
      'validPct 0',
      () => CollabDataLoaders.fromTable(records, { validPct: 0 }),
      'between 0 and 1, both excluded, got 0',
    ],
    [
      'validPct 1',
      () => CollabDataLoaders.fromTable(records, { validPct: 1 }),
      'between 0 and 1, both excluded, got 1',
    ],
    ['validPct NaN', () => CollabDataLoaders.fromTable(records, { validPct: NaN }), 'got NaN'],
    [
      'too few rows for a validation row',
      () => CollabDataLoaders.fromTable(records.slice(0, 4)),
      '0.2 of 4 rows leaves none',
    ],
    [
      'bs 0',
      () => CollabDataLoaders.fromTable(records, { bs: 0 }),
      'bs must be a whole number from 1 to 16777216, got 0',
    ],
    [
      'bs 1.5',
      () => CollabDataLoaders.fromTable(records, { bs: 1.5 }),
      'bs must be a whole number from 1 to 16777216, got 1.5',
    ],
    [
      'valBs −1',
      () => CollabDataLoaders.fromTable(records, { bs: 2, valBs: -1 }),
      'bs must be a whole number from 1 to 16777216, got -1',
    ],
    [
      'an unknown shuffle',
      () => CollabDataLoaders.fromTable(records, { shuffle: 'yes' as 'permutation' }),
      "got 'yes'",
    ],
    [
      'an unknown target',
      () =>
        CollabDataLoaders.fromPlays(Plays.fromRows([{ user: 1, track: 2 }]), {
          target: 'x' as 'log',
        }),
      "got 'x'",
    ],
    [
      'validPct and split together',
      () => CollabDataLoaders.fromTable(records, { split, validPct: 0.2 }),
      'not both',
    ],
    [
      'a row in both parts',
      () => CollabDataLoaders.fromTable(records, { split: { train: [1, 2], valid: [2] } }),
      'Row 2 is in both',
    ],
    [
      'a row that does not exist',
      () => CollabDataLoaders.fromTable(records, { split: { train: [1, 10], valid: [] } }),
      'Row of split.train 10 does not exist; there are 10',
    ],
    [
      'no training row',
      () => CollabDataLoaders.fromTable(records, { split: { train: [], valid: [1] } }),
      'no training row',
    ],
    [
      'an unknown column',
      () => CollabDataLoaders.fromTable(records, { userName: 'usr' }),
      'did you mean "user"?',
    ],
    ['two columns only', () => CollabDataLoaders.fromTable([{ a: 1, b: 2 }]), 'has only: a, b'],
    [
      'ratings that are text',
      () => CollabDataLoaders.fromTable([{ a: 1, b: 2, c: 'x' }]),
      'Row 0 (counted from 0), column "c": expected a finite number, which a float32 holds, got "x"',
    ],
    [
      'a missing rating',
      () => CollabDataLoaders.fromTable([{ a: 1, b: 2, c: null }]),
      'Row 0 (counted from 0), column "c": expected a finite number, which a float32 holds, got nothing',
    ],
    [
      'a missing user',
      () =>
        CollabDataLoaders.fromTable([
          { a: 'x', b: 2, c: 1 },
          { b: 2, c: 1 },
        ]),
      'Row 1 (counted from 0), column "a": expected an id, got nothing',
    ],
    [
      'ids that JavaScript has rounded, in training or in validation',
      () =>
        CollabDataLoaders.fromTable(
          [1, 2 ** 53 + 2].map((b) => ({ a: 'x', b, c: 1 })),
          { split: { train: [0], valid: [1] }, bs: 1 },
        ),
      'Row 1 (counted from 0) has the b 9007199254740994, a whole number beyond 2⁵³',
    ],
  ];
  for (const [what, call, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(call).to.throw(message);
    });
  }

  it('costs little: an epoch of 8,125 batches over 520,000 rows', () => {
    const n = 520_000;
    const user = Int32Array.from({ length: n }, (_, i) => i % 10_000);
    const loader = new CollabDataLoader(
      { user, item: user, target: new Float32Array(n), row: user },
      { bs: 64, shuffle: 'permutation' },
    );
    let best = Infinity;
    for (let epoch = 0; epoch < 4; epoch++) {
      const start = performance.now();
      let rows = 0;
      for (const batch of loader.batches(epoch)) rows += batch.size;
      best = Math.min(best, performance.now() - start);
      expect(rows).to.equal(n);
    }
    expect(best).to.be.lessThan(300);
  });

  it('makes loaders without rows of classes alone, which encode other rows as before', () => {
    const whole = CollabDataLoaders.fromTable(records, { split, bs: 4 });
    const { classes, seen, names } = whole;
    const empty = CollabDataLoaders.fromClasses({ classes, seen, names }, { bs: 4 });
    expect([empty.train.n, empty.train.length, empty.valid.n]).to.deep.equal([0, 0, 0]);
    expect(empty.seen).to.deep.equal(seen);
    expect(epochOf(empty.testDl(records))).to.deep.equal(epochOf(whole.testDl(records)));
    const wrong = { indptr: new Int32Array(2), indices: new Int32Array(0) };
    expect(() => CollabDataLoaders.fromClasses({ classes, seen: wrong, names })).to.throw(
      ArgumentError,
      'Rows do not fit',
    );
    const user = classes.user.subset([1, 2]);
    expect(() =>
      CollabDataLoaders.fromClasses({ classes: { ...classes, user }, seen, names }),
    ).to.throw(ArgumentError, 'must begin with #na#');
  });
});

const table = Table.fromRows(
  Array.from({ length: 400 }, (_, i) => ({
    user: `u${i % 20}`,
    item: `i${Math.floor(i / 20)}`,
    rating: i % 3,
    weight: 1 + (i % 4),
    label: 'x',
  })),
);
const weightOf = (row: number): number => 1 + (row % 4);

describe('weights of rows', () => {
  it('come with their rows in training, and not in validation or in order', () => {
    for (const weights of ['weight', Array.from({ length: 400 }, (_, i) => weightOf(i))]) {
      const dls = CollabDataLoaders.fromTable(table, { weights });
      let n = 0;
      for (const batch of dls.train.batches(1)) {
        for (let k = 0; k < batch.size; k++, n++)
          expect(batch.weights![k]).to.equal(weightOf(batch.rows[k]));
      }
      expect(n).to.equal(320);
      for (const loader of [dls.valid, dls.train.inOrder()])
        for (const batch of loader.batches(0)) expect(batch.weights).to.equal(undefined);
    }
    for (const batch of CollabDataLoaders.fromTable(table).train.batches(0))
      expect(batch.weights).to.equal(undefined);
  });

  it('say how often rows are drawn with replacement, as in fastai, and then every row counts alike', () => {
    const dls = CollabDataLoaders.fromTable(table, { weights: 'weight', shuffle: 'replacement' });
    const total = [0, 0, 0, 0];
    for (let epoch = 0; epoch < 40; epoch++) {
      for (const batch of dls.train.batches(epoch)) {
        expect(batch.weights).to.equal(undefined);
        for (let k = 0; k < batch.size; k++) total[batch.rows[k] % 4]++;
      }
    }
    const all = total.reduce((a, b) => a + b, 0);
    const rows = [0, 0, 0, 0]; // training rows by weight
    for (const row of dls.split.train) rows[row % 4]++;
    const mass = rows.reduce((s, r, w) => s + r * (w + 1), 0);
    rows.forEach((r, w) => {
      expect(total[w] / all).to.be.closeTo((r * (w + 1)) / mass, 0.015);
    });
  });

  it('pull the prediction towards the rows that weigh more', async () => {
    // one user and item: target 0 with weight 1, target 1 with weight 3, so the best constant is
    // 0.75
    const rows = Array.from({ length: 64 }, (_, i) => ({
      user: 'u',
      item: 'i',
      rating: i % 2,
      weight: i % 2 ? 3 : 1,
    }));
    const split = { train: rows.map((_, i) => i), valid: [] };
    for (const [shuffle, tolerance] of [
      ['permutation', 0.02],
      ['replacement', 0.15],
    ] as const) {
      const dls = CollabDataLoaders.fromTable(rows, { weights: 'weight', shuffle, bs: 64, split });
      const learn = collabLearner(dls, { nFactors: 2, lossFunc: new MSELossFlat() });
      await learn.fit(150, 0.02, { wd: 0 });
      expect((await learn.getPreds({ dsIdx: 0 })).preds[0]).to.be.closeTo(0.75, tolerance);
    }
  });

  it('are given to negatives as to their positive', () => {
    const plays = Plays.fromRows(
      Array.from({ length: 60 }, (_, i) => ({
        user: `u${i % 10}`,
        track: `t${i % 10 < 5 ? i : i + 1}`,
        playcount: 1 + (i % 7),
      })),
    );
    const dls = CollabDataLoaders.fromPlays(plays, {
      weights: 'playcount',
      negatives: { n: 2 },
      bs: 12,
    });
    for (const { size, weights, rows } of dls.train.batches(0)) {
      for (let k = 0; k < size; k++)
        expect(weights![k]).to.equal(plays.playcount[rows[k - (k % 3)]]);
    }
  });

  it('must be a positive number for each row', () => {
    const make = (weights: string | number[]): CollabDataLoaders =>
      CollabDataLoaders.fromTable(table, { weights });
    expect(() => make([1, 2])).to.throw(
      ArgumentError,
      'one number for each of the 400 rows, got 2',
    );
    for (const bad of [0, -1, NaN, Infinity]) {
      const weights = new Array(400).fill(1);
      weights[7] = bad;
      expect(() => make(weights)).to.throw(
        ArgumentError,
        `Row 7 (counted from 0) has the weight ${bad}`,
      );
    }
    expect(() => make('label')).to.throw(ArgumentError, 'has the weight x');
    expect(() => make('wieght')).to.throw(UnknownIdError, 'weight');
    expect(() =>
      CollabDataLoaders.fromPlays(Plays.fromRows([{ user: 'a', track: 'b' }]), {
        weights: 'rating',
      }),
    ).to.throw(UnknownIdError, 'playcount');
  });
});

const counts: [user: string, playcount: number][] = [
  ['u1', 1],
  ['u2', 4],
  ['u1', 7],
  ['u1', 1],
  ['u1', 2],
];
const plays = Plays.fromRows(
  counts.map(([user, playcount], i) => ({ user, track: `t${i}`, playcount })),
);

describe('targetsOf', () => {
  it('is 1 from the threshold on, 2 by default', () => {
    expect([...targetsOf(plays)]).to.deep.equal([0, 1, 1, 0, 1]);
    expect([...targetsOf(plays, { threshold: 5 })]).to.deep.equal([0, 0, 1, 0, 0]);
  });

  it('is ln(1 + playcount)', () => {
    expect([...targetsOf(plays, { target: 'log' })]).to.deep.equal(
      counts.map(([, p]) => Math.fround(Math.log(1 + p))),
    );
  });

  it('is the rank within the user, ties at the middle, scaled into (0, 1)', () => {
    expect([...targetsOf(plays, { target: 'rank' })]).to.deep.equal([
      0.25, 0.5, 0.875, 0.25, 0.625,
    ]);
  });

  it('is the playcount itself, as a copy', () => {
    const target = targetsOf(plays, { target: 'count' });
    expect([...target]).to.deep.equal([1, 4, 7, 1, 2]);
    expect(target).to.not.equal(plays.playcount);
  });

  it('refuses a threshold that is no number', () => {
    expect(() => targetsOf(plays, { threshold: NaN })).to.throw(ArgumentError, 'got NaN');
  });
});
