import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { CollabDataLoaders, type CollabPlaysOptions } from '../../../lib/recital/data/collab.js';
import { Plays } from '../../../lib/recital/data/plays.js';
import { ArgumentError, NumericError, UnknownIdError } from '../../../lib/recital/errors.js';
import { loadLearner } from '../../../lib/recital/files/load.js';
import {
  BCEWithLogitsLossFlat,
  BPRLoss,
  L1LossFlat,
  MSELossFlat,
} from '../../../lib/recital/nn/losses.js';
import type { HistoryItem } from '../../../lib/recital/recommend/fold-in.js';
import {
  type CollabLearner,
  type CollabLearnerOptions,
  collabLearner,
} from '../../../lib/recital/recommend/learners/collab.js';
import { fitUser, typicalRow } from '../../../lib/recital/recommend/learners/collab-fold-in.js';
import { smallPlays } from './contract.js';

async function train(
  plays: Plays,
  loader: CollabPlaysOptions = {},
  options: CollabLearnerOptions = {},
): Promise<CollabLearner> {
  const all = { train: Array.from({ length: plays.length }, (_, i) => i), valid: [] };
  const dls = CollabDataLoaders.fromPlays(plays, { bs: 16, split: all, ...loader });
  const learn = collabLearner(dls, { nFactors: 6, ...options });
  await learn.fitOneCycle(8, 0.03, { wd: 0.1 });
  return learn;
}

/** The parameters of a model, in one piece of bytes. */
const weights = (learn: CollabLearner): Buffer =>
  Buffer.concat(learn.model.parameters.map((p) => Buffer.from(Float32Array.from(p.value).buffer)));

/**
 * The gradient of Σ loss over a history and the ridge, at a folded listener, by the learner's own
 * loss.
 */
function gradientAt(learn: CollabLearner, history: [string, number][], l2: number): number[] {
  const folded = learn.foldIn(
    history.map(([track, playcount]) => ({ track, playcount })),
    { l2 },
  );
  const theta = [...folded.factors, folded.bias];
  const gradient = theta.map((t) => l2 * t);
  const targets = learn.dls.testDl(
    Plays.fromRows(history.map(([track, playcount]) => ({ user: 'new', track, playcount }))),
  ).data;
  for (let i = 0; i < targets.target.length; i++) {
    const item = targets.item[i];
    const v = [...learn.model.weight([learn.model.classes.item.id(item)])[0], 1];
    const score = v.reduce((sum, x, j) => sum + x * theta[j], learn.model.iBias.value[item]);
    const slope = new Float32Array(1);
    learn.lossFunc.derivatives(
      { size: 1, pred: Float32Array.of(score), targets: targets.target.subarray(i, i + 1) },
      slope,
    );
    v.forEach((x, j) => {
      gradient[j] += slope[0] * x;
    });
  }
  return gradient;
}

