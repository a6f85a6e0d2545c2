import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import fc from 'fast-check';
import { tensorflow } from '../../../lib/recital/models/tensorflow-load.js';
import { findOptional } from '../../../lib/recital/optional.js';

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
      const display = JSON.stringify(resolve(root, 'lib/recital/data/display.ts'));
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
