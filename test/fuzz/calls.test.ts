import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import ts from 'typescript';
import { setDisplay } from '../../lib/recital/data/output.js';
import * as library from '../../lib/recital/index.js';
import { ScoreList } from '../../lib/recital/sequential/sequence-recommender.js';
import { anything, runs } from '../support/hostile.js';

// Every public function, constructor and method, with arguments of which some are right and some
// are not: it answers, or says what is wrong.

const lib = resolve(__dirname, '../../lib');

/**
 * What a class of the library declares; of what TypeScript keeps from its users, and of what has no
 * docstring, that too.
 */
interface Declared {
  /** What it extends, and what it implements. */
  readonly parents: readonly string[];
  readonly abstract: boolean;
  /** By name; `constructor`, and `static name`. */
  readonly members: Map<string, Member>;
}

interface Member {
  hidden: boolean;
  /** Names of the types of its parameters. */
  types: string[];
}

/**
 * The library as it is written: TypeScript's `private` and the options that there are do not exist
 * when it runs.
 */
function readLibrary(): {
  classes: Map<string, Declared>;
  functions: Map<string, string[]>;
  options: Map<string, string[]>;
} {
  const classes = new Map<string, Declared>();
  const functions = new Map<string, string[]>();
  const fields = new Map<string, { own: string[]; parents: string[] }>();
  const typesOf = (node: ts.SignatureDeclaration): string[] =>
    node.parameters.map(({ type }) =>
      type && ts.isTypeReferenceNode(type) ? type.typeName.getText() : '',
    );
  const hidden = (node: ts.Declaration): boolean =>
    (ts.getCombinedModifierFlags(node) &
      (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !==
      0 || ts.getJSDocTags(node).some((tag) => tag.tagName.text === 'internal');
  const read = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node) && node.name) functions.set(node.name.text, typesOf(node));
    if (ts.isInterfaceDeclaration(node)) {
      const own = node.members.flatMap((member) =>
        member.name && ts.isIdentifier(member.name) ? [member.name.text] : [],
      );
      const parents = (node.heritageClauses ?? []).flatMap(({ types }) =>
        types.flatMap(({ expression, typeArguments = [] }) => [expression, ...typeArguments]),
      );
      fields.set(node.name.text, { own, parents: parents.map((parent) => parent.getText()) });
    }
    if (ts.isClassDeclaration(node) && node.name) {
      const members = new Map<string, Member>();
      for (const member of node.members) {
        const name = ts.isConstructorDeclaration(member) ? 'constructor' : member.name?.getText();
        if (!name || !(ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member)))
          continue;
        const isStatic = (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0;
        members.set(isStatic ? `static ${name}` : name, {
          hidden: hidden(member),
          types: typesOf(member),
        });
      }
      const parents = (node.heritageClauses ?? []).flatMap((clause) =>
        clause.types.map(({ expression }) => expression.getText()),
      );
      const abstract = (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Abstract) !== 0;
      classes.set(node.name.text, { parents, abstract, members });
    }
  };
  for (const file of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || /^(cli|compute[\\/](assembly|build))/.test(file)) continue;
    ts.forEachChild(
      ts.createSourceFile(
        file,
        readFileSync(join(lib, file), 'utf8'),
        ts.ScriptTarget.ES2022,
        true,
      ),
      read,
    );
  }
  const all = (name: string, below: readonly string[] = []): string[] => {
    const { own, parents } = fields.get(name) ?? { own: [], parents: [] };
    const further = parents.filter((parent) => parent !== name && !below.includes(parent)); // a parent may name its child
    return [...own, ...further.flatMap((parent) => all(parent, [...below, name]))];
  };
  return {
    classes,
    functions,
    options: new Map([...fields.keys()].map((name) => [name, all(name)])),
  };
}

/** Of what changes the process for good: it has tests of its own. */
const forGood = new Set(['registerRecommenderKind', 'setCompute', 'tensorflow']);

/** What the library makes and hands over: nobody has a reason to construct it. */
const handedOver = new Set([
  'FactorRecommender',
  'FoldedUser',
  'Interpretation',
  'PackedSequences',
  'RecommendationBatch',
  'Recommendations',
  'SequenceDataset',
  'UnknownIdError',
  'Vocabulary',
]);

