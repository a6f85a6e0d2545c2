import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { ArgumentError, NumericError, UnknownIdError } from '../../lib/recital/errors.js';
import type { Callback } from '../../lib/recital/learner/callback.js';
import {
  GradientAccumulation,
  GradientClip,
} from '../../lib/recital/learner/callbacks/gradients.js';
import { CSVLogger } from '../../lib/recital/learner/callbacks/logging.js';
import {
  EarlyStopping,
  ReduceLROnPlateau,
  SaveModel,
} from '../../lib/recital/learner/callbacks/trackers.js';
import { FetchPreds, ShortEpoch } from '../../lib/recital/learner/callbacks/training.js';
import { Interpretation } from '../../lib/recital/learner/interpretation.js';
import type { Learner, LearnerOptions } from '../../lib/recital/learner/learner.js';
import {
  biasSplitter,
  type LearningRate,
  slice,
} from '../../lib/recital/learner/optimizers/optimizer.js';
import { ParamScheduler, type Schedule, schedLin } from '../../lib/recital/learner/schedules.js';
import { TemporaryFolder } from '../recital/data/temporary.js';
import {
  answered,
  anything,
  asked,
  askedLater,
  expectFinite,
  mostly,
  numbers,
  runs,
  sparse,
  texts,
} from '../support/hostile.js';
import { makeLearner } from '../support/learner.js';

/** Numbers of epochs and the like: none that would train for ever. */
const counts = mostly([1, 2], fc.constantFrom(NaN, Infinity, -Infinity, -1, -0, 0, 0.5, 1.5));
const rate = mostly([1e-3, 1e-2, 0.5, 1e-5], numbers);
const rates: fc.Arbitrary<LearningRate> = fc.oneof(
  { weight: 3, arbitrary: rate },
  { weight: 1, arbitrary: fc.array(rate, { minLength: 1, maxLength: 3 }) },
  { weight: 2, arbitrary: fc.tuple(rate, rate).map(([start, stop]) => slice(start, stop)) },
  { weight: 1, arbitrary: rate.map((stop) => slice(stop)) },
);
const momentum = mostly([0, 0.9, 0.5], numbers);
const moms = fc
  .array(momentum, { minLength: 3, maxLength: 3 })
  .map((m) => m as unknown as [number, number, number]);
const shares = mostly([0.1, 0.5, 0.9], numbers);
const divisors = mostly([1, 25, 1e5, 0.1], numbers);
const run = {
  wd: mostly([0, 0.1], numbers),
};

/** All that a refused call must leave as it was. */
function state(learn: Learner): string {
  learn.settle();
  const { params, hypers } = learn.opt.stateDict();
  const bytes = [
    ...learn.model.parameters.map((p) => p.value),
    ...Object.values(params).flatMap((p) => Object.values(p.buffers)),
  ];
  return JSON.stringify([
    bytes.map((b) => Buffer.from(b.slice().buffer).toString('base64')),
    hypers,
    learn.opt.frozenTo,
    learn.model.parameters.map((p) => p.trainable),
    learn.epochsTrained,
    learn.cbs.map((cb) => cb.name),
    learn.training,
  ]);
}

/** A learner that is as new again after each question: weights, optimizer, callbacks. */
class Tried {
  private readonly start: readonly Float32Array[];

  constructor(readonly learn: Learner) {
    this.start = learn.model.parameters.map((p) => p.value.slice());
  }

  /**
   * Asks; what is refused must leave no trace, what is done finite weights. `traceless`: what is
   * done must leave none either.
   */
  async ask<T>(
    work: (learn: Learner) => Promise<T>,
    { types = false, resets = false, traceless = false } = {},
  ): Promise<T | undefined> {
    const { learn } = this;
    const before = state(learn);
    const answer = await askedLater(() => work(learn), { types });
    if ('error' in answer) {
      const { error } = answer;
      const refused =
        error instanceof ArgumentError ||
        error instanceof UnknownIdError ||
        error.message.startsWith('TypeError');
      if (refused && !resets) expect(state(learn), error.message).to.equal(before);
      else expect(refused || error instanceof NumericError, String(error)).to.equal(true);
    } else if (traceless) expect(state(learn)).to.equal(before);
    else for (const p of learn.model.parameters) expectFinite(p.value, p.name);
    this.renew();
    return 'value' in answer ? answer.value : undefined;
  }

  private renew(): void {
    this.learn.model.parameters.forEach((p, i) => {
      p.value.set(this.start[i]);
      p.trainable = true;
    });
    this.learn.createOpt();
    this.learn.opt.frozenTo = 0;
    this.learn.unfinished = undefined;
  }

  /** Whether it can still be trained, as any other. */
  async stillTrains(): Promise<void> {
    await this.learn.fit(1, 1e-3);
    expect(this.learn.recorder.values).to.have.length(1);
    for (const p of this.learn.model.parameters) expectFinite(p.value, p.name);
  }
}

