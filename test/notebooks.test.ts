import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { executeNotebook } from '../lib/kernel/run/executor.js';
import { joined, type Notebook, readNotebook } from '../lib/kernel/run/notebook-file.js';
import { TemporaryFolder } from './recital/data/temporary.js';
import { declared, solutionsOf, textOf, withSolutions } from './support/solutions.js';

const folder = join(__dirname, '..', 'notebooks');
const sample = join(__dirname, '..', 'data', 'sample');

/** What each code cell printed and showed, as text; clock times apart. */
function texts({ cells }: Notebook): string[] {
  return cells.filter((cell) => cell.cell_type === 'code').map(textOf);
}

/** Columns of code that a front end shows without a scrollbar. */
const COLUMNS = 100;
const widest = (code: string): number => Math.max(...code.split('\n').map((line) => line.length));

/**
 * Expects the same words, and numbers equal to a relative 1e-4: a machine's `Math.exp` may differ
 * in the last bit.
 */
function expectSame(actual: string, expected: string, where: string): void {
  const number = /-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?/gi;
  const numbers = (s: string): number[] =>
    (s.match(number) ?? []).map((x) => Number(x.replace(/,/g, '')));
  const words = (s: string): string => s.replace(number, '#').replace(/\s+/g, ' ');
  expect(words(actual), where).to.equal(words(expected));
  const wanted = numbers(expected);
  numbers(actual).forEach((x, i) => {
    // Values that are zero but for rounding, such as the correlation of two principal components,
    // have no digits to compare.
    if (Math.abs(x - wanted[i]) > 1e-4 * Math.abs(wanted[i]) && Math.abs(x - wanted[i]) > 1e-9) {
      throw new Error(`${where}: number ${i} is ${x}, the committed notebook has ${wanted[i]}`);
    }
  });
}

