import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '../../../lib/recital/compute/random.js';
import type { Batch } from '../../../lib/recital/data/batches.js';
import { SequenceDataLoaders } from '../../../lib/recital/data/sequence-loaders.js';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { Learner } from '../../../lib/recital/learner/learner.js';
import { accuracy } from '../../../lib/recital/learner/metrics.js';
import { SGD } from '../../../lib/recital/learner/optimizers/steps.js';
import {
  type TensorflowFunction,
  tensorflowModel,
} from '../../../lib/recital/models/tensorflow.js';
import { tensorflow } from '../../../lib/recital/models/tensorflow-load.js';
import { checkGradients } from '../../../lib/recital/nn/check-gradients.js';
import { CrossEntropyLossFlat } from '../../../lib/recital/nn/cross-entropy.js';
import type { Model } from '../../../lib/recital/nn/model.js';
import type { Parameter } from '../../../lib/recital/nn/parameter.js';
import { findOptional } from '../../../lib/recital/optional.js';
import { expectClose } from '../../support/golden.js';
import { rejection, weights } from '../../support/learner.js';
import { normals } from '../../support/modules.js';
import { chainSessions, sessionsOf } from '../../support/sequences.js';
import { plantedLoaders } from '../../support/synthetic.js';
import { dotBiasPair, lstmPair } from '../../support/tensorflow.js';

const tf = tensorflow();
const dls = plantedLoaders({ rows: 400, bs: 32 });
const { user, item } = dls.classes;
const batch = dls.oneBatch();
const windows = SequenceDataLoaders.fromSessions(
  sessionsOf(chainSessions({ tracks: 12, sessions: 40, length: 5 })),
  { length: 4, bs: 16 },
);

/** Predictions of a batch, and the gradients that come of given derivatives of the loss, dense. */
function pass(
  model: Model,
  of: Batch,
  derivatives: Float32Array,
): { pred: Float32Array; grads: Float32Array[] } {
  for (const p of model.parameters) p.zeroGrad();
  model.touch?.(of);
  const pred = model.forward(of, true).slice(0, of.size * model.outputs);
  model.backward(derivatives.slice());
  return { pred, grads: model.parameters.map(dense) };
}

function dense(p: Parameter): Float32Array {
  if (!p.slots) return p.grad.slice();
  const out = new Float32Array(p.value.length);
  for (let j = 0; j < p.touchedCount; j++)
    out.set(p.grad.subarray(j * p.width, (j + 1) * p.width), p.touched[j] * p.width);
  return out;
}

function expectSamePass({ ours, theirs }: { ours: Model; theirs: Model }, of: Batch): void {
  const derivatives = normals(of.size * ours.outputs, 'derivatives');
  const [a, b] = [ours, theirs].map((model) => pass(model, of, derivatives));
  expectClose(b.pred, a.pred, 1e-5, 'prediction');
  ours.parameters.forEach(({ name }, i) => {
    expect(Math.max(...b.grads[i].map(Math.abs)), name).to.be.above(0);
    expectClose(b.grads[i], a.grads[i], 2e-5, `gradient of ${name}`);
  });
}

/** A model of one variable, a number for each user. */
function userModel(
  fn: TensorflowFunction<'b'> = ([users], { b }) => tf.gather(b, users),
  init: number | undefined = undefined,
) {
  return tensorflowModel(fn, { b: { shape: [user.length], init } });
}

describe('tensorflow', () => {
  it('gives the operations, chained ones too, always the same', () => {
    expect([...tf.matMul([[1, 2]], [[3], [4]]).dataSync()]).to.deep.equal([11]);
    expect([...tf.tensor1d([1, 2]).add(1).square().dataSync()]).to.deep.equal([4, 9]);
    expect(tensorflow()).to.equal(tf);
  });
});

