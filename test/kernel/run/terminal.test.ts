import { expect } from 'chai';
import { TerminalWatcher } from '../../../lib/kernel/run/terminal.js';

const ESC = String.fromCharCode(27);
const show = (text: string, id: string): Record<string, unknown> => ({
  data: { 'text/plain': text },
  transient: { display_id: id },
});

/** What is on the screen in the end: understands newlines, cursor up and clear below. */
function screenOf(written: string): string[] {
  const rows = [''];
  let row = 0;
  const sequence = new RegExp('(' + ESC + '\\[\\d*[AJ]|\n)');
  for (const part of written.split(sequence)) {
    if (part.startsWith(ESC) && part.endsWith('A')) row -= Number(part.slice(2, -1));
    else if (part === `${ESC}[J`) rows.splice(row, Infinity, '');
    else if (part === '\n') rows[++row] ??= '';
    else rows[row] += part;
  }
  return rows;
}

function watch(options: { isTTY: boolean }, use: (watcher: TerminalWatcher) => void): string {
  let written = '';
  use(
    new TerminalWatcher({
      ...options,
      columns: 40,
      rows: 10,
      write: (text) => (written += text),
    }),
  );
  return written;
}

describe('TerminalWatcher', () => {
  before(() => {
    process.env.NO_COLOR = '1';
  });
  after(() => {
    delete process.env.NO_COLOR;
  });

  it('rewrites what is updated in place, in a terminal', () => {
    const written = watch({ isTTY: true }, (w) => {
      w.output('display_data', show('epoch\n10 %', 'a'));
      w.output('update_display_data', show(`epoch\n0 1\n${'50 % '.repeat(12)}`, 'a')); // wraps: takes two rows
      w.output('update_display_data', show('epoch\n0 1\n1 2', 'a'));
      w.output('stream', { name: 'stdout', text: 'after\n' });
    });
    expect(written).to.contain(`${ESC}[4A`); // epoch, 0 1, and the wrapped row twice
    expect(screenOf(written.replace(/(50 % )+\n/, '50\n\n'))).to.deep.equal([
      'epoch',
      '0 1',
      '1 2',
      'after',
      '',
    ]);
  });

  it('prints only the final state elsewhere, in its place', () => {
    const written = watch({ isTTY: false }, (w) => {
      w.output('stream', { name: 'stdout', text: 'before\n' });
      w.output('display_data', show('10 %', 'a'));
      w.output('update_display_data', show('table', 'a'));
      w.output('stream', { name: 'stdout', text: 'after\n' });
      w.output('display_data', show('last', 'b'));
      w.end(0.1);
    });
    expect(written).to.equal('before\ntable\nafter\nlast\n');
  });

  it('prints in the end what was updated after something else had been printed below it', () => {
    const written = watch({ isTTY: false }, (w) => {
      w.output('display_data', show('0 %', 'a'));
      w.output('stream', { name: 'stdout', text: 'note' });
      w.output('update_display_data', show('100 %', 'a'));
      w.end(0.1);
    });
    expect(written).to.equal('0 %\nnote\n100 %\n');
  });

  it('names the types of an output that has no text', () => {
    const written = watch({ isTTY: false }, (w) => {
      w.output('display_data', { data: { 'image/png': '' } });
      w.end(2.345);
    });
    expect(written).to.equal('[image/png]\n    2.3 s\n');
  });
});
