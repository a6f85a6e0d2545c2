import { inspect } from 'node:util';
import { expect } from 'chai';
import { Random } from '../../../lib/recital/compute/random.js';
import { TrainEval } from '../../../lib/recital/learner/callback.js';
import {
  GradientAccumulation,
  GradientClip,
} from '../../../lib/recital/learner/callbacks/gradients.js';
import { CSVLogger, ShowGraph } from '../../../lib/recital/learner/callbacks/logging.js';
import {
  EarlyStopping,
  ReduceLROnPlateau,
  SaveModel,
} from '../../../lib/recital/learner/callbacks/trackers.js';
import {
  FetchPreds,
  ShortEpoch,
  TerminateOnNaN,
} from '../../../lib/recital/learner/callbacks/training.js';
import { Interpretation } from '../../../lib/recital/learner/interpretation.js';
import { AvgMetric, accuracyThresh, mae, rmse } from '../../../lib/recital/learner/metrics.js';
import { Lookahead } from '../../../lib/recital/learner/optimizers/lookahead.js';
import { biasSplitter } from '../../../lib/recital/learner/optimizers/optimizer.js';
import { Adam, SGD } from '../../../lib/recital/learner/optimizers/steps.js';
import { Recorder } from '../../../lib/recital/learner/recorder.js';
import { ParamScheduler, schedLin } from '../../../lib/recital/learner/schedules.js';
import { EmbeddingNN } from '../../../lib/recital/models/embedding-nn.js';
import { Parameter } from '../../../lib/recital/nn/parameter.js';
import { interruptAt, makeDeepLearner, makeLearner } from '../../support/learner.js';
import { plantedLoaders } from '../../support/synthetic.js';

/** What a value prints as the last of a cell; the same as text. */
function print(value: unknown): string {
  const text = inspect(value);
  expect(String(value), 'as text').to.equal(text);
  return text;
}

