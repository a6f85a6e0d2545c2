import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { TerminalWatcher } from '../../lib/kernel/run/terminal.js';
import { display } from '../../lib/recital/data/output.js';
import { Table } from '../../lib/recital/data/table.js';
import { Tracks } from '../../lib/recital/data/tracks.js';
import { Vocabulary } from '../../lib/recital/data/vocabulary.js';
import { chartBundle } from '../../lib/recital/display/chart-render.js';
import { tableHtml } from '../../lib/recital/display/html.js';
import { installDisplay } from '../../lib/recital/display/show.js';
import { ArgumentError, UnknownIdError } from '../../lib/recital/errors.js';
import {
  barChart,
  Html,
  ItemKNN,
  Plays,
  Popularity,
  show,
  TrainingDisplay,
} from '../../lib/recital/index.js';
import { visible } from '../../lib/recital/printed.js';
import { printed } from '../support/printed.js';

/** Names the window, clears the screen, rings, writes backwards; and with C1 controls alone. */
const HOSTILE = '\x1b]0;mine\x07\x1b[2J\u202eevil\u2066 \x9b2J\x7f';
const WRITTEN = '\\x1b]0;mine\\x07\\x1b[2J\\u202eevil\\u2066 \\x9b2J\\x7f';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('visible', () => {
  it('writes out control characters, and leaves every other one', () => {
    expect(visible(HOSTILE)).to.equal(WRITTEN);
    expect(visible('a\nb\tc\rd\0')).to.equal('a\\nb\\tc\\rd\\x00');
    expect(visible('Sigur Rós — 🎵 \u200e日本 \u00a0\\n')).to.equal(
      'Sigur Rós — 🎵 \u200e日本 \u00a0\\n',
    );
  });

  it('keeps those that are meant, and of escape sequences those for colours', () => {
    expect(visible('a\nb\tc\r', '\n\t')).to.equal('a\nb\tc\\r');
    expect(visible('\x1b[1;31mred\x1b[0m\x1b[2J\x1b]0;x\x07', '\x1b')).to.equal(
      '\x1b[1;31mred\x1b[0m\\x1b[2J\\x1b]0;x\\x07',
    );
    expect(visible('\x1b[31mred')).to.equal('\\x1b[31mred');
  });

  it('is the same once more, of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text))
          .to.not.match(control)
          .and.not.match(/[\n\t]/);
        expect(visible(visible(text))).to.equal(visible(text));
      }),
    );
  });
});

describe('control characters of data', () => {
  before(installDisplay); // other tests show nothing
  const table = new Table(
    new Map([
      ['title', [HOSTILE, 'a\nb', null]],
      [`n${HOSTILE}`, [3, 1, 2]],
    ]),
  );
  const plays = Plays.fromRows([
    { user: HOSTILE, track: 'a' },
    { user: 'u', track: HOSTILE },
  ]);
  const chart = barChart(table.take([0, 1]), { x: 'title', y: `n${HOSTILE}`, title: HOSTILE });
  const popular = new Popularity(plays);
  const shows: Record<string, () => string> = {
    'a table': () => inspect(table),
    'a table as HTML': () => tableHtml(table, { title: HOSTILE }),
    'a shown table': () => printed(() => show(table, { title: HOSTILE })).join('\n'),
    'a chart': () =>
      `${printed(() => show(chart)).join('\n')}${chartBundle(chart).bundle['text/plain']}`,
    'a piece of HTML': () => printed(() => show(new Html('', HOSTILE))).join('\n'),
    'a line': () => printed(() => display().text(HOSTILE)).join('\n'),
    'a warning': () => printed(() => display().warn(HOSTILE)).join('\n'),
    'an unknown id': () => new UnknownIdError('user', HOSTILE, [HOSTILE, 'b']).message,
    'known ids': () => new UnknownIdError('user', 'x', [HOSTILE, 'b']).message,
    'an error': () => String(new ArgumentError(`It is "${HOSTILE}".`).stack),
    'a vocabulary': () => inspect(Vocabulary.fromValues([HOSTILE, 'b'])),
    'lists of many': () => inspect(popular.recommendBatch([HOSTILE, 'u'], { n: 1 })),
    'a list': () => inspect(popular.recommend('u', { n: 1, filterSeen: false })),
    'an explanation': () => String(new ItemKNN(plays).explain('u', HOSTILE)),
    tracks: () => inspect(new Tracks(new Table({ track_id: ['a'], name: [HOSTILE] }))),
    'a training': () =>
      printed(() => {
        const view = new TrainingDisplay(1, 1, ['epoch', HOSTILE]);
        view.row([0, HOSTILE]);
        view.done();
      }).join('\n'),
  };
  for (const [name, text] of Object.entries(shows)) {
    it(`are written out: ${name}`, () => {
      expect(text()).to.not.match(control);
      if (!['a list'].includes(name)) expect(text()).to.match(/\\x1b\]0;mine\\x07|x1b\]0;mine/);
    });
  }

  it('are written out where `npm start` prints what cells print, show and throw; colours and the carriage return of a progress line are not', () => {
    let written = '';
    const watcher = new TerminalWatcher({ write: (text) => (written += text) });
    watcher.cell(1, { cell_type: 'code', metadata: {}, source: `// ${HOSTILE}` });
    watcher.output('stream', { name: 'stdout', text: `\x1b[32m10 %\r20 %\x1b[0m ${HOSTILE}\n` });
    watcher.output('display_data', { data: { 'text/plain': HOSTILE } });
    watcher.output('error', { traceback: ['Error', HOSTILE] });
    watcher.end(0);
    watcher.line(HOSTILE);
    expect(written.split(WRITTEN)).to.have.length(6);
    expect(written.replace('\x1b[32m10 %\r20 %\x1b[0m', '')).to.not.match(control);
  });

  it('stay in the data: ids, rows, names of columns', () => {
    expect(table.rows()[0]).to.deep.equal({ title: HOSTILE, [`n${HOSTILE}`]: 3 });
    expect(plays.users.id(plays.users.index(HOSTILE))).to.equal(HOSTILE);
    expect(popular.recommend(HOSTILE, { n: 1 }).ids).to.deep.equal([HOSTILE]);
    expect(new UnknownIdError('user', `${HOSTILE}!`, [HOSTILE]).suggestions).to.deep.equal([
      HOSTILE,
    ]);
  });
});
