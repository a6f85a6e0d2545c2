import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { willHaveIndex, writeIndex } from '../../../lib/kernel/pages/index-page.js';
import { notebookPage } from '../../../lib/kernel/pages/page.js';
import { TemporaryFolder } from '../../recital/data/temporary.js';
import { notebookOf } from '../../support/notebook.js';

describe('the start page', () => {
  const temporary = new TemporaryFolder();
  let folder: string;
  let index: string;
  const put = (name: string, text: string, failure?: string): void => {
    const page = notebookPage(notebookOf(text), {
      name,
      seconds: 2,
      date: new Date('2024-05-06T07:08:09Z'),
      failure: failure === undefined ? undefined : { text: failure, cell: 1 },
    });
    writeFileSync(join(folder, `${name}.ipynb`), '{}');
    writeFileSync(join(folder, `${name}.html`), page);
  };

  beforeEach(() => {
    folder = join(temporary.path, 'out');
    index = join(folder, 'index.html');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  });

  it('lists the pages of a folder in order, each with its first paragraph, what made it, and whether that failed', () => {
    put('10-b & c', '# Ten\n\nThe tenth <i>one</i>.', 'Cell [1]\nE: no');
    put('2-a', '# Two "quoted"\n\n**Goal.** The second.\n\nMore.');
    expect(writeIndex(folder)).to.equal(index);
    const html = readFileSync(index, 'utf8');
    const items = [...html.matchAll(/<li>([\s\S]*?)<\/li>/g)].map((match) => match[1]);
    expect(items).to.have.length(2);
    expect(items[0])
      .to.contain('<a href="2-a.html">Two &quot;quoted&quot;</a>')
      .and.to.contain('<p>Goal. The second.</p>');
    expect(items[0])
      .to.contain('2-a.ipynb, run in 2.0 s on 2024-05-06')
      .and.not.to.contain('failed');
    expect(items[1])
      .to.contain('<a href="10-b%20%26%20c.html">Ten</a>')
      .and.to.contain('<p>The tenth one.</p>')
      .and.to.contain('This run failed.');
    expect(html)
      .to.contain('<footer>2 notebooks, 1 failed.</footer>')
      .and.to.contain('<h1>Notebooks</h1>');
    expect(writeIndex(folder), 'once more: it does not list itself').to.equal(index);
    expect(readFileSync(index, 'utf8')).to.equal(html);
  });

  it('is not there for one page, and goes with the last but one', () => {
    put('1-a', '# One');
    expect(writeIndex(folder)).to.equal(undefined);
    expect(existsSync(index)).to.equal(false);
    put('2-b', '# Two');
    expect(writeIndex(folder)).to.equal(index);
    rmSync(join(folder, '2-b.html'));
    expect(writeIndex(folder)).to.equal(undefined);
    expect(existsSync(index)).to.equal(false);
  });

  it('leaves alone what others have made, and lists it not', () => {
    put('1-a', '# One');
    put('2-b', '# Two');
    writeFileSync(join(folder, '3-c.ipynb'), '{}');
    writeFileSync(join(folder, '3-c.html'), '<title>by nbconvert</title>');
    writeIndex(folder);
    expect(readFileSync(index, 'utf8')).not.to.contain('nbconvert');
    writeFileSync(index, 'mine');
    expect(writeIndex(folder)).to.equal(undefined);
    expect(readFileSync(index, 'utf8')).to.equal('mine');
    expect(willHaveIndex(folder, ['1-a'])).to.equal(false);
  });

  it('gives way to a notebook that is called index', () => {
    put('1-a', '# One');
    put('index', '# Mine');
    expect(writeIndex(folder)).to.equal(undefined);
    expect(readFileSync(index, 'utf8')).to.contain('<title>Mine</title>');
    expect(willHaveIndex(folder, ['1-a', 'index'])).to.equal(false);
  });

  it('is linked from pages where it will be', () => {
    expect(willHaveIndex(folder, ['1-a'])).to.equal(false);
    expect(willHaveIndex(folder, ['1-a', '2-b'])).to.equal(true);
    put('1-a', '# One');
    expect(willHaveIndex(folder, ['1-a'])).to.equal(false);
    expect(willHaveIndex(folder, ['2-b'])).to.equal(true);
    expect(willHaveIndex(join(folder, 'none yet'), ['1-a'])).to.equal(false);
    const link = '<nav aria-label="Contents"><a href="index.html">Notebooks</a>';
    expect(notebookPage(notebookOf('# T'), { name: 'x', home: true })).to.contain(link);
    expect(notebookPage(notebookOf('# T'), { name: 'x' })).not.to.contain('index.html');
  });
});
