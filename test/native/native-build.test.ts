import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { buildNative, currentStamp, fileName, NativeError } from 'recital-native';
import { loadNative } from '../../lib/recital/compute/kernels.js';
import { matmul } from '../../lib/recital/compute/matmul.js';
import { float32 } from '../../lib/recital/compute/memory.js';
import { Random } from '../../lib/recital/compute/random.js';
import { parallel, setCompute } from '../../lib/recital/compute/threads.js';
import { ArgumentError, RecitalError } from '../../lib/recital/errors.js';
import { cannotBuild, nativeFolder } from '../support/native.js';

const root = resolve(__dirname, '../..');
const inForce = setCompute();
const missing = cannotBuild();

describe(`the native build${missing ? ` (skipped: ${missing})` : ''}`, function () {
  this.timeout(300_000);
  let dir = '';
  let built = '';
  before(function () {
    if (missing) this.skip();
    dir = nativeFolder(['native']);
    built = join(dir, 'native');
  });
  beforeEach(() => {
    loadNative(built);
  });
  afterEach(() => setCompute(inForce));
  after(() => rmSync(dir, { recursive: true, force: true }));

  describe('in force', () => {
    it("has PyTorch's numbers, and passes the tests of the other builds", () => {
      const files = [
        'compute/compute',
        'nn/layers',
        'models/lstm',
        'models/embedding-dot-bias',
      ].map((name) => `test/recital/${name}.test.ts`);
      const about = 'PyTorch|fastai|matmul|threads|TensorFlow|same weights';
      const env = { ...process.env, RECITAL_NATIVE: built };
      const args = ['node_modules/mocha/bin/mocha.js', ...files, '--grep', about];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, {
        cwd: root,
        env,
        encoding: 'utf8',
      });
      expect(status, stdout + stderr).to.equal(0);
      expect(stdout).to.match(/LSTMModel[\s\S]*PyTorch/);
    });

    it('says what is in force, and leaves the default reproducible', () => {
      setCompute({ reproducible: true });
      expect(setCompute({ native: true })).to.include({ native: true, reproducible: false });
      expect(setCompute()).to.include({ native: true, reproducible: false });
      expect(setCompute({ reproducible: false }), 'no contradiction').to.include({ native: true });
      expect(setCompute({ native: false }), 'as before').to.include({
        native: false,
        reproducible: true,
      });
      expect(setCompute({ reproducible: false, native: false })).to.include({
        native: false,
        reproducible: false,
      });
      setCompute({ native: true });
      expect(setCompute({ native: false }), 'as before').to.include({
        native: false,
        reproducible: false,
      });
      setCompute({ native: true });
      expect(setCompute({ reproducible: true })).to.include({ native: false, reproducible: true });
      expect(() => setCompute({ native: true, reproducible: true })).to.throw(
        ArgumentError,
        'exclude each other',
      );
      expect(() => setCompute({ native: 1 as never })).to.throw(ArgumentError, 'native must be');
      expect(setCompute()).to.include({ native: false, reproducible: true });
    });

    it('runs kernels that it lacks by WebAssembly', () => {
      setCompute({ native: true });
      expect(loadNative().has('bprMaxRows')).to.equal(false);
      expect(() => parallel('nothing' as never, 1, [], { grain: 1 })).to.throw();
    });

    it('works in several threads of Node at once, and goes on when one of them ends', async () => {
      const script = join(__dirname, '../support/native-thread.cjs');
      const threads = [1, 2].map(() => new Worker(script, { workerData: built }));
      let ended = 0;
      const answers = threads.map(async (thread) => {
        try {
          return await new Promise((resolved, failed) => {
            thread.once('message', resolved);
            thread.once('error', failed);
          });
        } finally {
          ended++;
        }
      });
      const a = { values: float32(400 * 400), rowStride: 400 };
      const random = new Random(1);
      for (let i = 0; i < a.values.length; i++) a.values[i] = random.normal();
      setCompute({ native: true, threads: 3 });
      const square = (): Float32Array => {
        const c = float32(400 * 400);
        matmul({ m: 400, n: 400, k: 400 }, { a, b: a, c: { values: c, rowStride: 400 } });
        return c;
      };
      const first = square();
      while (ended < 2) {
        expect(square().every((x, i) => x === first[i])).to.equal(true);
        await new Promise((resolved) => setTimeout(resolved, 5));
      }
      expect(await Promise.all(answers)).to.deep.equal([true, true]);
      await Promise.all(threads.map((thread) => thread.terminate()));
      expect(square().every((x, i) => x === first[i])).to.equal(true);
    });

    it('lets a script end', () => {
      const script = `
        const { setCompute } = require('./lib/recital/compute/threads.ts'); const { Parameter } = require('./lib/recital/nn/parameter.ts'); const { Adam } = require('./lib/recital/learner/optimizers/steps.ts');
        const p = new Parameter('p', [800000]); const opt = new Adam([[p]], { lr: 1 });
        for (let t = 0; t < 5; t++) opt.step(); console.log(JSON.stringify(setCompute()));`;
      const { stdout, status } = spawnSync(
        process.execPath,
        ['--require', 'tsx/cjs', '-e', script],
        {
          cwd: root,
          encoding: 'utf8',
          env: { ...process.env, RECITAL_NATIVE: built, RECITAL_THREADS: '3' },
          timeout: 20_000,
        },
      );
      expect(stdout).to.equal('{"threads":3,"reproducible":false,"native":true}\n');
      expect(status).to.equal(0);
    });
  });

  describe('where it is missing', () => {
    const place = (...files: string[]): string => {
      const there = mkdtempSync(join(dir, 'place-'));
      for (const file of files) writeFileSync(join(there, file), 'no machine code');
      return there;
    };
    const { source, machine } = currentStamp();
    const other = '0123456789ab';

    it('says why, and nothing changes', () => {
      expect(() => loadNative(place())).to.throw(
        RecitalError,
        /has not been built.*npm run native/,
      );
      expect(() => loadNative(join(dir, 'nowhere'))).to.throw(RecitalError, /has not been built/);
      expect(() => loadNative(place(fileName({ machine, source: other })))).to.throw(
        RecitalError,
        /from other sources.*npm run native/,
      );
      expect(() => loadNative(place(fileName({ machine: other, source })))).to.throw(
        RecitalError,
        /another processor or system.*npm run native/,
      );
      expect(() => loadNative(place(fileName({ machine, source })))).to.throw(
        RecitalError,
        /cannot be loaded/,
      );
      expect(setCompute()).to.deep.equal(inForce);
    });

    it('is built over one of older sources, beside those of other machines', () => {
      const there = place(
        fileName({ machine, source: other }),
        fileName({ machine: other, source }),
        'reproducible.wasm',
      );
      const { file } = buildNative({ dir: there });
      expect(file).to.equal(join(there, fileName({ machine, source })));
      expect(readdirSync(there).sort()).to.deep.equal(
        [
          fileName({ machine: other, source }),
          fileName({ machine, source }),
          'reproducible.wasm',
        ].sort(),
      );
      expect(loadNative(there).file).to.equal(file);
    });

    it('is not built without a compiler, by one that fails, or where nothing can be written', () => {
      expect(() => buildNative({ dir: place(), compiler: 'no-such-compiler' })).to.throw(
        NativeError,
        /C compiler is needed.*no-such-compiler/,
      );
      const failing = join(place('cc'), 'cc');
      writeFileSync(
        failing,
        '#!/bin/sh\n[ "$1" = --version ] && echo "cc 1.0" && exit 0\necho "what is -march?" >&2\nexit 1\n',
      );
      chmodSync(failing, 0o755);
      const there = place();
      expect(() => buildNative({ dir: there, compiler: failing })).to.throw(
        NativeError,
        /by cc 1\.0[\s\S]*what is -march/,
      );
      expect(readdirSync(there)).to.deep.equal([]);
      expect(() => buildNative({ dir: join(failing, 'in-a-file') })).to.throw(
        NativeError,
        /cannot be put into.*RECITAL_NATIVE=FOLDER/,
      );
      mkdirSync(join(there, fileName({ machine, source }))); // cannot be replaced
      expect(() => buildNative({ dir: there })).to.throw(NativeError, /cannot be put into/);
    });
  });
});
