// Splits and saved recommenders.
import {
  ALS,
  type Callback,
  CancelFitException,
  EASE,
  evaluateRecommender,
  fitHybrid,
  ItemKNN,
  kFold,
  leaveKOut,
  loadRecommender,
  orderSplit,
  type Plays,
  Popularity,
  perUserSplit,
  type Recommender,
  randomSplit,
  splitPlays,
} from '../../lib/recital/index.js';
import { is } from './same.js';

declare const plays: Plays;
declare const ratios: number[];

// A split of three ratios has three parts, and so has what is split by it.
is<Int32Array>()(perUserSplit(plays, { ratios: [0.8, 0.1, 0.1] }).test);
is<Int32Array>()(perUserSplit(plays).test);
is<Int32Array>()(orderSplit(plays, { ratios: [0.6, 0.2, 0.2] }).test);
is<Int32Array>()(leaveKOut(plays, { valid: 1, test: 1 }).test);
const { train, valid, test } = splitPlays(plays, perUserSplit(plays, { ratios: [0.8, 0.1, 0.1] }));
is<Plays>()(train);
is<Plays>()(valid);
is<Plays>()(test);
is<Int32Array | undefined>()(perUserSplit(plays, { ratios: [0.8, 0.2] }).test);
is<Int32Array | undefined>()(perUserSplit(plays, { ratios }).test);
is<Int32Array | undefined>()(kFold(plays)[0]?.test);
const two = splitPlays(plays, perUserSplit(plays, { ratios: [0.8, 0.2], seed: 1 }));
is<Plays>()(two.valid);
is<Plays | undefined>()(two.test);
is<Plays>()(splitPlays(plays, randomSplit(plays.length)).valid);
// @ts-expect-error: a split of two ratios has no test part
evaluateRecommender(new Popularity(train), two.test);

export async function hybrid(): Promise<void> {
  const models = [await EASE.fit(train), new ItemKNN(train)];
  const found = await fitHybrid(models, valid);
  evaluateRecommender(found, test);
}

// What a file holds can fold in, or says that it cannot.
const loaded = loadRecommender('model');
is<Recommender>()(loaded);
is<boolean>()(loaded.canFoldIn);
if (loaded.canFoldIn) loaded.foldIn([{ track: 'a' }]).recommend({ n: 5 });
is<ALS>()(loadRecommender('model', { type: ALS }));
loadRecommender('model', { type: ALS })
  .foldIn([{ track: 'a' }])
  .recommend();
// @ts-expect-error: a history is of tracks
loaded.foldIn(3);

// A callback of one's own.
export const goodEnough: Callback = {
  name: 'goodEnough',
  order: 60,
  afterEpoch({ recorder }) {
    is<number | null | undefined>()(recorder.values.at(-1)?.[1]);
    if ((recorder.values.at(-1)?.[1] ?? 1) < 0.65) throw new CancelFitException();
  },
};
// @ts-expect-error: there is no such event
export const wrong: Callback = { name: 'wrong', afterEpcoh() {} };