const make = (options: LearnerOptions = {}): Learner =>
  makeLearner({ bs: 40, rows: 160, splitter: biasSplitter, ...options });

describe('hostile values in a Learner', () => {
  it('options: a learner that trains, or an error of ours', async () => {
    const options = sparse<LearnerOptions>({
      lr: rates,
      wd: mostly([0, 0.1], numbers),
      moms,
      wdBnBias: fc.boolean(),
      trainBn: fc.boolean(),
      path: texts,
      modelDir: texts,
    });
    await fc.assert(
      fc.asyncProperty(options, async (given) => {
        const answer = asked(() => make(given));
        if ('error' in answer) return;
        const learn = answer.value;
        const trained = await askedLater(() => learn.fitOneCycle(1));
        if ('error' in trained)
          expect(trained.error, String(trained.error)).to.be.instanceOf(NumericError); // every option has been checked
      }),
      runs(100),
    );
  });

  it('options of the wrong type: an error of ours that names the option', () => {
    const names = [
      'lossFunc',
      'optFunc',
      'lr',
      'metrics',
      'cbs',
      'wd',
      'moms',
      'path',
      'modelDir',
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...names), anything, (name, value) => {
        asked(() => void make({ [name]: value }).opt);
      }),
      runs(300),
    );
  });

  const tried = new Tried(make());
  const { learn } = tried;
  afterEach(() => tried.stillTrains());

  it('fit, fitOneCycle, fitFlatCos, fitSgdr, fineTune', async () => {
    const cycle = { ...run, div: divisors, divFinal: divisors, pctStart: shares, moms };
    await fc.assert(
      fc.asyncProperty(
        counts,
        rates,
        sparse({ ...cycle, cycleMult: counts, freezeEpochs: counts, lrMult: divisors }),
        counts,
        async (n, lr, options, len) => {
          const { freezeEpochs, lrMult, cycleMult, ...rest } = options;
          const { div, moms: m, ...flat } = rest;
          const { divFinal, pctStart, ...plain } = flat;
          await tried.ask(() => learn.fit(n, lr, plain));
          await tried.ask(() => learn.fitOneCycle(n, lr, rest));
          await tried.ask(() => learn.fitFlatCos(n, lr, flat));
          await tried.ask(() => learn.fitSgdr(n, len, { ...plain, lrMax: lr, cycleMult }));
          await tried.ask(() => learn.fineTune(n, lr, { ...rest, freezeEpochs, lrMult }));
          expect([div, m, divFinal, pctStart].length).to.equal(4);
        },
      ),
      runs(150),
    );
  });

  it('arguments of the wrong type', async () => {
    await fc.assert(
      fc.asyncProperty(anything, anything, async (a, b) => {
        const [x, y] = [a as number, b as number];
        if (typeof a === 'number' && Number.isInteger(a) && a > 12) return;
        for (const options of [{}, b as object]) {
          await tried.ask(() => learn.fit(x, y, options), { types: true, resets: true });
          await tried.ask(() => learn.fitOneCycle(x, y, options), { types: true, resets: true });
        }
        await tried.ask(() => learn.fit(1, 1e-3, { cbs: a as Callback }));
        await tried.ask(() => learn.fit(1, 1e-3, { cbs: [a as Callback] }));
        await tried.ask(async () => learn.addCbs([{ name: 'one' }, a as Callback]));
        learn.removeCbs(learn.cbs.filter((cb) => cb.name === 'one' || cb === a));
      }),
      runs(60),
    );
  });

  it('lrFind', async () => {
    const options = sparse({
      startLr: mostly([1e-7, 1e-5], numbers),
      endLr: mostly([10, 1], numbers),
      numIt: mostly([6, 30], counts),
      stopDiv: fc.boolean(),
      showPlot: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(options, async (given) => {
        const found = await tried.ask(() => learn.lrFind(given), { traceless: true });
        if (found)
          for (const name of ['valley', 'slide', 'minimum', 'steep'] as const)
            if (!Number.isNaN(found[name])) expectFinite(found[name], name);
      }),
      runs(40),
    );
  });

  it("schedules of one's own, and hyper-parameters of any name", async () => {
    const value = mostly([1e-3, 0.9], numbers);
    await fc.assert(
      fc.asyncProperty(
        mostly(['lr', 'mom', 'wd', 'eps'], texts),
        value,
        value,
        anything,
        async (name, a, b, wrong) => {
          const scheds: Record<string, Schedule> = {};
          Object.defineProperty(scheds, name, {
            value: (pos: number) => (pos < 0.5 ? a : b),
            enumerable: true,
          });
          // Its values are checked when they come: then the run has begun.
          await tried.ask(() => learn.fit(1, 1e-3, { cbs: new ParamScheduler(scheds) }), {
            resets: true,
          });
          await tried.ask(async () =>
            learn.opt.setHypers(
              Object.fromEntries([
                ['lr', 1e-4],
                [name, a],
              ]),
            ),
          );
          asked(() => new ParamScheduler({ lr: wrong as Schedule }));
          answered(
            asked(() => schedLin(a, b)),
            (sched) => expectFinite([0, 0.3, 1].map(sched)),
          );
        },
      ),
      runs(60),
    );
  });

  it('callbacks', async () => {
    const tracker = sparse({
      monitor: mostly(['valid_loss', 'train_loss'], texts),
      minDelta: mostly([0, 0.1], numbers),
      comp: mostly<'less' | 'greater'>(['less', 'greater'], fc.constant('x' as 'less')),
    });
    await fc.assert(
      fc.asyncProperty(
        tracker,
        numbers,
        numbers,
        sparse({ pct: numbers, shortValid: fc.boolean() }),
        fc.boolean(),
        async (options, x, y, short, flag) => {
          const made: (() => Callback)[] = [
            () => new EarlyStopping({ ...options, patience: x }),
            () => new ReduceLROnPlateau({ ...options, patience: x, factor: y, minLr: x }),
            () =>
              new SaveModel({
                ...options,
                fname: null,
                everyEpoch: flag ? x : undefined,
              }),
            () => new GradientClip({ maxNorm: x }),
            () => new GradientAccumulation({ nAcc: x }),
            () => new ShortEpoch(short),
            () => new FetchPreds({ dsIdx: x as 0, withLoss: flag }),
          ];
          for (const one of made) {
            const answer = asked(one);
            if ('value' in answer) await tried.ask(() => learn.fit(2, 1e-3, { cbs: answer.value }));
          }
        },
      ),
      runs(40),
    );
  });

  it('validate, getPreds, showResults, plots', async () => {
    await fc.assert(
      fc.asyncProperty(mostly([0, 1], numbers), fc.boolean(), anything, async (x, flag, wrong) => {
        const dsIdx = x as 0 | 1;
        await tried.ask(() => learn.validate({ dsIdx }));
        const preds = await tried.ask(() =>
          learn.getPreds({ dsIdx, withInput: flag, withDecoded: flag, withLoss: flag }),
        );
        if (preds) expectFinite([...preds.preds, ...preds.targets, ...(preds.losses ?? [])]);
        await tried.ask(() => learn.showResults({ maxN: x }));
        await tried.ask(() => learn.validate({ dl: wrong as never }), { types: true });
        await tried.ask(() => learn.getPreds({ dl: wrong as never }), { types: true });
        asked(() => learn.recorder.plotLoss({ skipStart: x }));
        asked(() => learn.freezeTo(x));
        learn.unfreeze();
        await tried.ask(() => learn.resume({ cbs: wrong as Callback }));
      }),
      runs(60),
    );
  });

  it('interpretation', async () => {
    const interp = await Interpretation.fromLearner(learn);
    fc.assert(
      fc.property(numbers, (k) => {
        answered(
          asked(() => interp.topLosses(k)),
          (top) => expect(top.length).to.be.at.most(interp.length),
        );
        asked(() => interp.plotTopLosses(k, { largest: false }));
      }),
      runs(60),
    );
  });
});

