import { expect } from 'chai';
import { type CellOutput, Outputs } from '../../../lib/kernel/run/notebook-file.js';

function gather(...messages: [string, Record<string, unknown>][]): CellOutput[] {
  const outputs = new Outputs();
  const list: CellOutput[] = [];
  outputs.begin(list);
  for (const [type, content] of messages) outputs.add(type, content);
  return list;
}
const print = (text: string, name = 'stdout'): [string, Record<string, unknown>] => [
  'stream',
  { name, text },
];
const html = (text: string, id: string): Record<string, unknown> => ({
  data: { 'text/html': text },
  metadata: {},
  transient: { display_id: id },
});

describe('Outputs', () => {
  it('joins consecutive prints to the same stream, one string a line', () => {
    expect(gather(print('a\nb'), print('c\n'), print('e', 'stderr'), print('d'))).to.deep.equal([
      { name: 'stdout', output_type: 'stream', text: ['a\n', 'bc\n'] },
      { name: 'stderr', output_type: 'stream', text: ['e'] },
      { name: 'stdout', output_type: 'stream', text: ['d'] },
    ]);
  });

  it('lets a carriage return rewrite its line', () => {
    expect(gather(print('10 %\r'), print('99 %\rdone\nnext\r\n'))[0].text).to.deep.equal([
      'done\n',
      'next\r\n',
    ]);
  });

  it('replaces a display wherever it was shown', () => {
    const list = gather(
      ['display_data', html('1', 'a')],
      ['display_data', html('x', 'b')],
      ['update_display_data', html('2', 'a')],
    );
    expect(list.map(({ data }) => data)).to.deep.equal([
      { 'text/html': ['2'] },
      { 'text/html': ['x'] },
    ]);
  });

  it('replaces a display of an earlier cell', () => {
    const outputs = new Outputs();
    const [first, second]: CellOutput[][] = [[], []];
    outputs.begin(first);
    outputs.add('display_data', html('1', 'a'));
    outputs.begin(second);
    outputs.add('update_display_data', html('2', 'a'));
    expect(first[0].data).to.deep.equal({ 'text/html': ['2'] });
    expect(second).to.deep.equal([]);
  });

  it('clears at once, or when the next output comes', () => {
    expect(gather(print('a'), ['clear_output', { wait: false }])).to.deep.equal([]);
    expect(gather(print('a'), ['clear_output', { wait: true }])).to.have.length(1);
    expect(gather(print('a'), ['clear_output', { wait: true }], print('b'))[0].text).to.deep.equal([
      'b',
    ]);
  });

  it('keeps pictures and JSON as they are', () => {
    const data = {
      'image/png': 'AAAA\nBBBB',
      'application/json': { a: 1 },
      'image/svg+xml': '<svg>\n</svg>',
    };
    expect(gather(['display_data', { data, metadata: {} }])[0].data).to.deep.equal({
      ...data,
      'image/svg+xml': ['<svg>\n', '</svg>'],
    });
  });
});
