import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import * as recital from './support/public.js';

const root = resolve(__dirname, '..');
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'data/README.md'].concat(
  readdirSync(resolve(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
);
const read = (page: string): string => readFileSync(resolve(root, page), 'utf8');

/** The blocks of code of a section, up to the next one. */
function blocksOf(page: string, heading: string): string[] {
  const text = `${read(page)}\n## `;
  const from = text.indexOf(`\n## ${heading}`);
  expect(from, heading).to.be.greaterThan(0);
  return Array.from(
    text.slice(from, text.indexOf('\n## ', from + 4)).matchAll(/```ts\n([\s\S]*?)```/g),
    ([, code]) => code,
  );
}

/**
 * Runs code as a cell of a notebook does, with the library's names and these; returns the result.
 */
async function run(
  code: string,
  given: Record<string, unknown>,
  result: string,
): Promise<Record<string, unknown>> {
  const { outputText } = ts.transpileModule(
    `async function cell() {${code.replace(/^import .*\n/gm, '')}\nreturn ${result};}`,
    {
      compilerOptions: { target: ts.ScriptTarget.ES2022 },
    },
  );
  const names = { ...recital, ...given };
  const cell = new Function(...Object.keys(names), `${outputText}\nreturn cell();`);
  return recital.noBar(() =>
    recital.noLogging(() => cell(...Object.values(names)) as Promise<Record<string, unknown>>),
  );
}

const samplePlays = async (users: number): Promise<recital.Plays> =>
  (await recital.readPlays(resolve(root, 'data/sample'), { cache: false })).sampleUsers(users);

/** The models with fewer units and rows: plain TensorFlow.js is slow. */
const smaller = (code: string): string =>
  code.replace(/\b(1024|400|100|50)\b/g, (n) => ({ 1024: '64', 400: '16', 100: '4', 50: '3' })[n]!);

/** How GitHub names the heading of a section in an address. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

describe('the documents', () => {
  for (const page of pages) {
    it(`${page} links to what there is`, () => {
      const dead: string[] = [];
      for (const [, link] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        const [path, anchor] = link.split('#');
        const file = path === '' ? page : resolve(root, dirname(page), path);
        const there = existsSync(resolve(root, file));
        const headings =
          there && anchor
            ? [...readFileSync(resolve(root, file), 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, h]) =>
                anchorOf(h),
              )
            : [];
        if (!there || (anchor && !headings.includes(anchor))) dead.push(link);
      }
      expect(dead).to.deep.equal([]);
    });
  }

  it('docs/dependencies.md justifies every dependency', () => {
    const text = read('docs/dependencies.md');
    const packages = ['package.json', 'lib/recital/package.json', 'lib/kernel/package.json'];
    const names = packages.flatMap((file) => {
      const { dependencies, devDependencies, peerDependencies } = JSON.parse(read(file));
      return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
    });
    const own = (name: string): boolean => /^recital/.test(name) || name.startsWith('@types/');
    expect(names.filter((name) => !own(name) && !text.includes(name))).to.deep.equal([]);
  });

  it('the README has at most 150 lines', () => {
    expect(read('README.md').split('\n').length).to.be.at.most(150);
  });

  it('the README prints what its ten lines print', async () => {
    const [code] = blocksOf('README.md', 'Ten lines');
    const printed = /```\n(epoch[\s\S]*?)```/.exec(read('README.md'))![1].split('\n\n');
    expect(code.match(/;$/gm)!.length + 1, 'statements').to.be.at.most(10);
    const cell = code
      .replace(/^import .*\n/, '')
      .replace("'../data'", JSON.stringify(resolve(root, 'data/sample')))
      .replace('learn.recommend(', 'const list = learn.recommend(');
    const { list, learn } = (await run(cell, {}, '{ list, learn }')) as {
      list: recital.Recommendations;
      learn: recital.Learner;
    };
    expect(list.toString().trim()).to.equal(printed[1].trim());
    const rows = printed[0].trim().split('\n').slice(1);
    expect(learn.recorder.values.map((row) => row.map((x) => x?.toFixed(6)))).to.deep.equal(
      rows.map((row) => row.trim().split(/\s+/).slice(1, 4)),
    );
  });

  it('the README has a recommender that recommends', async () => {
    const [code] = blocksOf('README.md', 'Your own model');
    const plays = await samplePlays(50);
    const cell = code.replace(/^new InOrder/m, 'const list = new InOrder');
    const { list } = (await run(cell, { plays }, '{ list }')) as { list: recital.Recommendations };
    expect(list.ids).to.have.length(5);
  });

  it('docs/evaluation.md compares, and predicts next tracks', async () => {
    const [compare] = blocksOf('docs/evaluation.md', 'On one split');
    const [next] = blocksOf('docs/evaluation.md', 'The next track');
    const plays = await samplePlays(300);
    const smallerCell = compare
      .replace('trials: 10', 'trials: 2')
      .replace(", file: 'als.json'", '')
      .replace(/^comparison\.(plot|save|bySegment).*$/gm, '');
    const { comparison } = (await run(smallerCell, { plays }, '{ comparison }')) as {
      comparison: recital.Comparison;
    };
    expect(comparison.strings('recommender')).to.include.members(['Popularity', 'ItemKNN', 'ALS']);
    const { learn } = (await run(
      next.replace('fitOneCycle(8', 'fitOneCycle(1').replace(/^learn\.recommend.*$/m, ''),
      { plays },
      '{ learn }',
    )) as { learn: recital.Learner };
    expect(learn.epochsTrained).to.equal(1);
  });
});

describe('docs/recipes.md', () => {
  it('runs from its first block to its last, in a folder with the sample', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'recipes-'));
    const before = process.cwd();
    try {
      cpSync(resolve(root, 'data/sample'), join(folder, 'data/sample'), { recursive: true });
      process.chdir(folder);
      const blocks = Array.from(
        read('docs/recipes.md').matchAll(/```ts\n([\s\S]*?)```/g),
        ([, code]) => code,
      );
      const code = blocks
        .join('\n')
        .replace("readPlays('data/sample')", "(await readPlays('data/sample')).sampleUsers(300)");
      const results = '{ als, served, user, comparison, twice, first }';
      const made = await run(code, { console: { log: () => {} } }, results);
      const { als, served, user, comparison } = made as Record<string, recital.ALS> & {
        user: string;
        comparison: recital.Comparison;
      };
      expect(served.recommend(user).ids).to.deep.equal(als.recommend(user).ids);
      expect(comparison.strings('recommender')).to.deep.equal(['Popularity', 'EASE']);
      expect(readdirSync(folder)).to.include.members([
        'als.safetensors',
        'artists.svg',
        'comparison.csv',
      ]);
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    }
  });
});

describe("models of one's own, as documented", () => {
  const blocks = blocksOf('docs/own-models.md', "A model of one's own");

  it('are of 15 lines at most', () => {
    expect(blocks).to.have.length(3);
    for (const code of blocks) expect(code.trim().split('\n')).to.have.length.at.most(15);
  });

  it('are trained', async () => {
    const made = await run(
      blocks.map(smaller).join('\n'),
      { plays: await samplePlays(40) },
      '{ learn, dls, songs, lstm, scaledDot }',
    );
    const learn = made.learn as recital.Learner;
    expect(learn.epochsTrained).to.equal(2);
    expect(learn.recorder.values.flat().every((x) => Number.isFinite(x))).to.equal(true);
  });
});

describe("a recommender of one's own, as documented", () => {
  it('looks up the year of each track, and takes part in a comparison', async () => {
    const blocks = blocksOf('docs/own-models.md', "A recommender of one's own");
    expect(blocks).to.have.length(1);
    const plays = await samplePlays(300);
    const code = blocks[0]
      .replace('await evaluate(', 'const compared = await evaluate(')
      .replace('new Newest(split.train).rec', 'const list = new Newest(split.train).rec');
    const made = await run(code, { plays }, '{ list, compared, split, Newest }');
    const { list, compared, split } = made as {
      list: recital.Recommendations;
      compared: recital.Comparison;
      split: { train: recital.Plays };
    };
    expect(compared.strings('recommender')).to.deep.equal(['Popularity', 'Newest']);
    const catalogue = plays.catalogue!;
    const yearOf = (id: string): number => catalogue.table.numbers('year')[catalogue.ids.index(id)];
    const user = split.train.users.id(0);
    const played = new Set(
      split.train
        .compact()
        .tracks.classes.filter((_, t) => recital.Interactions.fromPlays(split.train).has(0, t)),
    );
    const years = split.train
      .compact()
      .tracks.classes.filter((id) => !played.has(id))
      .map((id) => yearOf(id) || 0);
    expect(list.ids.map(yearOf), user).to.deep.equal(years.sort((a, b) => b - a).slice(0, 5));
    expect(list.numbers('year')[0]).to.equal(yearOf(list.ids[0]));
  });

  it('is asked for by name where a plain object is given', async () => {
    const plays = await samplePlays(20);
    const plain = {
      name: 'mine',
      scores: (_users: Int32Array, out: Float32Array) => void out.fill(0),
    } as unknown as recital.Recommender;
    const knn = new recital.ItemKNN(plays);
    const next = new recital.Markov(plays);
    const ways: (() => unknown)[] = [
      () => recital.evaluateRecommender(plain, plays),
      () => recital.evaluate([plain], { train: plays, test: plays } as never),
      () => new recital.Hybrid([knn, plain]),
      () => recital.withSeen(plain, plays),
      () => new recital.WeightedSum([next, plain as never]),
      () => recital.evaluateNextItem({ scores: plain.scores } as never, plays),
    ];
    for (const way of ways) {
      let message = 'no error';
      try {
        await way();
      } catch (error) {
        expect(error).to.be.instanceOf(recital.ArgumentError);
        message = (error as Error).message;
      }
      expect(message, String(way)).to.match(
        /one's own is a class that extends (Sequence)?Recommender/,
      );
    }
  });
});
