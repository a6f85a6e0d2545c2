import { expect } from 'chai';
import fc from 'fast-check';

import { cut, Output } from '../../../lib/kernel/tslab/output.js';
import type { DisplayContent } from '../../../lib/kernel/tslab/tslab.js';

const CHARS = 1_000_000;
const LINES = 20_000;
const NOTE =
  '\n… A cell shows at most 20,000 lines or 1,000,000 characters: of what follows, only the end is shown, when the cell has ended.\n';
const display = (id: string, text: string): DisplayContent => ({
  data: { 'text/plain': text },
  metadata: {},
  transient: { display_id: id },
});

/** What is sent of what a cell does. */
function sent(work: (output: Output) => void): { name: string; text: string }[] {
  const messages: { name: string; text: string }[] = [];
  const output = new Output(
    (name, text) => messages.push({ name, text }),
    (content, update, result) =>
      messages.push({
        name: result ? 'result' : update ? 'update' : 'display',
        text: JSON.stringify(content),
      }),
  );
  work(output);
  output.finish();
  return messages;
}
const joined = (messages: { name: string; text: string }[], name: string): string =>
  messages.filter((each) => each.name === name).reduce((all, { text }) => all + text, '');
const lineCount = (text: string): number => text.split('\n').length - 1;

describe('the output of a cell', () => {
  it('is sent whole and in order up to a million characters and 20,000 lines', () => {
    const messages = sent((output) => {
      for (let i = 0; i < LINES; i++) output.print(i % 1000 ? 'stdout' : 'stderr', `${i}\n`);
    });
    const numbers = Array.from({ length: LINES }, (_, i) => i);
    expect(joined(messages, 'stdout')).to.equal(
      numbers
        .filter((i) => i % 1000)
        .join('\n')
        .concat('\n'),
    );
    expect(joined(messages, 'stderr')).to.equal(
      numbers
        .filter((i) => i % 1000 === 0)
        .join('\n')
        .concat('\n'),
    );
    expect(
      joined(
        sent((output) => output.print('stdout', 'x'.repeat(CHARS))),
        'stdout',
      ),
    ).to.have.length(CHARS);
  });

  it('is thinned beyond: its beginning is sent, and its end when the cell has ended, with how much there was', () => {
    const messages = sent((output) => {
      for (let i = 0; i < 195_912; i++) output.print('stdout', `${i}\n`);
    });
    const [beginning, end] = joined(messages, 'stdout').split('20000\n') as [string, string?];
    expect(end).to.equal(undefined); // the 20,001st line
    expect(lineCount(beginning)).to.equal(LINES + 20);
    expect(beginning.endsWith('195910\n195911\n')).to.equal(true);
    expect(joined(messages, 'stderr')).to.equal(
      `${NOTE}… 195,912 lines in all, 1,260,274 characters. The end:\n`,
    );
  });

  it('of one line that is too long is cut, and says so', () => {
    const messages = sent((output) => output.print('stdout', `${'x'.repeat(3_000_000)}\n`));
    expect(joined(messages, 'stdout').length).to.be.within(CHARS, CHARS + 10_000);
    expect(joined(messages, 'stderr')).to.equal(
      `${NOTE}… 1 line in all, 3,000,001 characters. The end:\n`,
    );
    expect(cut('x'.repeat(CHARS))).to.have.length(CHARS);
    expect(cut('x'.repeat(3_000_000))).to.match(
      /^x{1000000}\n… 3,000,000 characters in all\. A cell shows at most 1,000,000\.$/,
    );
  });

  it('counts what is shown, too: beyond, the last that was shown is sent', () => {
    const messages = sent((output) => {
      for (let i = 0; i < 30_000; i++) output.display(display(String(i), String(i)));
      output.display(display('b', 'new'));
      output.display(display('b', 'newer'), true);
      output.display({ data: { 'text/plain': 'result' } }, false, true);
    });
    expect(messages.filter(({ name }) => name === 'display')).to.have.length(LINES + 1);
    const tail = messages.slice(-3).map(({ name, text }) => `${name} ${text.slice(0, 39)}`);
    expect(tail[0]).to.contain('stderr … 30,002 lines in all');
    expect(tail[1]).to.equal('display {"data":{"text/plain":"newer"},"metadat');
    expect(tail[2]).to.equal('result {"data":{"text/plain":"result"}}');
    const large = sent((output) => {
      for (let i = 0; i < 60; i++) output.display(display(String(i), 'x'.repeat(1_000_000)));
    });
    expect(large.filter(({ name }) => name === 'display')).to.have.length(51);
  });

  it('replaces what is shown as often as can be seen, however long the cell goes on: the last state is sent in any case', async () => {
    const messages: string[] = [];
    const output = new Output(
      () => {},
      (content) => messages.push((content as { data: Record<string, string> }).data['text/plain']),
    );
    output.display(display('a', 'first'));
    for (let i = 0; i < 30_000; i++) output.display(display('a', String(i)), true);
    expect(messages.length).to.be.within(500, 600);
    expect(messages.slice(0, 4)).to.deep.equal(['first', '0', '1', '2']);
    while (messages.at(-1) !== '29999') await new Promise((done) => setTimeout(done, 5));
    for (let i = 0; i < 3; i++) output.display(display('b', `b${i}`), true);
    output.finish();
    expect(messages.at(-1)).to.equal('b2');
    expect(messages.length).to.be.below(610);
  });

  it('that is thinned says once a minute that the cell goes on', () => {
    const { now } = performance;
    let minutes = 0;
    performance.now = () => 60_000 * minutes;
    try {
      const messages = sent((output) => {
        for (let i = 0; i < 30_000; i++) {
          minutes = i >= 25_000 ? 1 : 0;
          output.print('stdout', '\n');
        }
      });
      expect(joined(messages, 'stderr')).to.equal(
        `${NOTE}… 25,001 lines so far. The cell goes on.\n… 30,000 lines in all, 30,000 characters. The end:\n`,
      );
    } finally {
      performance.now = now;
    }
  });

  it('begins and ends as it was, however it is divided into prints', () => {
    const piece = fc.tuple(
      fc.constantFrom('', 'x', 'ab\n', '\n\n', 'é'.repeat(9_000), 'line\n'.repeat(900)),
      fc.integer({ min: 1, max: 40 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const prints = pieces.flatMap(([text, times]) => Array.from({ length: times }, () => text));
        const all = prints.join('');
        const messages = sent((output) => {
          for (const text of prints) output.print('stdout', text);
        });
        const got = joined(messages, 'stdout');
        if (all.length <= CHARS && lineCount(all) <= LINES) {
          expect(got === all && joined(messages, 'stderr') === '').to.equal(true);
          return;
        }
        expect(joined(messages, 'stderr')).to.contain(
          `${lineCount(all).toLocaleString('en-US')} lines in all, ${all.length.toLocaleString('en-US')} characters`.replace(
            /^1 lines/,
            '1 line',
          ),
        );
        const at = messages.findIndex(({ name }) => name === 'stderr');
        const beginning = joined(messages.slice(0, at), 'stdout');
        const end = joined(messages.slice(at), 'stdout');
        expect(all.startsWith(beginning) && all.endsWith(end)).to.equal(true);
        expect(beginning.length === CHARS || lineCount(beginning) === LINES).to.equal(true);
        expect(end.length).to.be.within(1, 4_000);
      }),
      { numRuns: 40 },
    );
  });
});
