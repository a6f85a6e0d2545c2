import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { executeNotebook } from '../lib/cli/executor.js';
import { joined, type Notebook, readNotebook } from '../lib/cli/notebook-file.js';
import { TemporaryFolder } from './data/temporary.js';

const folder = join(__dirname, '..', 'notebooks');
const sample = join(__dirname, '..', 'data', 'sample');

/** What each code cell printed and showed, as text; clock times apart. */
function texts({ cells }: Notebook): string[] {
  return cells
    .filter((cell) => cell.cell_type === 'code')
    .map(({ outputs = [] }) => {
      const parts = outputs.map(({ text, data }) => joined(text ?? data?.['text/plain'] ?? ''));
      return parts.join('\n').replace(/\b\d+:\d\d(:\d\d)?\b/g, 'TIME');
    });
}

/** Expects the same words, and numbers equal to a relative 1e-4: a machine's `Math.exp` may differ in the last bit. */
function expectSame(actual: string, expected: string, where: string): void {
  const number = /-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?/gi;
  const numbers = (s: string): number[] => (s.match(number) ?? []).map((x) => Number(x.replace(/,/g, '')));
  const words = (s: string): string => s.replace(number, '#').replace(/\s+/g, ' ');
  expect(words(actual), where).to.equal(words(expected));
  const wanted = numbers(expected);
  numbers(actual).forEach((x, i) => {
    // Values that are zero but for rounding, such as the correlation of two principal components, have no digits to compare.
    if (Math.abs(x - wanted[i]) > 1e-4 * Math.abs(wanted[i]) && Math.abs(x - wanted[i]) > 1e-9) {
      throw new Error(`${where}: number ${i} is ${x}, the committed notebook has ${wanted[i]}`);
    }
  });
}

describe('notebooks', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ipynb'))) {
    const committed = readNotebook(join(folder, file));

    it(`${file} runs in the real kernel and gives the numbers that it was committed with`, async function () {
      this.timeout(300_000); // 15 s, but minutes on a machine that does other things as well
      const run: Notebook = structuredClone(committed);
      const env = { ...process.env, RECITAL_DATA: sample }; // not Kaggle's files, if they are there
      const { failure } = await executeNotebook(run, { cwd: folder, env });
      expect(failure, failure?.message).to.equal(undefined);
      const expected = texts(committed);
      texts(run).forEach((text, i) => {
        expectSame(text, expected[i], `code cell ${i + 1}`);
      });
    }).timeout(900_000); // a minute or two where nothing else runs

    it(`${file} teaches: a goal first, prose before code, cells of at most 15 lines, questions at the end`, () => {
      const { cells } = committed;
      expect(joined(cells[0].source)).to.match(/^# .*\n\n\*\*Goal\.\*\*/);
      expect(joined(cells[cells.length - 1].source))
        .to.contain('**Limits.**')
        .and.to.contain('**Questions.**');
      for (const cell of cells) {
        if (cell.cell_type !== 'code') continue;
        expect(joined(cell.source).split('\n').length, joined(cell.source)).to.be.at.most(15);
        expect(
          cell.outputs?.some((o) => o.output_type === 'error' || o.name === 'stderr'),
          joined(cell.source),
        ).to.equal(false);
      }
    });
  }

  const temporary = new TemporaryFolder();

  /** Runs a notebook on the plays of the sample's first ten listeners. Returns what it printed and showed. */
  async function runSmall(file: string, { catalogue }: { catalogue: boolean }): Promise<string> {
    const [head, ...lines] = readFileSync(join(sample, 'User Listening History.csv'), 'utf8').trim().split('\n');
    const user = (line: string): string => line.split(',')[head.split(',').indexOf('user_id')];
    const few = new Set([...new Set(lines.map(user))].slice(0, 10));
    const data = join(temporary.path, `${file} ${catalogue ? 'complete' : 'plain'}`);
    mkdirSync(data);
    writeFileSync(join(data, 'User Listening History.csv'), [head, ...lines.filter((line) => few.has(user(line)))].join('\n'));
    if (catalogue) copyFileSync(join(sample, 'Music Info.csv'), join(data, 'Music Info.csv'));
    const notebook = readNotebook(join(folder, file));
    const { failure } = await executeNotebook(notebook, { cwd: folder, env: { ...process.env, RECITAL_DATA: data } });
    expect(failure?.message, data).to.equal(undefined);
    return texts(notebook).join('\n');
  }

  it('1-collab.ipynb runs on the plays of ten listeners, with a catalogue and without one', async function () {
    this.timeout(300_000);
    const [complete, plain] = await Promise.all([true, false].map((catalogue) => runSmall('1-collab.ipynb', { catalogue })));
    expect(complete).to.contain('No year has ten tracks with listeners here.');
    expect(plain).to.contain('No catalogue (Music Info.csv) lies beside the plays').and.to.contain('No artists here.');
  });

  it('3-pca.ipynb runs on the plays of ten listeners, with a catalogue and without one', async function () {
    this.timeout(300_000);
    const [complete, plain] = await Promise.all([true, false].map((catalogue) => runSmall('3-pca.ipynb', { catalogue })));
    expect(complete).to.contain('User PCA shape: [ 10, 10 ]').and.to.contain('tracks without a play');
    expect(plain).to.contain('No audio features here.').and.to.contain('No track here whose sound is known is without a play.');
  });

  it('4-comparison.ipynb runs on the plays of ten listeners, with a catalogue and without one', async function () {
    this.timeout(300_000);
    const [complete, plain] = await Promise.all([true, false].map((catalogue) => runSmall('4-comparison.ipynb', { catalogue })));
    expect(complete)
      .to.contain('14 take part')
      .and.to.match(/^Content +\d/m);
    expect(plain)
      .to.contain('13 take part')
      .and.to.contain('so there is no recommender by content.')
      .and.not.to.match(/^Content /m);
  });
});
