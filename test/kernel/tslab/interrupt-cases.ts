/**
 * Cells that take long, for tests that interrupt them. What they use is small, and made by `setup`.
 */
export const setup = (folder: string): string => `
import { ALS, CollabDataLoaders, ItemKNN, PCA, Plays, Popularity, Random, collabLearner, evaluate, perUserSplit, readPlays, search, splitPlays, sql } from 'recital';
const random = new Random(1);
const plays = Plays.fromRows(Array.from({ length: 30_000 }, () => ({ user: 'u' + random.int(500), track: 't' + random.int(400), playcount: 1 + random.int(5) })));
const split = splitPlays(plays, perUserSplit(plays));
const dls = CollabDataLoaders.fromPlays(plays, { bs: 64 });
const learn = collabLearner(dls, { nFactors: 20 });
const wide = { shape: [1500, 1200] as const, data: Float64Array.from({ length: 1_800_000 }, (_, i) => Math.sin(i * i)) };
const history = ${JSON.stringify(`${folder}/plays.csv`)};
await sql("copy (select 'u' || (x % 200000) as user_id, 't' || (x % 30000) as track_id, 1 as playcount from range(4000000) t(x)) to '" + history + "'");
let pca = new PCA({ nComponents: 300 });
let trainings = 0;
let kept: unknown;
null`;

/** A cell to interrupt. */
export interface InterruptCase {
  /** What is stopped. */
  what: string;
  code: string;
  /** What the cell has printed when it is time; default: that it has begun. */
  until?: RegExp;
  /** The one line that says so. */
  line: RegExp;
  /** An expression and what it gives afterwards: what was learnt is there, and can be used. */
  after: [string, RegExp];
}

/** The library's own work. */
const work: InterruptCase[] = [
  {
    what: 'fit',
    code: 'const own = collabLearner(dls, { nFactors: 20 }); await own.fit(5000); await own.fit(5000); kept = "not reached"',
    line: /^Interrupted: in epoch \d+, (training|validation) batch \d+ of \d+\. What was learnt stays; learn\.resume\(\) goes on from here\.$/,
    after: ['await own.fit(1); [own.recorder.losses.length > 0, kept]', /\[ true, undefined \]/],
  },
  {
    what: 'evaluate',
    code: 'kept = await evaluate({ quick: new Popularity(split.train), slow: (train) => ALS.fit(train, { iterations: 1e6 }) }, split, { metrics: ["ndcg"], samples: 20 })',
    until: /^quick: ranked/m,
    line: /^Interrupted: Compared: quick\. Left out: slow\.$/,
    after: ['(kept as any).leftOut', /\{ recommender: 'slow', reason: 'interrupted' \}/],
  },
  {
    what: 'PCA',
    code: 'await pca.fit(wide)',
    line: /^Interrupted: before PCA was fitted\.$/,
    after: [
      'pca = new PCA({ nComponents: 1 }); await pca.fit({ shape: [3, 2], data: Float64Array.of(0, 0, 2, 0, 4, 0) }); pca.components.shape[1]',
      /2/,
    ],
  },
  {
    what: 'load',
    code: 'kept = undefined; kept = await readPlays(history, { cache: false })',
    line: /^Interrupted: while reading ".*plays\.csv"\.$/,
    after: ['String(kept)', /undefined/],
  },
  {
    what: 'lrFind',
    code: 'kept = await learn.lrFind({ numIt: 1e6, stopDiv: false })',
    line: /^Interrupted: in epoch \d+, training batch \d+ of \d+\.$/,
    after: [
      '[learn.opt.hypers.lr < 1, learn.interrupted, (kept as any).lrs]',
      /\[ true, true, \[\] \]/,
    ],
  },
  {
    what: 'validate',
    code: 'for (;;) await learn.validate()',
    line: /^Interrupted: (in validation batch \d+ of \d+: there is no result\.|The cell was stopped\.)$/,
    after: ['(await learn.validate()).length', /\d/],
  },
  {
    what: 'fits in a loop',
    code: 'for (;;) await learn.fit(5000)',
    line: /^Interrupted: in epoch \d+/,
    after: ['learn.interrupted', /true/],
  },
  {
    what: 'search',
    code: 'kept = await search((_, { train }) => ALS.fit(train, { iterations: trainings++ ? 1e6 : 1 }), { factors: [8, 16] }, { split, trials: 5 })',
    until: /^1 of 5/m,
    line: /^Interrupted: after 1 training\.$/,
    after: ['(kept as any).best.factors', /8|16/],
  },
  {
    what: 'ALS.fit',
    code: 'kept = await ALS.fit(plays, { iterations: 1e6, factors: 16 })',
    line: /^Interrupted: after \d+ of 1000000 iterations; the factors are as these left them\.$/,
    after: ['(kept as ALS).recommend("u1", { n: 3 }).ids.length', /3/],
  },
  {
    what: 'a query',
    code: "kept = await sql('select count(*) as n from range(100000000000) t(x) where x % 7 = 3')",
    line: /^Interrupted: while asking the query\.$/,
    after: ["(await sql('select 5 as n')).row(0)", /n: 5/],
  },
];