describe('hostile names of files', () => {
  const folder = new TemporaryFolder();

  it('stay in their folder, or are refused, and leave nothing half written', async () => {
    const learn = make({ path: folder.path });
    await fc.assert(
      fc.asyncProperty(
        texts.filter((name) => !name.startsWith('/') && !name.startsWith('./')),
        anything.filter((name) => !(typeof name === 'string' && /^\.?\//.test(name))),
        async (name, wrong) => {
          answered(
            asked(() => learn.save(name)),
            (file) => {
              expect(file.startsWith(folder.path)).to.equal(true);
              learn.load(name);
            },
          );
          asked(() => learn.load(`${name}?`));
          asked(() => learn.save(wrong as string));
          asked(() => learn.load(wrong as string));
          const logged = asked(() => new CSVLogger({ fname: name.replace(/^(\.\.\/)+/, '') }));
          if ('value' in logged) {
            await askedLater(() => learn.fit(1, 1e-3, { cbs: logged.value }));
            asked(() => logged.value.readLog());
          }
          const saved = asked(() => new SaveModel({ fname: name }));
          if ('value' in saved) await askedLater(() => learn.fit(1, 1e-3, { cbs: saved.value }));
        },
      ),
      runs(60),
    );
    const left = readdirSync(folder.path, { recursive: true }).map(String);
    expect(left.filter((name) => /tmp|partial/.test(name))).to.deep.equal([]);
  });
});