describe('tensorflowModel', () => {
  describe('is an oracle of our gradients:', () => {
    it('EmbeddingDotBias, with and without a range', () => {
      for (const yRange of [undefined, [-3, 9] as [number, number]]) {
        const pair = dotBiasPair(dls.classes, { random: new Random(1), yRange });
        for (const [i, p] of pair.ours.parameters.entries())
          p.value.set(pair.theirs.parameters[i].value.map((x) => 30 * x));
        for (const [i, p] of pair.theirs.parameters.entries())
          p.value.set(pair.ours.parameters[i].value);
        expectSamePass(pair, batch);
      }
    });

    it('LSTMModel, with windows of different sizes', () => {
      const [of] = windows.train.batches(0);
      expect(new Set(of.inputs[1]).size).to.be.above(1);
      expectSamePass(lstmPair(windows.classes, { random: new Random(2) }), of);
    });
  });

  it('is trained by the Learner to the losses and weights of EmbeddingDotBias', async () => {
    const { ours, theirs } = dotBiasPair(dls.classes, { random: new Random(3), yRange: [-3, 9] });
    const learners = [ours, theirs].map((model) => new Learner(dls, model));
    for (const learn of learners) await learn.fitOneCycle(5, 0.1, { wd: 0.1 });
    const [a, b] = learners.map((learn) => learn.recorder.values.flat() as number[]);
    expect(a[a.length - 2], 'training loss').to.be.below(0.8 * a[0]);
    expectClose(b, a, 1e-4, 'loss');
    expectClose(weights(learners[1]), weights(learners[0]), 1e-3, 'weight');
  });

  it('is trained by the Learner to the losses and accuracy of LSTMModel', async () => {
    const { ours, theirs } = lstmPair(windows.classes, { random: new Random(4) });
    const learners = [ours, theirs].map(
      (model) =>
        new Learner(windows, model, { lossFunc: new CrossEntropyLossFlat(), metrics: accuracy }),
    );
    for (const learn of learners) await learn.fit(2, 0.03);
    const [a, b] = learners.map((learn) => learn.recorder.values.flat() as number[]);
    expect(a[a.length - 2], 'validation loss').to.be.below(a[1]);
    expectClose(b, a, 1e-3, 'loss');
  });

  it('leaves no tensor behind in 100 steps, nor where something is wrong', async () => {
    const { theirs } = dotBiasPair(dls.classes, { random: new Random(5) });
    const learn = new Learner(dls, theirs);
    await learn.fit(1);
    const before = tf.memory().numTensors;
    await learn.fit(10);
    expect(learn.recorder.losses.length).to.be.at.least(100);
    expect(() => theirs.forward({ ...batch, inputs: [batch.inputs[0]] }, true)).to.throw();
    const unused = tensorflowModel(([users], { b }) => tf.gather(b, users).square(), {
      b: [user.length],
      c: [3],
    });
    unused.forward(batch, true);
    expect(() => unused.backward(new Float32Array(32))).to.throw();
    expect(tf.memory().numTensors).to.equal(before);
  });

  it('starts from its seed, as each variable says, and as in a tensor', () => {
    const start = (seed: number, more = {}) => {
      const variables = {
        a: [3, 2],
        b: { shape: [4], init: 0.5, decay: false },
        c: { shape: [2], init: [1, 2] },
        ...more,
      };
      return tensorflowModel(() => tf.zeros([1]), variables, { random: new Random(seed) })
        .parameters;
    };
    const draw = (random: Random): number => 3 + random.uniform();
    const [a, b, c, d, e] = start(1, {
      d: { shape: [2, 2], init: draw },
      e: tf.tensor2d([[1, 2, 3]]),
    });
    expect(a.value.every((x) => x !== 0 && Math.abs(x) < 0.02)).to.equal(true);
    expect([...b.value]).to.deep.equal([0.5, 0.5, 0.5, 0.5]);
    expect([a.decay, b.decay]).to.deep.equal([true, false]);
    expect([...c.value]).to.deep.equal([1, 2]);
    expect(d.value.every((x) => x >= 3 && x < 4)).to.equal(true);
    expect([e.shape, [...e.value]]).to.deep.equal([
      [1, 3],
      [1, 2, 3],
    ]);
    expect(start(1)[0].value, 'does not depend on the other variables').to.deep.equal(a.value);
    expect(start(2)[0].value).not.to.deep.equal(a.value);
  });

  it('is saved, loaded, summed up, frozen in groups, and searched for a learning rate', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'recital-tf-'));
    try {
      const make = (seed: number): Learner => {
        const { theirs } = dotBiasPair(dls.classes, { random: new Random(seed) });
        return new Learner(dls, theirs, {
          path: dir,
          splitter: ({ parameters }) => [parameters.slice(0, 2), parameters.slice(2)],
        });
      };
      const learn = make(6);
      const found = await learn.lrFind();
      expect(found.valley).to.be.above(0);
      learn.freeze();
      const before = weights(learn);
      await learn.fit(1, 0.01);
      const frozen = 4 * (user.length + item.length);
      expect(weights(learn).slice(0, frozen)).to.deep.equal(before.slice(0, frozen));
      expect(weights(learn).slice(frozen)).not.to.deep.equal(before.slice(frozen));
      learn.save('one');
      expect(weights(make(7).load('one'))).to.deep.equal(weights(learn));
      expect(learn.summary().strings('value')).to.include.members([
        `${user.length} × 4`,
        'TensorflowModel',
      ]);
      expect(String(learn.model)).to.contain(`(uWeight): ${user.length} × 4`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('goes back through dropout that takes the seed of the step, another one in each, the same ones in each run', async () => {
    const dropped: TensorflowFunction<'b'> = ([users], { b }, { training, seed }) => {
      const x = tf.gather(b, users);
      return training ? tf.dropout(x, 0.5, undefined, seed) : x;
    };
    const of = { ...batch, targets: normals(32, 1) };
    const model = userModel(dropped, 1);
    const zeros = (training: boolean): string =>
      [...model.forward(of, training)].map((x) => (x === 0 ? '0' : '1')).join('');
    const [first, second] = [zeros(true), zeros(true)];
    expect(first).to.contain('0').and.not.to.equal(second);
    expect(zeros(false)).not.to.contain('0');
    checkGradients(model, of);
    const run = async (): Promise<number[]> => {
      const learn = new Learner(dls, userModel(dropped, 1), { optFunc: SGD });
      await learn.fit(1, 0.1);
      return weights(learn);
    };
    expect(await run()).to.deep.equal(await run());
  });

  it('refuses chance that does not take the seed: its derivatives would be those of other predictions', async () => {
    const noise = new Random('noise');
    const model = userModel(
      ([users], { b }, { size }) =>
        tf.gather(b, users).mul(Float32Array.from({ length: size }, () => noise.uniform())),
      1,
    );
    expect(await rejection(new Learner(dls, model).fit(1))).to.match(
      /ArgumentError: .*take the seed that it is given/,
    );
  });

  it('says what is wrong with what the function returns', () => {
    const forward = (fn: (...args: never[]) => unknown): (() => unknown) => {
      const model = userModel(fn as TensorflowFunction<'b'>);
      return () => model.forward(batch, true);
    };
    const wanted = 'must return a tensor of 32 × 1 predictions';
    expect(forward(() => undefined)).to.throw(ArgumentError, `${wanted}, got nothing.`);
    expect(forward(() => [1, 2])).to.throw(ArgumentError, `${wanted}, got an array.`);
    expect(forward(() => Promise.resolve(tf.zeros([32])))).to.throw(
      ArgumentError,
      'It cannot be asynchronous',
    );
    expect(forward(() => tf.zeros([32], 'int32'))).to.throw(ArgumentError, 'of float32, got int32');
    expect(forward(() => tf.zeros([32, 3]))).to.throw(
      ArgumentError,
      'got one of shape [32, 3]. For 3 outputs a row, give tensorflowModel the option { outputs: 3 }.',
    );
    expect(forward(() => tf.zeros([1, 32]))).to.throw(ArgumentError, 'got one of shape [1, 32].');
    expect(() =>
      new Learner(dls, userModel(), { lossFunc: new CrossEntropyLossFlat() }).validate(),
    ).not.to.throw();
  });

  it('names a variable to which no gradient comes back', () => {
    const unused = tensorflowModel(([users], { b }) => tf.gather(b, users), {
      b: [user.length],
      c: [3],
      d: [1],
    });
    unused.forward(batch, true);
    expect(() => unused.backward(new Float32Array(32))).to.throw(
      ArgumentError,
      'c, d: no gradient comes back.',
    );
    for (const p of unused.parameters.slice(1)) p.trainable = false; // frozen: it need not have one
    unused.backward(new Float32Array(32).fill(1));
    expect(unused.parameters[0].grad.reduce((sum, x) => sum + x, 0)).to.be.closeTo(32, 1e-3);
    const rounded = userModel(([users], { b }) =>
      tf.tensor1d(tf.gather(b, users).dataSync() as Float32Array),
    );
    rounded.forward(batch, true);
    expect(() => rounded.backward(new Float32Array(32))).to.throw(ArgumentError, 'no derivative');
  });

  it('refuses wrong arguments, batches that do not fit, and backward without forward', () => {
    const fn = (): Tensor => tf.zeros([1]);
    const bad =
      (variables: unknown, options: object = {}) =>
      () =>
        tensorflowModel(fn, variables as { a: [1] }, options);
    expect(() => tensorflowModel(3 as never, { a: [1] })).to.throw(
      ArgumentError,
      'needs a function',
    );
    expect(bad(undefined)).to.throw(ArgumentError, 'needs variables by name');
    expect(bad([3, 4])).to.throw(ArgumentError, 'got an array');
    expect(bad({})).to.throw(ArgumentError, 'nothing could be learnt');
    expect(bad({ a: [0] })).to.throw(ArgumentError, 'Parameter a needs positive whole sizes');
    expect(bad({ a: 5 })).to.throw(ArgumentError, 'options of variable a');
    expect(bad({ a: { init: 0 } })).to.throw(ArgumentError, 'Variable a needs a shape');
    expect(bad({ a: { shape: [2], inti: 0 } })).to.throw(
      ArgumentError,
      'variable a has no option "inti"',
    );
    expect(bad({ a: { shape: [2], init: [1, 2, 3] } })).to.throw(ArgumentError, 'got 3 values');
    expect(bad({ a: { shape: [2], init: 'zeros' } })).to.throw(
      ArgumentError,
      'Variable a needs as init',
    );
    expect(bad({ a: { shape: [2], init: [1, NaN] } })).to.throw(
      ArgumentError,
      'starts with NaN at place 1',
    );
    expect(bad({ a: { shape: [2], init: () => undefined } })).to.throw(
      ArgumentError,
      'starts with NaN at place 0',
    );
    expect(bad({ a: [1] }, { output: 2 })).to.throw(ArgumentError, 'did you mean "outputs"?');
    expect(bad({ a: [1] }, { outputs: 0 })).to.throw(
      ArgumentError,
      'outputs must be a positive whole number',
    );
    expect(() => userModel().backward(new Float32Array(32))).to.throw(
      ArgumentError,
      'no training forward',
    );
    const model = userModel();
    expect(() => model.forward({ ...batch, size: 0 }, true)).to.throw(ArgumentError, 'got size 0');
    expect(() => model.forward({ ...batch, inputs: [new Int32Array(33)] }, true)).to.throw(
      ArgumentError,
      'Column 0 of the batch has 33 values for 32 rows',
    );
    model.forward(batch, false);
    expect(() => model.backward(new Float32Array(32))).to.throw(
      ArgumentError,
      'no training forward',
    );
  });
});

const root = resolve(__dirname, '../../..');
const native = findOptional('tensorflow');

/** Runs a script in a process of its own, with this library's `tensorflow`, in a folder. */
function script(code: string, cwd = tmpdir()): { lines: string[]; errors: string } {
  const load = JSON.stringify(resolve(root, 'lib/recital/models/tensorflow-load.ts'));
  const args = [
    '--require',
    require.resolve('tsx/cjs'),
    '-e',
    `const { tensorflow } = require(${load});\n${code}`,
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  return { lines: stdout.trim().split('\n'), errors: stderr };
}

/** A project with a package @tensorflow/tfjs-node of this code. */
function withPackage(code: string, work: (project: string) => void): void {
  const project = mkdtempSync(join(tmpdir(), 'recital tfjs '));
  try {
    mkdirSync(join(project, 'node_modules/@tensorflow/tfjs-node'), { recursive: true });
    writeFileSync(join(project, 'node_modules/@tensorflow/tfjs-node/index.js'), code);
    work(project);
  } finally {
    rmSync(project, { recursive: true });
  }
}

describe('tensorflow()', () => {
  it(`prints nothing of its own, and leaves the warnings of others on${native ? ' (skipped: tfjs-node is installed, this is about plain TensorFlow.js)' : ''}`, function () {
    if (native) this.skip();
    const { lines, errors } = script(
      "const tf = tensorflow(); console.log(tf.getBackend(), tf.tensor1d([1, 2]).sum().dataSync()[0], tf.env().getBool('PROD'));",
    );
    expect({ lines, errors }).to.deep.equal({ lines: ['cpu 3 false'], errors: '' });
  });

  it('takes the tfjs-node of the project, with what newer versions of Node have removed', () => {
    const stub = `
      const util = require('util');
      exports.getBackend = () => 'tensorflow of Node, ' + [null, undefined, 0].map(util.isNullOrUndefined) + ', ' + util.isArray([]);
      exports.getKernel = () => undefined;
      exports.registerKernel = () => undefined;`;
    withPackage(stub, (project) => {
      const { lines, errors } = script(
        "delete require('util').isNullOrUndefined; console.log(tensorflow().getBackend());",
        project,
      );
      expect(lines, errors).to.deep.equal(['tensorflow of Node, true,true,false, true']);
      expect(errors).to.equal('');
    });
  });

  it('says that tfjs-node is broken, and goes on without', () => {
    withPackage("throw new Error('The addon is missing\\nin many words');", (project) => {
      const display = JSON.stringify(resolve(root, 'lib/recital/data/output.ts'));
      const { lines } = script(
        `require(${display}).setDisplay({ warn: (line) => console.log(line) }); console.log(tensorflow().getBackend() === 'cpu');`,
        project,
      );
      expect(lines[0]).to.match(
        /installed, but cannot be loaded.*npm run tensorflow.*\(The addon is missing\)$/,
      );
      expect(lines[1]).to.equal('true');
    });
  });

  it('sums the rows of segments at once, in plain JavaScript, as TensorFlow defines it', async () => {
    const { unsortedSegmentSum, setBackend, getBackend } = tensorflow();
    const before = getBackend();
    await setBackend('cpu');
    const cases = fc.record({
      n: fc.integer({ min: 1, max: 12 }),
      width: fc.integer({ min: 1, max: 4 }),
      segments: fc.integer({ min: 1, max: 6 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(cases, ({ n, width, segments, seed }) => {
        const at = (i: number, mod: number): number =>
          Math.abs(Math.imul(seed + i, 2654435761) >> 8) % mod;
        const ids = Array.from({ length: n }, (_, i) => at(i, segments));
        const values = Array.from({ length: n * width }, (_, i) => at(i + 99, 17) - 8);
        const expected = new Array(segments * width).fill(0);
        values.forEach((x, i) => {
          expected[ids[Math.floor(i / width)] * width + (i % width)] += x;
        });
        for (const dtype of ['float32', 'int32'] as const) {
          const sums = unsortedSegmentSum(
            tf.tensor2d(values, [n, width], dtype),
            tf.tensor1d(ids, 'int32'),
            segments,
          );
          expect([sums.dtype, sums.shape, [...sums.dataSync()]]).to.deep.equal([
            dtype,
            [segments, width],
            expected,
          ]);
        }
      }),
      { numRuns: 50 },
    );
    expect([
      ...unsortedSegmentSum(tf.tensor1d([1, 2, 3]), tf.tensor1d([0, 5, -1], 'int32'), 2).dataSync(),
    ]).to.deep.equal([1, 0]);
    await setBackend(before);
  });

  it(`trains by @tensorflow/tfjs-node${native ? '' : ' (skipped: it is not installed, `npm run tensorflow` does it)'}`, function () {
    if (!native) this.skip();
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [
        ...['--require', require.resolve('tsx/cjs'), '-e'],
        `const { tensorflow, tensorflowModel, Learner, CollabDataLoaders, Table } = require('./lib/recital/index.ts');
         const tf = tensorflow();
         const rows = Array.from({ length: 200 }, (_, i) => i);
         const dls = CollabDataLoaders.fromTable(new Table({ user: rows.map((i) => 'u' + (i % 10)), item: rows.map((i) => 'i' + (i % 7)), rating: rows.map((i) => i % 2) }), { bs: 20 });
         const model = tensorflowModel(([users], { b }) => tf.gather(b, users), { b: [dls.classes.user.length] });
         new Learner(dls, model).fit(3, 0.1).then(() => {
           const before = tf.memory().numTensors;
           model.forward(dls.oneBatch(), true); model.backward(new Float32Array(20));
           console.log('backend', tf.getBackend(), tf.memory().numTensors - before, model.parameters[0].value[2] > 0.5);
         });`,
      ],
      { cwd: root, encoding: 'utf8' },
    );
    expect(status, stderr).to.equal(0);
    expect(stdout).to.contain('backend tensorflow 0 true');
  });
});