/**
 * What a training loop, a model and an optimizer call on each other, for each batch or each row.
 * Who writes a loss or a callback implements it, nobody calls it, and a check in it would cost time
 * in every batch. By the class or interface that says so.
 */
const inner: Record<string, RegExp> = {
  Callback: /^(before|after)[A-Z]/,
  Loss: /^(losses|derivatives|scaledDerivatives|divisors)$/,
  Model: /^(forward|backward|touch|trainingLoss|validBatch)$/,
  Optimizer: /^(step|zeroGrad|touch|settle|(restoreP|p)endingRows)$/,
  Metric: /^(reset|accumulate)$/,
  SequenceDataset: /^write$/,
  Parameter: /^(touch|zeroGrad)$/,
};

type Call = (...args: unknown[]) => unknown;

interface Target {
  readonly reads: string;
  readonly call: Call;
  /** For each parameter, the options that it has, if it is options. */
  readonly options: readonly (readonly string[])[];
}

const { classes, functions, options } = readLibrary();

const isClass = (value: unknown): boolean =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));

const optionsOf = (types: readonly string[] = []): string[][] =>
  types.map((type) => options.get(type) ?? []);

/** The first declaration of a member, from a class upwards. */
function memberOf(name: string, key: string): Member | undefined {
  const { members, parents = [] } = classes.get(name) ?? {};
  return (
    members?.get(key) ?? parents.map((parent) => memberOf(parent, key)).find((member) => member)
  );
}

/** Whether a class is a kind of another, or of an interface. */
function extendsClass(name: string, other: string): boolean {
  return (
    name === other ||
    (classes.get(name)?.parents ?? []).some((parent) => extendsClass(parent, other))
  );
}

function isInner(name: string, key: string): boolean {
  return Object.entries(inner).some(([type, keys]) => extendsClass(name, type) && keys.test(key));
}

/** What the library hands to a loop, a display or a layer while it works. */
const passing = new Set(['PackedSequences', 'Slot', 'TrainingDisplay']);

/** Every export: functions, constructors, static methods. */
function exported(): Target[] {
  return Object.entries(library).flatMap(([name, value]): Target[] => {
    if (typeof value !== 'function' || forGood.has(name)) return [];
    if (!isClass(value))
      return [{ reads: name, call: value as Call, options: optionsOf(functions.get(name)) }];
    const type = value as unknown as (new (...args: unknown[]) => unknown) & Record<string, Call>;
    const targets: Target[] = [];
    const made = memberOf(name, 'constructor');
    if (!handedOver.has(name) && !made?.hidden && !classes.get(name)?.abstract) {
      targets.push({
        reads: `new ${name}`,
        call: (...args) => new type(...args),
        options: optionsOf(made?.types),
      });
    }
    for (const key of Object.getOwnPropertyNames(type)) {
      const member = memberOf(name, `static ${key}`);
      if (typeof type[key] !== 'function' || !member || member.hidden) continue;
      targets.push({
        reads: `${name}.${key}`,
        call: (...args) => type[key](...args),
        options: optionsOf(member.types),
      });
    }
    return targets;
  });
}

/** The public methods of an object. */
function methodsOf(what: string, o: object): Target[] {
  const targets = new Map<string, Target>();
  const name = o.constructor.name;
  for (let at = o; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Object.getOwnPropertyNames(at)) {
      const member = memberOf(name, key);
      if (
        key === 'constructor' ||
        key === 'dispose' || // what was given back is of no use to the calls that follow
        targets.has(key) ||
        !member ||
        member.hidden ||
        isInner(name, key)
      )
        continue;
      if (typeof (o as Record<string, unknown>)[key] !== 'function') continue; // optional, and this one does without
      const call: Call = (...args) => (o as Record<string, Call>)[key](...args);
      targets.set(key, { reads: `${what}.${key}`, call, options: optionsOf(member.types) });
    }
  }
  return [...targets.values()];
}

/**
 * Objects as a notebook holds them, by the names of cells' variables, and everything else that is
 * right somewhere.
 */