describe('what is printed', () => {
  it('of a learner says what it is made of and how far it is trained', async () => {
    const learn = makeLearner({ bs: 600, metrics: [rmse, mae], splitter: biasSplitter });
    expect(print(learn).split('\n')).to.deep.equal([
      'Learner: 0 epochs trained',
      '  model      EmbeddingDotBias, 1,008 weights',
      '  data       1,200 rows (2 batches of 600) for training, 300 rows (1 batch of 600) for validation',
      '  loss       MSELossFlat',
      '  optimizer  Adam',
      '  metrics    rmse, mae',
    ]);
    await learn.fit(1);
    expect(print(learn)).to.match(/^Learner: 1 epoch trained\n/);
    await learn.fit(3, 1e-3, { cbs: interruptAt(1, 1) });
    expect(print(learn)).to.match(
      /^Learner: 2 epochs trained; an unfinished run, which resume\(\) goes on with\n/,
    );
    expect(inspect({ learn }), 'inside of another').to.contain('EmbeddingDotBias, 1,008 weights');
  });

  it('of its loaders says how many rows, of whom, and in which order', () => {
    const { train, valid } = plantedLoaders();
    expect(print(train)).to.equal('CollabDataLoader: 1,200 rows in 18 batches of 64, shuffled');
    expect(print(valid)).to.equal('CollabDataLoader: 300 rows in 5 batches of 64, in order');
  });

  it('of its record gives the last row', async () => {
    const learn = makeLearner({ bs: 600, metrics: mae });
    expect(print(learn.recorder)).to.equal('Recorder: no run yet');
    await learn.fit(2);
    expect(print(learn.recorder)).to.match(
      /^Recorder: 2 epochs, 4 batches; train_loss \d+\.\d{4}, valid_loss \d+\.\d{4}, mae \d+\.\d{4}$/,
    );
    expect(print(await Interpretation.fromLearner(learn))).to.match(
      /^Interpretation of 300 rows, mean loss \d+\.\d{4}$/,
    );
  });

  it('of a parameter gives name, shape, mean and standard deviation', () => {
    const p = new Parameter('w', [2, 2]);
    p.value.set([1, 3, 1, 3]);
    expect(print(p)).to.equal('Parameter w: 2 × 2, mean 2.00, std 1.00');
    p.trainable = false;
    expect(print(p)).to.match(/, frozen$/);
  });

  it('of models and layers is what PyTorch would print', () => {
    expect(print(makeLearner().model)).to.equal(
      'EmbeddingDotBias(\n  (uWeight): Embedding(61, 8)\n  (iWeight): Embedding(51, 8)\n  (uBias): Embedding(61, 1)\n  (iBias): Embedding(51, 1)\n  (yRange): SigmoidRange([-3, 9])\n)',
    );
    const { classes } = plantedLoaders();
    const network = new EmbeddingNN(classes, {
      layers: [4],
      ps: 0.1,
      embedP: 0.2,
      embSzs: { user: 3, item: 2 },
      yRange: [0, 1],
      random: new Random(1),
    });
    expect(print(network).split('\n')).to.deep.equal([
      'EmbeddingNN(',
      '  (embeds): ModuleList(',
      '    (0): Embedding(61, 3)',
      '    (1): Embedding(51, 2)',
      '  )',
      '  (emb_drop): Dropout(p=0.2, inplace=False)',
      '  (layers): Sequential(',
      '    (0): Linear(in_features=5, out_features=4, bias=False)',
      '    (1): ReLU()',
      '    (2): BatchNorm1d(4)',
      '    (3): Dropout(p=0.1, inplace=False)',
      '    (4): Linear(in_features=4, out_features=1, bias=True)',
      '  )',
      '  (yRange): SigmoidRange([0, 1])',
      ')',
    ]);
    class Mine extends EmbeddingNN {}
    expect(print(new Mine(classes))).to.match(/^Mine\(\n {2}\(embeds\)/);
  });

  it('of an optimizer gives its hyper-parameters', () => {
    const groups = [[new Parameter('a', [2]), new Parameter('b', [3])]];
    expect(print(new Adam(groups, { lr: 1e-3 }))).to.equal(
      'Adam: 2 parameters, lr 0.001, mom 0.9, sqrMom 0.99, eps 0.00001, wd 0.01',
    );
    expect(print(new Lookahead(new SGD(groups, { lr: 0.1 })))).to.match(
      /^Lookahead: 2 parameters, lr 0\.1, /,
    );
    expect(
      print(
        makeDeepLearner({
          splitter: (model) => [model.parameters.slice(0, 2), model.parameters.slice(2)],
        }).opt,
      ),
    ).to.contain('in 2 groups, of which');
  });

  it('of callbacks and metrics is how they were made', () => {
    const all: [unknown, string][] = [
      [
        new EarlyStopping({ patience: 3 }),
        "EarlyStopping({ monitor: 'valid_loss', comp: 'less', minDelta: 0, patience: 3 })",
      ],
      [
        new ReduceLROnPlateau({ factor: 5 }),
        "ReduceLROnPlateau({ monitor: 'valid_loss', comp: 'less', minDelta: 0, patience: 1, factor: 5, minLr: 0 })",
      ],
      [
        new SaveModel({ fname: null }),
        "SaveModel({ monitor: 'valid_loss', comp: 'less', minDelta: 0, fname: null, everyEpoch: 0, withOpt: false })",
      ],
      [new ShortEpoch({ pct: 0.5 }), 'ShortEpoch({ pct: 0.5, shortValid: true })'],
      [new GradientClip(), 'GradientClip({ maxNorm: 1 })'],
      [new GradientAccumulation(), 'GradientAccumulation({ nAcc: 32 })'],
      [new CSVLogger(), "CSVLogger({ fname: 'history.csv', append: false })"],
      [new FetchPreds(), 'FetchPreds()'],
      [new ShowGraph(), 'ShowGraph()'],
      [new TerminateOnNaN(), 'TerminateOnNaN()'],
      [new TrainEval(), 'TrainEval()'],
      [new Recorder([]), 'Recorder: no run yet'],
      [new ParamScheduler({ lr: schedLin(1, 2), wd: schedLin(1, 2) }), 'ParamScheduler(lr, wd)'],
      [new AvgMetric(mae), 'AvgMetric(mae)'],
      [rmse(), 'AccumMetric(rmse)'],
      [accuracyThresh(0.5), 'AvgMetric(accuracy_thresh)'],
    ];
    for (const [value, text] of all) expect(print(value)).to.equal(text);
  });
});
