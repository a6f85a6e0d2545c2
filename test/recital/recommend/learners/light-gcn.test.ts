import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { Random } from '../../../../lib/recital/compute/random.js';
import { CollabDataLoaders } from '../../../../lib/recital/data/collab.js';
import type { Plays } from '../../../../lib/recital/data/plays.js';
import { ArgumentError } from '../../../../lib/recital/errors.js';
import { loadLearner } from '../../../../lib/recital/files/load.js';
import { Adam } from '../../../../lib/recital/learner/optimizers/steps.js';
import { LightGCN } from '../../../../lib/recital/models/light-gcn.js';
import { checkGradients } from '../../../../lib/recital/nn/check-gradients.js';
import { BPRLoss } from '../../../../lib/recital/nn/losses.js';
import {
  LightGCNLearner,
  lightGCNLearner,
} from '../../../../lib/recital/recommend/learners/light-gcn.js';
import { recommenderContract, smallPlays } from '../contract.js';
import { scoreBytes } from '../contract-support.js';

const loaders = (plays: Plays): CollabDataLoaders =>
  CollabDataLoaders.fromPlays(plays, {
    negatives: { n: 1 },
    bs: 128,
    split: { train: Array.from({ length: plays.length }, (_, i) => i), valid: [] },
  });

async function trained(plays: Plays): Promise<LightGCNLearner> {
  const learn = lightGCNLearner(loaders(plays), { nFactors: 8, layers: 2, reg: 2e-5 });
  await learn.fit(30, 0.02, { wd: 0 });
  return learn;
}