describe('notebooks', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ipynb'))) {
    const committed = readNotebook(join(folder, file));

    const solutions = solutionsOf(committed);

    it(`${file} and its solutions run in the real kernel and give the numbers that are printed in it`, async () => {
      const run = withSolutions(committed); // each as if a reader had copied it into a cell below the last one
      const env = { ...process.env, RECITAL_DATA: sample }; // not Kaggle's files, if they are there
      const { failure } = await executeNotebook(run, { cwd: folder, env });
      const expected = texts(committed);
      const of = (number: number): string =>
        number > expected.length
          ? `solution of ${solutions[number - expected.length - 1].title}`
          : `cell [${number}]`;
      expect(
        failure,
        failure && `${of(failure.number)}, line ${failure.line}: ${failure.message}`,
      ).to.equal(undefined);
      const results = texts(run);
      expect(results).to.have.length(expected.length + solutions.length);
      results.forEach((text, i) => {
        expectSame(
          text.trimEnd(),
          (expected[i] ?? solutions[i - expected.length].output).trimEnd(),
          of(i + 1),
        );
      });
    }).timeout(900_000); // a minute or two where nothing else runs

    it(`${file} has exercises with hidden solutions, each of which needs the notebook alone`, () => {
      const exercises = committed.cells.filter(({ source }) =>
        /^\*\*\d\. .*?\*\* /.test(joined(source)),
      );
      expect(exercises.map(({ source }) => Number(joined(source)[2]))).to.deep.equal(
        solutions.map((_, i) => i + 1),
      );
      expect(solutions.length).to.be.within(
        ...((file.startsWith('0') ? [1, 1] : [3, 5]) as [number, number]),
      );
      const made = committed.cells
        .filter((cell) => cell.cell_type === 'code')
        .flatMap(({ source }) => declared(joined(source)));
      for (const { title, code, output } of solutions) {
        expect(code.split('\n').length, title).to.be.at.most(15);
        expect(widest(code), title).to.be.at.most(COLUMNS);
        expect(output, title).to.match(/\w/);
        const own = declared(code);
        expect(
          own.filter((name) => made.includes(name)),
          `${title} changes what the notebook has made`,
        ).to.deep.equal([]);
        const others = solutions
          .filter((other) => other.code !== code)
          .flatMap((other) => declared(other.code));
        const borrowed = others.filter(
          (name) => !own.includes(name) && new RegExp(`(?<![.\\w])${name}\\b(?!['"]?:)`).test(code),
        );
        expect(borrowed, `${title} uses what another solution has made`).to.deep.equal([]);
      }
    });

    it(`${file} teaches: a goal first, prose before code, cells of at most 15 lines and 100 columns, questions with answers at the end`, () => {
      const { cells } = committed;
      expect(joined(cells[0].source)).to.match(/^# .*\n\n\*\*Goal\.\*\*/);
      expect(cells.map(({ source }) => joined(source)).join('\n')).to.contain('**Limits.**');
      const last = joined(cells[cells.length - 1].source);
      expect(last).to.match(/^## Questions\n/);
      const questions = [
        ...last.matchAll(
          /^\*\*(\d)\.\*\* .*\?\n\n<details>\n<summary>Answer<\/summary>\n\n.+\n\n<\/details>$/gm,
        ),
      ];
      expect(questions.map(([, number]) => Number(number))).to.deep.equal(
        questions.map((_, i) => i + 1),
      );
      expect(questions.length).to.be.within(5, 8);
      expect(last.match(/^\*\*\d/gm)).to.have.length(questions.length);
      for (const cell of cells) {
        if (cell.cell_type !== 'code') continue;
        expect(joined(cell.source).split('\n').length, joined(cell.source)).to.be.at.most(15);
        expect(widest(joined(cell.source)), joined(cell.source)).to.be.at.most(COLUMNS);
        expect(
          cell.outputs?.some((o) => o.output_type === 'error' || o.name === 'stderr'),
          joined(cell.source),
        ).to.equal(false);
      }
    });
  }

  const temporary = new TemporaryFolder();

  /**
   * Runs a notebook on the plays of the sample's first ten users. Returns what it printed and
   * showed.
   */
  async function runSmall(file: string, { catalogue }: { catalogue: boolean }): Promise<string> {
    const [head, ...lines] = readFileSync(join(sample, 'User Listening History.csv'), 'utf8')
      .trim()
      .split('\n');
    const user = (line: string): string => line.split(',')[head.split(',').indexOf('user_id')];
    const few = new Set([...new Set(lines.map(user))].slice(0, 10));
    const data = join(temporary.path, `${file} ${catalogue ? 'complete' : 'plain'}`);
    mkdirSync(data);
    writeFileSync(
      join(data, 'User Listening History.csv'),
      [head, ...lines.filter((line) => few.has(user(line)))].join('\n'),
    );
    if (catalogue) copyFileSync(join(sample, 'Music Info.csv'), join(data, 'Music Info.csv'));
    const notebook = readNotebook(join(folder, file));
    const { failure } = await executeNotebook(notebook, {
      cwd: folder,
      env: { ...process.env, RECITAL_DATA: data },
    });
    expect(failure?.message, data).to.equal(undefined);
    return texts(notebook).join('\n');
  }

  it('0-start-here.ipynb runs on the plays of ten users, without a catalogue', async function () {
    this.timeout(300_000);
    expect(await runSmall('0-start-here.ipynb', { catalogue: false })).to.contain('Popularity');
  });

  it('1-collab.ipynb runs on the plays of ten users, with a catalogue and without one', async function () {
    this.timeout(300_000);
    const [complete, plain] = await Promise.all(
      [true, false].map((catalogue) => runSmall('1-collab.ipynb', { catalogue })),
    );
    expect(complete).to.contain('No year has ten tracks with users here.');
    expect(plain)
      .to.contain('These data lack a catalogue (Music Info.csv).')
      .and.to.contain('No artists here.');
  });

  it('3-pca.ipynb runs on the plays of ten users, with a catalogue and without one', async function () {
    this.timeout(300_000);
    const [complete, plain] = await Promise.all(
      [true, false].map((catalogue) => runSmall('3-pca.ipynb', { catalogue })),
    );
    expect(complete)
      .to.contain('User PCA shape: [ 10, 10 ]')
      .and.to.contain('tracks without a play');
    expect(plain)
      .to.contain('No audio features here.')
      .and.to.contain('No track here whose sound is known is without a play.');
  });

  it('4-comparison.ipynb runs on the plays of ten users, with a catalogue and without one', async function () {
    this.timeout(300_000);
    const [complete, plain] = await Promise.all(
      [true, false].map((catalogue) => runSmall('4-comparison.ipynb', { catalogue })),
    );
    expect(complete)
      .to.contain('14 take part')
      .and.to.match(/^Content +\d/m);
    expect(plain)
      .to.contain('13 take part')
      .and.to.contain('so there is no recommender by content.')
      .and.not.to.match(/^Content /m);
  });
});