const ended = /^Interrupted: The cell was stopped\.$/;
const abandoned =
  /^Interrupted: The cell was abandoned; what it awaits may go on in the background\.$/;
/** Nothing counts on. */
const stands: [string, RegExp] = [
  'const was = trainings; await new Promise((r) => setTimeout(r, 50)); [was > 0, trainings - was]',
  /\[ true, 0 \]/,
];

/** What is to be stopped: the library's work, and what cells do themselves. */
export const cases: InterruptCase[] = [
  ...work,
  {
    what: 'what stands below a training',
    code: "kept = undefined; const below = collabLearner(dls, { nFactors: 20 });\nif (learn) {\n  await below.fit(5000);\n  console.log('not printed');\n}\nkept = 'not reached';",
    line: /^Interrupted: in epoch \d+/,
    after: ['[below.recorder.losses.length > 0, kept]', /\[ true, undefined \]/],
  },
  {
    what: 'what stands below a training in a function, which returns what it has',
    code: "kept = undefined; const make = async () => { const own = collabLearner(dls, { nFactors: 4 }); await own.fit(5000); return own; };\nconst made = await make();\nkept = 'not reached';",
    line: /^Interrupted: in epoch \d+/,
    after: ['[made.recorder.losses.length > 0, kept]', /\[ true, undefined \]/],
  },
  {
    what: 'a loop of the cell that awaits timers',
    code: 'for (;;) { await new Promise((r) => setTimeout(r, 5)); trainings++; }',
    line: ended,
    after: stands,
  },
  {
    what: 'a loop whose awaits do not wait',
    code: 'const step = async () => Array.from({ length: 1e5 }, Math.sqrt).length; await new Promise((r) => setTimeout(r, 80)); for (;;) trainings += await step();',
    line: ended,
    after: stands,
  },
  {
    what: 'a loop in a function that nobody awaits',
    code: 'const loop = async () => { for (;;) { await new Promise((r) => setTimeout(r, 5)); trainings++; } }; loop(); await new Promise((r) => setTimeout(r, 5000));',
    line: abandoned,
    after: stands,
  },
  {
    what: 'a loop that catches whatever its awaits throw',
    code: 'for (;;) { try { await new Promise((r) => setTimeout(r, 5)); trainings++; } catch {} }',
    line: ended,
    after: stands,
  },
  {
    what: 'a loop that catches whatever its awaits throw, which do not wait',
    code: 'await new Promise((r) => setTimeout(r, 80)); for (;;) { try { await null; trainings++; } catch {} }',
    line: ended,
    after: stands,
  },
  {
    what: 'trainings in a loop that catches what they throw',
    code: 'kept = []; for (const lr of [1e-3, 2e-3, 3e-3]) { try { await learn.fit(5000, lr); } catch (error) { (kept as unknown[]).push((error as Error).message); } }',
    line: /^Interrupted: in epoch \d+/,
    after: ['(kept as string[]).join()', /^The cell was stopped\.$/m],
  },
  {
    what: 'loops without awaits, one of which catches what the other throws',
    code: 'await new Promise((r) => setTimeout(r, 80)); for (;;) { try { for (;;) trainings += Math.random(); } catch {} }',
    line: ended,
    after: ['trainings > 0', /true/],
  },
  {
    what: 'a loop with a finally, which is carried out',
    code: 'kept = 1; try { for (;;) await new Promise((r) => setTimeout(r, 5)); } finally { await new Promise((r) => setTimeout(r, 5)); kept = 2; await null; kept = 3; }',
    line: ended,
    after: ['kept', /3/],
  },
  {
    what: 'a cell that listens for SIGINT itself',
    code: "let asked = false; await null; process.on('SIGINT', () => { asked = true; }); while (!asked) await new Promise((r) => setTimeout(r, 5)); for (const n of [1, 2]) { await null; kept = 'ended by itself ' + n; }",
    line: ended,
    after: ['kept', /ended by itself 2/],
  },
  {
    what: 'a loop after a cell that has left its listener behind',
    code: 'for (;;) { await new Promise((r) => setTimeout(r, 5)); trainings++; }',
    line: ended,
    after: stands,
  },
  {
    what: 'a cell that takes off all listeners for SIGINT',
    code: "await null; process.removeAllListeners('SIGINT'); for (;;) { await new Promise((r) => setTimeout(r, 5)); trainings++; }",
    line: ended,
    after: stands,
  },
  {
    what: 'a loop by for await',
    code: 'await null; const timers = function* () { for (;;) yield new Promise<number>((r) => setTimeout(() => r(1), 5)); }; for await (const n of timers()) trainings += n;',
    line: ended,
    after: stands,
  },
  {
    what: 'a loop after an await that gives no turns',
    code: 'await new Promise((r) => setTimeout(r, 80)); let n = 0; outer: for (;;) { do { if (n++ % 2) continue outer; } while (n > 0); trainings++; }',
    line: ended,
    after: ['n > 100', /true/],
  },
  {
    what: 'a loop over a few things that take long',
    code: `await new Promise((r) => setTimeout(r, 80));
for (const name of ['a', 'b', 'c']) for (const end = Date.now() + 600; Date.now() < end; ) trainings++;
kept = 'not reached';`,
    line: ended,
    after: ['String(kept)', /^(?!not reached)/],
  },
  {
    what: 'what is made without ever awaiting',
    code: 'await null; await new Promise((r) => setTimeout(r, 80)); for (;;) kept = new ItemKNN(plays);',
    line: ended,
    after: ['new ItemKNN(plays).recommend("u1", { n: 3 }).ids.length', /3/],
  },
];

/**
 * Cells that go on for ever, in every state in which a cell can be when it is stopped; and one that
 * ends at about that time.
 */
export const states: string[] = [
  'for (;;) {}',
  'let rounds = 0;\nfor (;;) rounds++;',
  'await null; for (;;) {}',
  'await new Promise((r) => setTimeout(r, 5)); for (;;) {}',
  'await new Promise(() => {});',
  'new Promise(() => {})',
  'for (;;) await null;',
  'for (;;) await new Promise((r) => setTimeout(r, 1));',
  'const fib = (n: number): number => (n < 2 ? n : fib(n - 1) + fib(n - 2));\nfib(100)',
  'try { for (;;) {} } finally { trainings++; }',
  "/^(a+)+$/.test('a'.repeat(50) + 'b')",
  "process.on('SIGINT', () => {}); for (;;) {}",
  'for (;;) console.log(trainings++);',
  'await learn.fit(1e6)',
  'kept = new Promise(() => {}); kept',
  '({ get [Symbol.toStringTag]() { for (;;) {} } })',
  'for (const end = Date.now() + 60; Date.now() < end; ) {}',
];
