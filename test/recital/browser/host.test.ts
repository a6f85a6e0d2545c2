import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import * as pageFiles from '../../../lib/recital/browser/files.js';
import * as page from '../../../lib/recital/browser/host.js';
import * as browser from '../../../lib/recital/browser/index.js';
import * as node from '../../../lib/recital/compute/host.js';
import { RecitalError } from '../../../lib/recital/errors.js';
import * as library from '../../../lib/recital/index.js';

describe('recital/browser', () => {
  it('has the names of recital but those of files, DuckDB, Danfo, the search and notebooks', () => {
    const missing = Object.keys(library).filter((name) => !(name in browser));
    // biome-ignore format: a list
    expect(missing.sort()).to.deep.equal([
      'CSVLogger', 'Html', 'SaveModel', 'ShowGraph', 'Slot', 'TrainingDisplay', 'barChart', 'displaySymbol', 'escapeHtml',
      'fromDanfo', 'heatmap', 'histogram', 'html', 'inNotebook', 'lineChart', 'noBar', 'noLogging', 'readHetRec',
      'readPlays', 'readSafetensors', 'readSessions', 'readTable', 'readTracks', 'scatter', 'search', 'show',
      'sql', 'toDanfo', 'writeSafetensors',
    ]);
    const more = Object.keys(browser).filter((name) => !(name in library));
    expect(more).to.deep.equal([]);
  });

  it('says plainly that a page has no files', () => {
    const { default: path, ...functions } = pageFiles;
    for (const each of [...Object.values(functions), ...Object.values(path)])
      expect(() => each()).to.throw(RecitalError, /^A page has no files\..*arrayBuffer/);
  });
});

describe('what the library needs of a page', () => {
  it('has the names of what it needs of Node, and says there is one thread and no machine code', () => {
    expect(Object.keys(page).sort()).to.deep.equal(Object.keys(node).sort());
    expect(page.MOST_THREADS).to.equal(1);
    expect(page.nativePackage()).to.equal(undefined);
    expect(() => page.startThread()).to.throw('one thread');
    expect(() => page.stopProcess()).to.throw('cannot end itself');
    page.garbageCollector()();
    expect(page.runtime().platform).to.be.a('string');
  });

  it('hashes as SHA-256 does, whatever the lengths and the pieces', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) % 256);
      const expected = createHash('sha256').update('ü').update(bytes).update(bytes).digest('hex');
      const got = page.sha256().update('ü').update(bytes);
      for (let at = 0; at < length; at += 13) got.update(bytes.subarray(at, at + 13));
      expect(got.digest('hex'), `${length} bytes`).to.equal(expected);
    }
    const numbers = Float64Array.of(1, 2, 3);
    expect(page.sha256().update(numbers.subarray(1)).digest('hex')).to.equal(
      node.sha256().update(numbers.subarray(1)).digest('hex'),
    );
  });

  it('reads, compares and makes bytes of texts as Node does', () => {
    const texts = ['', 'a', 'ab', 'ü', '𝄞', '\ufeffBOM', 'z\ud800', '\ue000'];
    for (const a of texts) {
      const [own, other] = [page.utf8(a), node.utf8(a)];
      expect([...own]).to.deep.equal([...other]);
      expect(page.utf8Length(a)).to.equal(node.utf8Length(a));
      expect(own.toString()).to.equal(other.toString());
      for (const b of texts)
        expect(own.compare(page.utf8(b)), `${a} and ${b}`).to.equal(other.compare(node.utf8(b)));
    }
    const [own, other] = [page.utf8('xx-aü-yy'), node.utf8('xx-aü-yy')];
    expect(own.toString('utf8', 3, 6)).to.equal('aü');
    const part = page.utf8('.aü.');
    expect(own.compare(part, 1, 4, 3, 6)).to.equal(0);
    expect(own.compare(part, 1, 4, 3, 5)).to.equal(other.compare(part, 1, 4, 3, 5));
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(97);
    expect(page.textBytes(shared).toString()).to.equal('aa');
    expect(page.isUtf8(own)).to.equal(true);
    expect(page.isUtf8(Uint8Array.of(0xc3, 0x28))).to.equal(false);
  });

  it('prints fields as Node does', () => {
    for (const fields of [{}, { a: 1, b: 'x', c: [1, 2], d: true }, { f: Math.max, n: null }])
      expect(page.fieldsText(fields)).to.equal(inspect(fields, { breakLength: Infinity }));
  });

  it('gives the event loop a turn, and knows whose work it is until that is over', async () => {
    let turned = false;
    setTimeout(() => (turned = true), 0);
    for (let i = 0; i < 100 && !turned; i++) await page.nextTurn();
    expect(turned).to.equal(true);
    const scope = new page.AsyncLocalStorage<string>();
    expect(scope.run('now', () => scope.getStore())).to.equal('now');
    expect(scope.getStore()).to.equal(undefined);
    const later = scope.run('later', async () => {
      await page.nextTurn();
      return scope.getStore();
    });
    expect(scope.run('inner', () => scope.getStore())).to.equal('inner');
    expect(await later).to.equal('later');
    expect(scope.getStore()).to.equal(undefined);
    const fails = (): never => {
      throw new Error('no');
    };
    expect(() => scope.run('x', fails)).to.throw('no');
    expect(scope.getStore()).to.equal(undefined);
  });
});