async function things(): Promise<{ objects: Record<string, object>; values: unknown[] }> {
  const { Plays, Table, Tracks, Popularity, ALS, Markov } = library;
  const table = new Table({
    track_id: ['a', 'b', 'c', 'd', 'e'],
    name: ['A', 'B', 'C', 'D', 'E'],
    artist: ['x', 'x', 'y', 'y', null],
    genre: ['r', 'j', null, 'r', 'j'],
    year: Float64Array.of(1990, 2000, 2001, 1999, 2003),
    energy: Float64Array.of(0.1, 0.3, 0.2, 0.9, 0.5),
    tempo: Float64Array.of(100, 90, 120, 80, 99),
    tags: ['p, q', 'q', 'p', null, 's'],
  });
  const tracks = new Tracks(table);
  const rows = ['u1', 'u2', 'u3', 'u4'].flatMap((user, u) =>
    ['a', 'b', 'c', 'd', 'e']
      .filter((_, t) => (u + t) % 4 > 0)
      .map((track, i) => ({ user, track, playcount: 1 + i })),
  );
  const plays = Plays.fromRows(rows, { catalogue: tracks });
  const split = library.splitPlays(plays, library.leaveKOut(plays, { k: 1 }));
  const dls = library.CollabDataLoaders.fromPlays(plays, { bs: 4, seed: 1 });
  const learn = library.collabLearner(dls, { nFactors: 3, seed: 1 });
  const network = library.collabLearner(dls, {
    useNn: true,
    layers: [4],
    seed: 1,
    lossFunc: new library.BCEWithLogitsLossFlat(),
  });
  const gcn = library.lightGCNLearner(dls, {
    nFactors: 2,
    seed: 1,
    lossFunc: new library.MSELossFlat(),
  });
  const sequences = library.SequenceDataLoaders.fromPlays(plays, {
    length: 3,
    bs: 2,
    split: 'last',
    seed: 1,
  });
  const lstm = library.lstmLearner(sequences, { layers: [4], embSz: 3, seed: 1 });
  for (const learner of [learn, network, gcn, lstm]) await learner.fit(1, 1e-3);
  const matrix = {
    shape: [4, 3] as const,
    data: Float64Array.from({ length: 12 }, (_, i) => (i * 7) % 5),
  };
  const popularity = new Popularity(plays);
  const als = await ALS.fit(plays, { factors: 2, iterations: 1, seed: 1 });
  const markov = new Markov(plays);
  const random = new library.Random(1);
  const layers = [new library.Linear(3, 2, { random }), new library.ReLU()];
  const objects: Record<string, object> = {
    plays,
    table,
    tracks,
    sessions: library.Sessions.fromTable(
      new library.Table({ session: ['s', 's'], item: ['a', 'b'] }),
    ),
    dls,
    sequences,
    learn,
    network,
    gcn,
    lstm,
    als,
    popularity,
    markov,
    loader: dls.train,
    windows: sequences.train,
    ease: await library.EASE.fit(plays),
    pca: await new library.PCA({ nComponents: 2 }).fit(matrix),
    svd: await new library.TruncatedSVD({ nComponents: 2 }).fit(matrix),
    scaler: new library.StandardScaler().fit(matrix),
    pcaRecommender: await library.PcaRecommender.fit(plays, { nComponents: 2 }),
    content: await library.ContentRecommender.fit(plays, tracks),
    itemKnn: new library.ItemKNN(plays),
    userKnn: new library.UserKNN(plays),
    rp3: new library.RP3beta(plays),
    randomRecommender: new library.RandomRecommender(plays),
    sessionKnn: new library.SessionKNN(plays),
    nextItemKnn: new library.NextItemKNN(plays),
    rules: new library.SequentialRules(plays),
    nextItemPopularity: new library.NextItemPopularity(plays),
    hybrid: new library.Hybrid([popularity, als]),
    sum: new library.WeightedSum([markov, new library.NextItemPopularity(plays)]),
    learnerRecommender: new library.LearnerRecommender(network),
    comparison: await library.evaluate({ P: new Popularity(split.train) }, split, { k: 2 }),
    searched: await library.search(
      ({ s }, { train }) => new library.ItemKNN(train, { shrink: s }),
      { s: [1, 2] },
      { split, trials: 2 },
    ),
    list: popularity.recommend('u1', { n: 2 }),
    batch: popularity.recommendBatch(['u1', 'u2'], { n: 2 }),
    folded: als.foldIn(['a', 'b']),
    explanation: als.explain('u1', 'd'),
    vocabulary: plays.users,
    encoder: new library.LabelEncoder().fit(['b', 'a']),
    recorder: learn.recorder,
    interactions: als.seen,
    histories: lstm.histories,
    chart: library.lineChart(new Table({ x: [1, 2, 3], y: [2, 3, 1] }), { x: 'x', y: 'y' }),
    interpretation: await library.Interpretation.fromLearner(learn),
    optimizer: learn.opt,
    ...Object.fromEntries(
      Object.entries(library).flatMap(([name, Type]) =>
        /Loss|^CrossEntropy|^LabelSmoothing/.test(name) && isClass(Type)
          ? [[name, new (Type as new () => object)()]]
          : [],
      ),
    ),
    random,
    scoreList: new ScoreList(3),
    metric: library.topKAccuracy(2),
    logger: new library.CSVLogger(),
    embedding: new library.Embedding(5, 3, { random }),
    relu: layers[1],
    range: new library.SigmoidRange([0, 1]),
    lstmRecommender: lstm.recommender,
    gcnModel: gcn.model,
    ranger: library.ranger([learn.model.parameters], { lr: 1e-3 }),
    dataset: library.createSequences(plays, { length: 3 }),
    model: learn.model,
    layer: layers[0],
    sequential: new library.Sequential(layers),
    parameter: learn.model.parameters[0],
    dropout: new library.Dropout(0.5, { random }),
    batchNorm: new library.BatchNorm1d(3),
  };
  const values = [
    ...Object.values(objects),
    ...[
      'u1',
      'a',
      'b',
      'ndcg',
      'sub/file',
      ['a', 'b'],
      ['u1'],
      ['ndcg'],
      [popularity, als],
      { P: popularity },
      split,
      matrix,
      [0.8, 0.2],
      3,
      1,
      0.5,
    ],
    ...[
      Float32Array.of(1, 0, 1, 1),
      Int32Array.of(0, 1),
      await learn.getPreds(),
      { n: 2 },
      { k: 2 },
      { seed: 1 },
      (x: unknown) => x,
      () => popularity,
    ],
  ];
  return { objects, values };
}

