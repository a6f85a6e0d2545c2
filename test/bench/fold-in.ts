import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  BCEWithLogitsLossFlat,
  CollabDataLoaders,
  type CollabLearner,
  collabLearner,
  evaluateRecommender,
  noLogging,
  type Plays,
  Popularity,
  type Recommender,
  readPlays,
  Table,
} from '../../lib/recital/index.js';
import { FoldedRecommender, holdOutUsers } from '../support/folded.js';
import { type Benchmark, main } from './support/benchmark.js';
import { type Figure, figure, median } from './support/figures.js';
import { count } from './support/options.js';

const options = {
  splits: count(3, 'times that other users are set apart; figures are means'),
  epochs: count(5, 'epochs of training, at 5e-3 with weight decay 0.1'),
  factors: count(50, 'factors'),
  bs: count(64, 'rows a batch'),
};
type Settings = { [K in keyof typeof options]: number };

const ROOT = path.resolve(__dirname, '../..');
const METRICS = ['ndcg', 'recall'] as const;
type Scores = Record<(typeof METRICS)[number], number>;

/**
 * What is trained: playcounts as they are said to be best rated, or the plays themselves against
 * tracks not played.
 */
const kinds = {
  log: { loader: () => ({ target: 'log' as const }), learner: () => ({}) },
  binary: {
    loader: (threshold: number) => ({ target: 'binary' as const, threshold }),
    learner: () => ({ lossFunc: new BCEWithLogitsLossFlat() }),
  },
  negatives: {
    loader: () => ({ negatives: { n: 4 } }),
    learner: () => ({ lossFunc: new BCEWithLogitsLossFlat() }),
  },
};

/** How users who are folded in rank beside the same users trained. */
export const benchmark: Benchmark<typeof options> = {
  about:
    'fold-in: one user in ten is set apart, with a fifth of their plays to test on. "trained": their other plays are trained on with those of all others.\n' +
    '"folded in": a model of the others, into which they are folded by these plays. "again": as trained, from another seed: what chance does. The whole catalogue is\n' +
    'ranked. Figures are shortfalls against trained, in percent (less than 0: better), and the time to fold one user in.',
  options,
  async run(settings) {
    const hetrec = path.resolve(ROOT, '../shared/data/hetrec2011-lastfm-2k.zip');
    const sources: [name: string, plays: Plays, threshold: number][] = [
      ['sample', await readPlays(path.join(ROOT, 'data/sample')), 2],
    ];
    if (existsSync(hetrec)) sources.push(['HetRec', await readPlays(hetrec), 200]);
    else console.log(`Without HetRec: there is no ${path.relative(process.cwd(), hetrec)}.`);
    const figures: Figure[] = [];
    for (const [name, plays, threshold] of sources) {
      for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
        const { rows, ms } = await compare(plays, { kind, threshold, settings });
        console.log(
          `${name}, ${kind}\n${Table.fromRows(rows.map(({ who, scores }) => ({ '': who, ...scores })))}\n`,
        );
        const [trained, folded] = rows.map(({ scores }) => scores);
        const peakMB = process.resourceUsage().maxRSS / 1024;
        for (const m of METRICS)
          figures.push(
            figure(
              `fold-in, ${name} ${kind}: ${m}@10`,
              100 * (1 - folded[m] / trained[m]),
              '% short',
              peakMB,
            ),
          );
        figures.push(figure(`fold-in, ${name} ${kind}: a user`, ms, 'ms', peakMB));
      }
    }
    return figures;
  },
};

/** Means over splits, and the median time to fold a user in. */
async function compare(
  plays: Plays,
  {
    kind,
    threshold,
    settings,
  }: { kind: keyof typeof kinds; threshold: number; settings: Settings },
): Promise<{ rows: { who: string; scores: Scores }[]; ms: number }> {
  const sums = new Map<string, Scores>();
  const times: number[] = [];
  for (let seed = 0; seed < settings.splits; seed++) {
    const { others, history, test } = holdOutUsers(plays, { userPct: 0.1, seed });
    const learner = (train: number[], from: number): Promise<CollabLearner> =>
      trained(plays, { train, kind, threshold, settings, seed: from });
    const alone = await learner(others, seed);
    const folded = new FoldedRecommender(alone, plays.take(history).compact(), (items) => {
      const start = performance.now();
      const user = alone.foldIn(items);
      times.push(performance.now() - start);
      return user;
    });
    const all = [...others, ...history];
    const heldOut = plays.take(test);
    const who: [string, Recommender][] = [
      ['trained', await learner(all, seed)],
      ['folded in', folded],
      ['again', await learner(all, seed + 1000)],
      ['popularity', new Popularity(plays.take(all))],
    ];
    for (const [name, recommender] of who) {
      const { ndcg, recall } = evaluateRecommender(recommender, heldOut, {
        users: folded.foldedUsers,
      });
      const sum = sums.get(name) ?? { ndcg: 0, recall: 0 };
      sums.set(name, {
        ndcg: sum.ndcg + ndcg / settings.splits,
        recall: sum.recall + recall / settings.splits,
      });
    }
  }
  return { rows: [...sums].map(([who, scores]) => ({ who, scores })), ms: median(times) };
}

async function trained(
  plays: Plays,
  {
    train,
    kind,
    threshold,
    settings,
    seed,
  }: {
    train: number[];
    kind: keyof typeof kinds;
    threshold: number;
    settings: Settings;
    seed: number;
  },
): Promise<CollabLearner> {
  const dls = CollabDataLoaders.fromPlays(plays, {
    ...kinds[kind].loader(threshold),
    bs: settings.bs,
    seed,
    split: { train, valid: [] },
  });
  const learn = collabLearner(dls, { ...kinds[kind].learner(), nFactors: settings.factors, seed });
  await noLogging(() => learn.fitOneCycle(settings.epochs, 5e-3, { wd: 0.1 }));
  return learn;
}

if (require.main === module) void main(benchmark);
