import { join } from 'node:path';
import { expect } from 'chai';
import { KernelClient, runCell } from '../../support/kernel.js';

const AWAIT = "Did you forget to use 'await'?";

/**
 * What an author writes, and what he is told: the line on what is wrong, then hints. `^` in a cell
 * marks where the caret must point, if it is checked. Every cell stands in a notebook that has the
 * variables of SETUP.
 */
const SETUP = `import { CollabDataLoaders, collabLearner, evaluate, Plays, randomSplit, readPlays, splitPlays } from 'recital';
import * as recital from 'recital';
const plays = Plays.fromRows(Array.from({ length: 12 }, (_, i) => ({ user: \`u\${i % 3}\`, track: \`t\${i % 4}\`, playcount: 1 + i })));
const later = Promise.resolve(plays);
const table = plays.toTable();
const dls = CollabDataLoaders.fromPlays(plays, { bs: 4, target: 'log' });
const learn = collabLearner(dls, { nFactors: 2 });`;

const groups: Record<string, [cell: string, ...told: (string | RegExp)[]][]> = {
  "a forgotten await, with TypeScript's own hint or one like it": [
    [
      'later.^sampleUsers(2)',
      "Property 'sampleUsers' does not exist on type 'Promise<Plays>'.",
      AWAIT,
    ],
    ['later.length', "Property 'length' does not exist on type 'Promise<Plays>'.", AWAIT],
    ['later.notThere', "Property 'notThere' does not exist on type 'Promise<Plays>'.", AWAIT],
    [
      'CollabDataLoaders.fromPlays(^later)',
      "Argument of type 'Promise<Plays>' is not assignable to parameter of type 'Plays'.",
      AWAIT,
    ],
    [
      'const mine: Plays = later;',
      /^Type 'Promise<Plays>' is missing the following properties/,
      AWAIT,
    ],
    [
      'const count: number = later;',
      "Type 'Promise<Plays>' is not assignable to type 'number'.",
      AWAIT,
    ],
    [
      'const { users } = later;',
      "Property 'users' does not exist on type 'Promise<Plays>'.",
      AWAIT,
    ],
    [
      'for (const one of later) console.log(one);',
      /^Type 'Promise<Plays>' must have a '\[Symbol\.iterator\]\(\)' method/,
      AWAIT,
    ],
    ['later[0]', 'A promise has no [0].', AWAIT],
    ["^later['users']", "A promise has no ['users'].", AWAIT],
    [`\`all: \${later}\``, 'A promise has no text but "[object Promise]".', AWAIT],
    ["'all: ' + ^later", 'A promise has no text but "[object Promise]".', AWAIT],
    [
      'const asked = async () => true; if (!asked()) 1;',
      'A promise is true, whatever comes of it.',
      AWAIT,
    ],
    ['later * 2', /^The left-hand side of an arithmetic operation/, AWAIT],
  ],
  'a misspelt option, once, with the nearest or all there are': [
    [
      'collabLearner(dls, { ^nfactors: 50 })',
      /^'nfactors' does not exist in type 'CollabLearnerOptions<.*>'\. Did you mean 'nFactors'\?$/,
    ],
    [
      'collabLearner(dls, { n_factors: 50 })',
      /^'n_factors' does not exist in type .* Did you mean 'nFactors'\?$/,
    ],
    [
      'await learn.fitOneCycle(1, 5e-3, { wdd: 0.1 })',
      "'wdd' does not exist in type 'FitOneCycleOptions'. Did you mean 'wd'?",
    ],
    [
      'await learn.fitOneCycle(1, 5e-3, { cbs: [{ afterBach() {} }] })',
      "'afterBach' does not exist in type 'Callback'. Did you mean 'afterBatch'?",
    ],
    [
      'await learn.fitOneCycle(1, 5e-3, { blubber: 1 })',
      "'blubber' does not exist in type 'FitOneCycleOptions'.",
      /^There are: div, .*\bwd, cbs/,
    ],
    [
      "CollabDataLoaders.fromPlays(plays, { target: 'binry' })",
      "Type '\"binry\"' is not assignable to type 'Target'. Did you mean '\"binary\"'?",
    ],
    [
      "CollabDataLoaders.fromPlays(plays, { target: 'xxxxxxx' })",
      /^Type '"xxxxxxx"' is not assignable/,
      /^There are: 'binary', 'log'/,
    ],
    [
      "CollabDataLoaders.fromPlays(plays, { bs: '8' })",
      "Type 'string' is not assignable to type 'number'.",
    ],
    [
      "const names = ['ndcg', 'recall'];\nawait evaluate([], undefined as any, { metrics: names })",
      /^Type 'string\[\]' is not assignable/,
      'The texts of names may be any. Declare it with `as const` at the end.',
    ],
    [
      'splitPlays(plays, { ^seed: 1 })',
      /^'seed' does not exist in type/,
      'There are: train, valid, test.',
    ],
    [
      "await evaluate([], undefined as any, { metrics: ['ndgc'] })",
      /ndgc/,
      /^Did you mean 'ndcg'\?$|^There are: .*'ndcg'/,
    ],
  ],
  'names that are not known': [
    ['ALS.fit(1)', "Cannot find name 'ALS'.", "recital has it: import { ALS } from 'recital';"],
    [
      'let all: ^Popularity;',
      "Cannot find name 'Popularity'.",
      "recital has it: import { Popularity } from 'recital';",
    ],
    [
      'describe(plays)',
      "Cannot find name 'describe'.",
      "recital has it: import { describe } from 'recital';",
    ],
    [
      'read_table(1)',
      "Cannot find name 'read_table'.",
      "recital has readTable: import { readTable } from 'recital';",
    ],
    [
      'nobodyKnows + nobodyKnows',
      "Cannot find name 'nobodyKnows'.",
      'No cell that has run declares it.',
    ],
    [
      'fresh = 5',
      "Cannot find name 'fresh'.",
      'A new variable begins with const, or with let if it changes: const fresh = 5',
    ],
    ['document.title', "Cannot find name 'document'.", 'Browsers have it; cells run in Node.'],
    [
      'export const ^shown = 1;',
      "Cannot redeclare exported variable 'shown'.",
      /^A cell exports nothing/,
    ],
    [
      'learn.fit(1, ^lr=1e-3)',
      "Cannot find name 'lr'.",
      'Options are given in braces: { lr: 1e-3 }.',
    ],
    [
      "import { Randon } from 'recital';",
      "'\"recital\"' has no exported member named 'Randon'. Did you mean 'Random'?",
    ],
    ["recital.readPlay('x')", "'recital' has no 'readPlay'. Did you mean 'readPlays'?"],
    [
      "import { Random } from 'recitel';",
      "Cannot find module 'recitel'.",
      "Did you mean 'recital'?",
    ],
    [
      "import { own } from './nothing-here';",
      "Cannot find module './nothing-here'.",
      /^There is no such file in .*tslab\.$/,
    ],
    [
      "import left from 'left-pad-of-mine';",
      "Cannot find module 'left-pad-of-mine'.",
      /^If it is a package: npm install left-pad-of-mine/,
    ],
  ],
  "Python's words": [
    ["print('hello')", "Cannot find name 'print'.", "Python's print. TypeScript's: console.log(…)"],
    ['import numpy as np', "Python's numpy. Here: arrays, Math, and the functions of recital"],
    [
      'import something as s',
      "Python's import. TypeScript's: import { readPlays } from 'recital';",
    ],
    [
      'from fastai.collab import *',
      "Python's import. TypeScript's: import { readPlays } from 'recital';",
    ],
    ['def half(x, y):\n    return x / 2', "Python's def. TypeScript's: function half(x, y) { … }"],
    [
      'const nothing = ^None;',
      "Cannot find name 'None'.",
      "Python's None. TypeScript's: null, or undefined for what is missing",
    ],
    ['const yes = True;', "Cannot find name 'True'.", "Python's True. TypeScript's: true"],
    [
      'if plays is not None and True:\n    pass',
      "Python's if. TypeScript's: if (plays !== null && true) { … }",
    ],
    [
      'for i in range(3):\n    print(i)',
      "Python's for. TypeScript's: for (let i = 0; i < 3; i++) { … }",
    ],
    [
      'for a, b in pairs:\n    print(a)',
      "Python's for. TypeScript's: for (const [a, b] of pairs) { … }",
    ],
    ['# a comment\nconst one = 1;', 'A comment begins with //.'],
    ['const said = f"x {plays}"', /^Python's f-string\./],
    ['!pip install recital', /^A command of IPython's/],
    ['len(plays)', "Cannot find name 'len'.", "Python's len. TypeScript's: x.length"],
    ['const some = [x for x in [1]]', /^Python's comprehension\./],
    ["console.log('this and that is not'", "')' expected."], // a text is no Python
  ],
  'lines that do not parse: the first fault of each': [
    ['const early = (', 'Expression expected.'],
    ['const one = ;\nconst two = 2;', 'Expression expected.'],
    ['const y = ^“hello”;', 'Invalid character.', 'Quotes are straight ones: \' or ".'],
  ],
  'what pandas has, and here has another name': [
    ['plays[0]', 'Plays has nothing in brackets: no [0].', 'Instead: plays.toTable().row(0)'],
    [
      "table['track_id']",
      "Table has nothing in brackets: no ['track_id'].",
      "Instead: table.column('track_id')",
    ],
    [
      "learn.recommend('u1')[0]",
      'Recommendations has nothing in brackets: no [0].',
      "Instead: learn.recommend('u1').row(0)",
    ],
    ['table[0]', 'Table has nothing in brackets: no [0].', 'Instead: table.row(0)'],
    [
      'plays.head(3)',
      "Property 'head' does not exist on type 'Plays'.",
      'Instead: plays.toTable().head(3)',
    ],
    [
      'table.^track_id',
      "Property 'track_id' does not exist on type 'Table'.",
      "A column is table.column('track_id'), the rows are table.rows().",
    ],
    [
      'table.shape',
      "Property 'shape' does not exist on type 'Table'.",
      'Instead: table.length, and table.columnNames.length',
    ],
    [
      'plays.shape',
      "Property 'shape' does not exist on type 'Plays'.",
      /^Instead: plays\.toTable\(\)\.length/,
    ],
    [
      'plays.describe()',
      "Property 'describe' does not exist on type 'Plays'.",
      'Instead: describe(plays.toTable())',
    ],
    [
      'table.describe()',
      "Property 'describe' does not exist on type 'Table'.",
      'Instead: describe(table)',
    ],
    [
      'table.map((r) => r)',
      "Property 'map' does not exist on type 'Table'.",
      'Instead: table.rows().map((r) => r)',
    ],
    [
      '[1].append(2)',
      "Property 'append' does not exist on type 'number[]'.",
      'Instead: [1].push(…)',
    ],
    [
      'learn.fit_one_cycle(1)',
      "Property 'fit_one_cycle' does not exist on type 'CollabLearner'. Did you mean 'fitOneCycle'?",
    ],
  ],
  'an object where a class is to be extended': [
    [
      "const split = splitPlays(plays, randomSplit(plays.length));\nawait evaluate({ mine: { name: 'x', scores() {} } }, split)",
      /^Type '\{ name: string; scores\(\): void; \}' is missing the following properties from type 'Recommender'/,
      /^It must be of a class that extends Recommender: /,
    ],
    [
      "await evaluate([{ name: 'x', scores() {} }], undefined as any)",
      /from type 'Recommender'/,
      /^It must be of a class that extends Recommender: /,
    ],
  ],
  'other faults, as TypeScript says them': [
    ['const text: string = 1;', "Type 'number' is not assignable to type 'string'."],
    [
      'collabLearner()',
      /^Expected 1-2 arguments, but got 0\.$/,
      "An argument for 'dls' was not provided.",
    ],
    ['plays.length()', "This expression is not callable. Type 'Number' has no call signatures."],
    [
      'function wait() { await later; }',
      /^'await' expressions are only allowed/,
      "Did you mean to mark this function as 'async'?",
    ],
  ],
};

describe('what the author of a cell is told', () => {
  let kernel: KernelClient;
  before(async () => {
    kernel = await KernelClient.start({ cwd: join(__dirname) });
    expect((await runCell(kernel, SETUP)).error).to.equal(undefined);
  });
  after(() => kernel.stop());

  /**
   * The lines of the error of a cell, of its first fault: what is wrong, where the caret stands,
   * and hints.
   */
  const told = async (
    code: string,
  ): Promise<{ what: string; caret: number; hints: string[]; faults: number; evalue: string }> => {
    const { error } = await runCell(kernel, code);
    const lines = error?.traceback ?? [];
    const heads = lines.filter((line) => line.startsWith('cell ['));
    const second = lines.findIndex((line, i) => i > 0 && line.startsWith('cell ['));
    const [head = '', , caret = '', ...hints] = lines.slice(0, second < 0 ? undefined : second);
    const what = head.replace(/^cell \[\d+\], line \d+: /, '');
    return {
      what,
      caret: caret.indexOf('^') - 4,
      hints,
      faults: heads.length,
      evalue: error?.evalue ?? '',
    };
  };
  const matches = (text: string, wanted: string | RegExp): boolean =>
    typeof wanted === 'string' ? text === wanted : wanted.test(text);

  for (const [group, cells] of Object.entries(groups)) {
    it(group, async () => {
      const wrong: object[] = [];
      for (const [marked, wanted, ...wantedHints] of cells) {
        const code = marked.replace('^', '');
        const { what, caret, hints, faults, evalue } = await told(code);
        const asked =
          matches(what, wanted) &&
          wantedHints.length === hints.length &&
          wantedHints.every((hint, i) => matches(hints[i], hint));
        const pointed = !marked.includes('^') || caret === marked.indexOf('^');
        if (!asked || !pointed || faults !== 1 || evalue !== [what, ...hints].join(' '))
          wrong.push({ code, what, caret, hints, faults });
      }
      expect(wrong).to.deep.equal([]);
    });
  }

  it('which cell declares a name, if that one has failed', async () => {
    const failed = await runCell(
      kernel,
      "const early = 1; throw new Error('on purpose'); const lost = 2;",
    );
    const n = failed.reply.execution_count;
    expect((await runCell(kernel, 'early')).stdout).to.equal('1\n');
    expect(await told('lost')).to.deep.include({
      hints: [`Cell [${n}] declares it, but has failed: mend it, and run it again.`],
    });
  });

  it('each fault of a cell once, ten at most', async () => {
    const { error } = await runCell(
      kernel,
      Array.from({ length: 14 }, (_, i) => `unknown${i} + unknown${i};`).join('\n'),
    );
    const heads = error?.traceback.filter((line) => line.startsWith('cell [')) ?? [];
    expect(heads.map((line) => /'(.*)'/.exec(line)?.[1])).to.deep.equal(
      Array.from({ length: 10 }, (_, i) => `unknown${i}`),
    );
    expect(error?.traceback.at(-1)).to.equal('(4 more below.)');
  });

  it('nothing where brackets are right', async () => {
    const right =
      'const pending = later;\nif (pending) await pending;\nconst text = `$' +
      "{await later}` + plays;\nconst key = 'length';\nconst lists = learn.recommend('u1', { n: 1, filterSeen: false });\nlists.rows()[0]; plays['length']; plays[key]; ({ a: 1 } as any)['b']; table.rows()[0]; table.rows()[0]['track_id'];";
    expect((await runCell(kernel, right)).error).to.equal(undefined);
  });
});