/** A value in a message: short, and by its class. */
function shown(value: unknown): string {
  if (typeof value === 'function') return 'function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value);
  if (Array.isArray(value)) return `[${value.slice(0, 5).map(shown).join(', ')}]`;
  const type = value.constructor?.name;
  if (type !== 'Object') return `<${type}>`;
  return `{ ${Object.entries(value)
    .map(([key, field]) => `${key}: ${shown(field)}`)
    .join(', ')} }`;
}

/** A class of the library's whose errors are not its own. */
const notOurs =
  /undefined is not|Cannot read|is not a function|is not iterable|is not defined|Cannot destructure|\[object Object\]/;

/** What an error says of itself, if it is none of ours; with `types`, a mistake of the test. */
function rawOf(error: unknown): string | undefined {
  if (
    error instanceof library.RecitalError &&
    !notOurs.test(error.message) &&
    /\S/.test(error.message)
  )
    return undefined;
  if (!(error instanceof Error)) return `thrown: ${shown(error)}`;
  const frames = (error.stack ?? '').split('\n').filter((line) => /[\\/]lib[\\/]/.test(line));
  return `${error.name}: ${error.message.slice(0, 100)} @ ${frames[0]?.replace(/.*[\\/]lib[\\/]/, 'lib/').replace(/\)$/, '') ?? '?'}`;
}

interface Kind {
  count: number;
  where: Set<string>;
  example: string;
}

/** Numbers of rounds and of bytes that would be begun, and take long. */
const MAX_SECONDS = 8;