describe('CollabLearner.foldIn', () => {
  const plays = smallPlays();
  const history: HistoryItem[] = [
    'Song 4',
    { track: 'track11', playcount: 3 },
    { track: 'Song 20', playcount: 1 },
  ];
  let learn: CollabLearner;
  before(async () => {
    learn = await train(plays, {}, { lossFunc: new BCEWithLogitsLossFlat() });
  });

  it('recommends what is not in the history, reports predictions, and knows titles', () => {
    const folded = learn.foldIn(history);
    expect(folded.history).to.deep.equal(['track04', 'track11', 'track20']);
    const list = folded.recommend({ n: 100 });
    expect(list.ids).to.have.length(27).and.not.include.members(['track04', 'track11', 'track20']);
    expect([...list.scores].every((p) => p > 0 && p < 1)).to.equal(true);
    expect(list.columnNames).to.include('title');
    expect(folded.recommend({ n: 100, filterSeen: false }).ids).to.have.length(30);
    expect(
      folded.recommend({ among: ['Song 5', 'Song 6'], exclude: ['track05'] }).ids,
    ).to.deep.equal(['track06']);
    const best = learn.tracks.indexOf(list.ids[0]);
    expect(list.scores[0]).to.be.closeTo(1 / (1 + Math.exp(-folded.scores[best])), 1e-6);
  });

  it('prints itself in a line', () => {
    expect(inspect(learn.foldIn(['track04']))).to.equal(
      'A user of 1 track, folded into EmbeddingDotBias; recommend() lists what else they may like.',
    );
  });

  it('scores by its factors and bias and the tables of the tracks', () => {
    const folded = learn.foldIn(history);
    learn.tracks.classes.forEach((track, t) => {
      const [v] = learn.model.weight([track]);
      const expected =
        folded.factors.reduce((sum, u, f) => sum + u * v[f], folded.bias) +
        learn.model.bias([track])[0];
      expect(folded.scores[t]).to.be.closeTo(expected, 1e-5);
    });
  });

  it('leaves the model as it is, and gives the same listener again', () => {
    const before = weights(learn);
    const one = learn.foldIn(history);
    expect(learn.foldIn(history).scores).to.deep.equal(one.scores);
    expect(learn.foldIn([...history].reverse()).scores).to.deep.equal(one.scores);
    expect(weights(learn).equals(before)).to.equal(true);
    expect(learn.users.length).to.equal(20);
  });

  it('is where the gradient of losses and ridge vanishes, for the targets that the loaders would make', async () => {
    const counts: [string, number][] = [
      ['track01', 1],
      ['track07', 2],
      ['track12', 9],
      ['track25', 1],
    ];
    for (const target of ['binary', 'log', 'rank', 'count'] as const) {
      const lossFunc =
        target === 'binary' || target === 'rank' ? new BCEWithLogitsLossFlat() : new MSELossFlat();
      const other = await train(plays, { target }, { lossFunc });
      for (const l2 of [0.3, 5])
        for (const g of gradientAt(other, counts, l2)) expect(Math.abs(g)).to.be.below(2e-5);
    }
  });

  it('adds up playcounts of a repeated track, and likes what is named without one', () => {
    const scores = (items: HistoryItem[]): Float32Array => learn.foldIn(items).scores;
    const [once, twice] = [
      [{ track: 'track03', playcount: 1 }, 'track09'],
      [{ track: 'track03', playcount: 1 }, 'track09', { track: 'Song 3', playcount: 1 }],
    ];
    expect(scores(twice)).to.deep.equal(scores([{ track: 'track03', playcount: 2 }, 'track09'])); // 2: liked, by the threshold
    expect(scores(twice)).to.not.deep.equal(scores(once));
    expect(scores(['track03', 'track03'])).to.deep.equal(
      scores([{ track: 'track03', playcount: 7 }]),
    );
    expect(scores([{ track: 'track03', playcount: 1 }, { track: 'track03' }])).to.deep.equal(
      scores(['track03']),
    );
  });

  it('takes a track without a playcount for one with the mean of the targets above their mean', async () => {
    const log = await train(plays, { target: 'log' });
    const { target } = log.dls.train.data;
    const mean = target.reduce((a, b) => a + b) / target.length;
    const above = target.filter((t) => t > mean);
    const liked = above.reduce((a, b) => a + b) / above.length;
    expect(typicalRow(log).liked).to.be.closeTo(liked, 1e-6);
    const [a, b] = [
      log.foldIn(['track05']),
      log.foldIn([{ track: 'track05', playcount: Math.expm1(liked) }]),
    ];
    a.scores.forEach((score, t) => {
      expect(score).to.be.closeTo(b.scores[t], 1e-5);
    });
  });

  it('comes nearer to what everybody gets, the larger l2 is', () => {
    const size = [0.1, 1, 10, 1e9].map((l2) =>
      Math.hypot(...learn.foldIn(history, { l2 }).factors),
    );
    for (let i = 1; i < size.length; i++) expect(size[i]).to.be.below(size[i - 1]);
    const everybody = learn.foldIn(history, { l2: 1e9 }).recommend({ n: 27 });
    const byBias = learn
      .bias()
      .strings('track_id')
      .filter((id) => !['track04', 'track11', 'track20'].includes(id as string));
    expect(everybody.ids).to.deep.equal(byBias);
  });

  it('takes ratings of a table as they are', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({
      user: `u${i % 12}`,
      item: `i${Math.floor(i / 12)}`,
      rating: ((i * 7) % 11) - 5,
    }));
    const learner = collabLearner(CollabDataLoaders.fromTable(rows, { bs: 10 }), { nFactors: 3 });
    await learner.fitOneCycle(3, 0.02);
    const [bad, good] = [-5, 5].map(
      (playcount) =>
        learner.foldIn([
          { track: 'i2', playcount },
          { track: 'i1', playcount: 0 },
        ]).scores[2],
    );
    expect(bad).to.be.below(good);
    expect(() => learner.foldIn([{ track: 'i2', playcount: 1 }, 'i2'])).to.throw(
      ArgumentError,
      '"i2" is rated twice',
    );
    expect(() => learner.foldIn([{ track: 'i2', playcount: -Infinity }])).to.throw(
      ArgumentError,
      'a finite rating was expected',
    );
  });

  it('refuses an empty history, unknown tracks, and what is no history', () => {
    expect(() => learn.foldIn([])).to.throw(ArgumentError, 'The history is empty');
    expect(() => learn.foldIn(['track04', 'trakc11'])).to.throw(
      UnknownIdError,
      'did you mean "track11"?',
    );
    expect(() => learn.foldIn(['Song 31'])).to.throw(
      UnknownIdError,
      'nobody plays it in the training data',
    );
    for (const playcount of [0, -1, Infinity, '3' as unknown as number]) {
      expect(() => learn.foldIn([{ track: 'track04', playcount }])).to.throw(
        ArgumentError,
        `playcount ${playcount} in the history`,
      );
    }
    for (const bad of ['track04', null, undefined, 7])
      expect(() => learn.foldIn(bad as never)).to.throw(
        ArgumentError,
        'A history is a list of tracks',
      );
    for (const bad of [null, {}, [], undefined, true])
      expect(() => learn.foldIn([bad as never])).to.throw(ArgumentError, 'Entry 0 of the history');
    for (const l2 of [0, -1, NaN, Infinity])
      expect(() => learn.foldIn(history, { l2 })).to.throw(
        ArgumentError,
        `l2 must be a positive number, got ${l2}`,
      );
  });

  it('refuses a loss without two derivatives, and weights that are NaN', async () => {
    const absolute = await train(plays, { target: 'log' }, { lossFunc: new L1LossFlat() });
    expect(() => absolute.foldIn(history)).to.throw(ArgumentError, 'This learner has L1LossFlat');
    const broken = await train(plays);
    broken.model.iBias.value[5] = NaN; // track04
    expect(() => broken.foldIn(history)).to.throw(NumericError, 'Has training diverged?');
  });

  it('works before any training, and with a range', async () => {
    const fresh = collabLearner(CollabDataLoaders.fromPlays(plays, { bs: 16 }), {
      lossFunc: new BCEWithLogitsLossFlat(),
    });
    expect(fresh.foldIn(['track01']).recommend().length).to.equal(10);
    const ranged = await train(plays, {}, { yRange: [-0.1, 1.1] });
    const { scores } = ranged.foldIn(history).recommend();
    expect([...scores].every((s) => s > -0.1 && s < 1.1)).to.equal(true);
  });

  it('weighs playcounts as the loaders do', async () => {
    const weighed = await train(plays, { target: 'log', weights: 'playcount' });
    expect(typicalRow(weighed).weight).to.be.closeTo(
      plays.playcount.reduce((a, b) => a + b) / plays.length,
      1e-5,
    );
    const items = [
      { track: 'track01', playcount: 4 },
      { track: 'track02', playcount: 1 },
    ];
    const own = weighed.foldIn(items, { l2: 1 }).factors;
    const typical = typicalRow(weighed);
    const played = [
      { track: 1, target: Math.fround(Math.log1p(4)), weight: 4 / typical.weight },
      { track: 2, target: Math.fround(Math.log1p(1)), weight: 1 / typical.weight },
    ];
    fitUser(weighed, played, 1)
      .theta.subarray(0, 6)
      .forEach((t, j) => {
        expect(t).to.be.closeTo(own[j], 1e-6);
      });
    expect(own).to.not.deep.equal(
      weighed.foldIn(
        items.map(({ track }) => track),
        { l2: 1 },
      ).factors,
    );
  });

  it('goes by the typical row that it is given where there are no training rows', () => {
    const { classes, seen, names, target } = learn.dls;
    const alone = collabLearner(CollabDataLoaders.fromClasses({ classes, seen, names, target }), {
      nFactors: 6,
      lossFunc: learn.lossFunc,
    });
    alone.model.parameters.forEach((p, i) => {
      p.value.set(learn.model.parameters[i].value);
    });
    expect(() => alone.foldIn(['track01'])).to.throw(ArgumentError, 'Set savedRow');
    alone.savedRow = JSON.parse(JSON.stringify(typicalRow(learn)));
    expect(alone.foldIn(['track01', 'track08']).scores).to.deep.equal(
      learn.foldIn(['track01', 'track08']).scores,
    );
  });
});

describe('a learner from a file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'recital-fold-in-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('folds in the same listener as the one that was exported, negatives and weights included', async () => {
    const cases: [CollabPlaysOptions, CollabLearnerOptions][] = [
      [{ target: 'rank', weights: 'playcount' }, { yRange: [0, 1] }],
      [{ negatives: { n: 2, sampling: 'popularity' } }, { lossFunc: new BPRLoss() }],
    ];
    for (const [loader, options] of cases) {
      const learn = await train(smallPlays(), loader, options);
      const loaded = loadLearner(learn.export(path.join(folder, 'model.safetensors')));
      const items = ['Song 4', { track: 'track11', playcount: 3 }];
      expect(loaded.foldIn(items).scores).to.deep.equal(learn.foldIn(items).scores);
      expect(() => loaded.explain('user01', 'Song 4')).to.throw(
        ArgumentError,
        'these loaders have none',
      );
      expect(loaded.foldIn(items).explain('Song 5').rows()).to.deep.equal(
        learn.foldIn(items).explain('Song 5').rows(),
      );
    }
  });
});