describe('LightGCN', () => {
  recommenderContract('LightGCN', trained, { foldIn: true });

  it('has the gradients that differences show', () => {
    const dls = loaders(smallPlays());
    const model = new LightGCN(dls.classes, dls.seen, {
      nFactors: 5,
      layers: 3,
      random: new Random(1),
    });
    checkGradients(model, dls.oneBatch(), { samples: 100 });
  });

  it('has the gradients of its penalty, too: alone, where the loss has none', () => {
    const dls = loaders(smallPlays());
    for (const reg of [0.7, 0]) {
      const model = new LightGCN(dls.classes, dls.seen, {
        nFactors: 5,
        layers: 2,
        reg,
        random: new Random(1),
      });
      checkGradients(model, dls.oneBatch(), { samples: 100 });
      checkGradients(model, dls.oneBatch(), { samples: 100, lossFunc: new BPRLoss() });
      expect(model.penalty() === undefined).to.equal(reg === 0);
    }
  });

  it('has the published penalty: λ/2·Σ(‖u‖² + ‖i⁺‖² + ‖i⁻‖²)/pairs, of layer 0, and half of it for a gradient scale of ½', () => {
    const dls = loaders(smallPlays());
    const model = new LightGCN(dls.classes, dls.seen, { nFactors: 2, layers: 2, reg: 0.5 });
    const users = dls.classes.user.length;
    const row = (r: number, a: number, b: number): void => model.weight.value.set([a, b], 2 * r);
    row(1, 1, 2); // ‖u₁‖² = 5
    row(2, 0, 3); // 9
    row(users + 1, 2, 0); // 4
    row(users + 2, 1, 1); // 2
    row(users + 3, 0, 6); // 36
    // Two pairs: (user 1, item 1 over item 2), (user 2, item 3 over item 1)
    const batch = {
      size: 4,
      inputs: [Int32Array.of(1, 1, 2, 2), Int32Array.of(1, 2, 3, 1)],
      targets: Float32Array.of(1, 0, 1, 0),
      rows: Int32Array.of(0, -1, 1, -1),
    };
    expect(model.penalty(), 'before the first batch').to.equal(undefined);
    model.forward(batch);
    const penalty = model.penalty()!;
    expect(penalty.value).to.equal((0.5 * 0.5 * (5 + 4 + 2 + (9 + 36 + 4))) / 2);
    penalty.backward(0.5);
    const { grad } = model.weight;
    const at = (r: number): number[] => [...grad.subarray(2 * r, 2 * r + 2)];
    expect(at(1)).to.deep.equal([0.125, 0.25]); // ½·λ·e/pairs
    expect(at(users + 1)).to.deep.equal([0.5, 0]); // in both pairs
    expect(at(users + 3)).to.deep.equal([0, 0.75]);
    expect(at(3)).to.deep.equal([0, 0]);
  });

  it('is trained by default with the Adam of PyTorch: entries of the gradient far below fastai’s eps move their weights', async () => {
    const learn = lightGCNLearner(loaders(smallPlays()), { nFactors: 4 });
    const { sqrMom, eps, wd } = learn.opt.hypers;
    expect({ sqrMom, eps, wd }).to.deep.equal({ sqrMom: 0.999, eps: 1e-8, wd: 0 });
    expect(lightGCNLearner(learn.dls, { optFunc: Adam }).opt.hypers.eps).to.equal(1e-5);
  });

  it('is trained with its penalty, which is not part of the loss that is shown', async () => {
    const dls = loaders(smallPlays());
    const size = async (reg: number): Promise<number> => {
      const learn = lightGCNLearner(dls, { nFactors: 8, layers: 2, reg });
      await learn.fit(20, 0.02, { wd: 0 });
      expect(learn.recorder.losses[0]).to.be.closeTo(Math.log(2), 0.01);
      return learn.model.weight.value.reduce((sum, w) => sum + w * w, 0);
    };
    expect(await size(0.1)).to.be.below(0.5 * (await size(0)));
  });

  it('predicts what the formula says', () => {
    const dls = loaders(smallPlays());
    const model = new LightGCN(dls.classes, dls.seen, {
      nFactors: 3,
      layers: 2,
      random: new Random(1),
    });
    const users = dls.classes.user.length;
    const n = users + dls.classes.item.length;
    const a = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    for (let u = 1; u < users; u++)
      for (let j = dls.seen.indptr[u]; j < dls.seen.indptr[u + 1]; j++)
        a[u][users + dls.seen.indices[j]] = a[users + dls.seen.indices[j]][u] = 1;
    const degree = a.map((row) => row.reduce((x, y) => x + y, 0));
    const times = (x: number[][]): number[][] =>
      a.map((row, r) =>
        [0, 1, 2].map((f) =>
          row.reduce(
            (s, v, c) => s + (v === 0 ? 0 : (v * x[c][f]) / Math.sqrt(degree[r] * degree[c])),
            0,
          ),
        ),
      );
    const e0 = Array.from({ length: n }, (_, r) =>
      [0, 1, 2].map((f) => model.weight.value[r * 3 + f]),
    );
    const [e1, e2] = [times(e0), times(times(e0))];
    const batch = dls.oneBatch();
    const out = model.forward(batch);
    for (let r = 0; r < batch.size; r++) {
      const [u, i] = [batch.inputs[0][r], users + batch.inputs[1][r]];
      const expected = [0, 1, 2].reduce(
        (s, f) =>
          s + ((e0[u][f] + e1[u][f] + e2[u][f]) / 3) * ((e0[i][f] + e1[i][f] + e2[i][f]) / 3),
        0,
      );
      expect(out[r]).to.be.closeTo(expected, 1e-6);
    }
  });

  it('is exported and loaded with the same scores', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'recital-'));
    try {
      const learn = await trained(smallPlays());
      const loaded = loadLearner(learn.export(path.join(dir, 'gcn')), { type: LightGCNLearner });
      expect(scoreBytes(loaded).equals(scoreBytes(learn))).to.equal(true);
      expect(loaded.model.reg).to.equal(learn.model.reg);
      expect(loaded.recommend('user03').ids).to.deep.equal(learn.recommend('user03').ids);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('refuses sizes and loaders that make no sense', () => {
    const dls = loaders(smallPlays());
    expect(() => lightGCNLearner(dls, { layers: 0 })).to.throw(
      ArgumentError,
      'layers must be a positive whole number, got 0',
    );
    for (const reg of [-1, NaN, null, '']) {
      expect(() => lightGCNLearner(dls, { reg: reg as number })).to.throw(
        ArgumentError,
        'reg must be a number, 0 or more',
      );
    }
    expect(() => lightGCNLearner(smallPlays() as never)).to.throw(
      ArgumentError,
      'lightGCNLearner needs loaders',
    );
    const model = new LightGCN(dls.classes, dls.seen, { nFactors: 2 });
    const batch = {
      size: 1,
      inputs: [Int32Array.of(1), Int32Array.of(99)],
      targets: Float32Array.of(1),
      rows: Int32Array.of(0),
    };
    expect(() => model.forward(batch)).to.throw(ArgumentError, 'item index 99');
  });
});