describe('hostile calls of everything public', function () {
  this.timeout(600_000);
  const cwd = process.cwd();
  const { log, warn, error: complain, info } = console;
  const write = process.stdout.write;
  const rejections: unknown[] = [];
  const catches = (error: unknown) => rejections.push(error);
  let folder = '';
  let objects: Record<string, object>;
  let values: unknown[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'recital-calls-'));
    mkdirSync(join(folder, 'inside', 'sub'), { recursive: true });
    process.chdir(join(folder, 'inside'));
    const display = setDisplay(undefined);
    ({ objects, values } = await library.noLogging(things));
    setDisplay(display);
  });

  after(() => {
    process.chdir(cwd);
    rmSync(folder, { recursive: true, force: true });
  });

  it('know an object of every class', () => {
    const known = new Set<unknown>();
    for (const o of Object.values(objects))
      for (let at = o; at; at = Object.getPrototypeOf(at)) known.add(at.constructor);
    const lacking = Object.entries(library).flatMap(([name, value]) => {
      if (!isClass(value) || known.has(value) || passing.has(name) || extendsClass(name, 'Error'))
        return [];
      const own = [...(classes.get(name)?.members ?? [])].filter(
        ([key, { hidden }]) =>
          !hidden && !/^(constructor$|static |\[|toString$)/.test(key) && !isInner(name, key),
      );
      return own.length > 0 ? [`${name}: ${own.map(([key]) => key).join(', ')}`] : [];
    });
    expect(
      lacking,
      'classes whose methods nobody calls: add one to the things above',
    ).to.deep.equal([]);
  });

  it('end in an answer or in an error of ours', async () => {
    const targets = [
      ...exported(),
      ...Object.entries(objects).flatMap(([what, o]) => methodsOf(what, o)),
    ].filter(({ reads }) => !process.env.ONLY || reads.includes(process.env.ONLY));
    const { seed, numRuns } = runs(4);
    const good = fc.constantFrom(...values);
    const value = fc.oneof({ weight: 5, arbitrary: good }, { weight: 4, arbitrary: anything });
    const argument = (names: readonly string[] = []) =>
      names.length === 0
        ? value
        : fc.oneof(
            { weight: 1, arbitrary: value },
            {
              weight: 3,
              arbitrary: fc.dictionary(fc.constantFrom(...names), value, {
                maxKeys: 2,
                noNullPrototype: true,
              }),
            },
          );
    const kinds = new Map<string, Kind>();
    const slow: string[] = [];
    let calls = 0;
    let raw = 0;
    let answers = 0;
    const display = setDisplay(undefined);
    Object.assign(console, { log() {}, warn() {}, error() {}, info() {} });
    process.stdout.write = (() => true) as typeof process.stdout.write;
    process.on('unhandledRejection', catches);
    try {
      for (const { reads, call, options } of targets) {
        const list = fc
          .integer({ min: 0, max: 3 })
          .chain((n) => fc.tuple(...Array.from({ length: n }, (_, at) => argument(options[at]))));
        for (const args of fc.sample(list, {
          seed: seed + [...reads].reduce((sum, c) => (Math.imul(sum, 31) + c.charCodeAt(0)) | 0, 0), // by its name: a new export leaves the others' calls alone
          numRuns,
        })) {
          calls++;
          const example = `${reads}(${args.map(shown).join(', ')})`;
          if (process.env.TRACE) complain(example);
          const started = performance.now();
          let timer: NodeJS.Timeout | undefined;
          const late = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error('does not end')), 4 * MAX_SECONDS * 1000);
          });
          try {
            await Promise.race([call(...args), late]);
            answers++;
          } catch (error) {
            const what = rawOf(error);
            if (what) {
              raw++;
              const kind = kinds.get(what) ?? { count: 0, where: new Set(), example };
              kind.count++;
              kind.where.add(reads);
              kinds.set(what, kind);
            }
          } finally {
            clearTimeout(timer); // also where the call has thrown at once: it would go off in another test
          }
          const seconds = (performance.now() - started) / 1000;
          if (seconds > MAX_SECONDS) slow.push(`${seconds.toFixed(1)} s: ${example}`);
        }
      }
    } finally {
      process.stdout.write = write;
      Object.assign(console, { log, warn, error: complain, info });
      process.off('unhandledRejection', catches);
      setDisplay(display);
    }
    if (process.env.RECITAL_FUZZ)
      log(
        `${targets.length} targets, ${calls} calls, ${answers} answers, ${raw} raw errors, ${kinds.size} kinds; slow: ${slow.join('; ') || 'none'}`,
      );
    const found = [...kinds].sort(([, a], [, b]) => b.count - a.count);
    const lines = found.map(
      ([kind, { count, where, example }]) =>
        `${count} × ${kind}\n     in ${[...where].slice(0, 8).join(', ')}\n     ${example}`,
    );
    if (lines.length > 0)
      throw new Error(
        `${raw} of ${calls} calls ended in an error that is none of ours:\n${lines.join('\n')}`,
      );
    expect(slow, 'calls that take long').to.deep.equal([]);
  });
});
