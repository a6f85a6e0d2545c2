import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { float32 } from '../../lib/compute/memory.js';
import { writeAtomically } from '../../lib/data/atomic-write.js';
import { DataError } from '../../lib/errors.js';
import { TemporaryFolder } from './temporary.js';

describe('writeAtomically', () => {
  const folder = new TemporaryFolder();

  it('writes the parts one after the other, those on shared memory too, and leaves nothing else behind', () => {
    const file = path.join(folder.path, 'whole');
    writeAtomically(file, [Buffer.from('ab'), float32(2).fill(1), new Float64Array(0), Buffer.from('c')]);
    expect(readFileSync(file).toString('latin1')).to.equal('ab\x00\x00\x80\x3f\x00\x00\x80\x3fc');
    expect(readdirSync(folder.path)).to.deep.equal(['whole']);
  });

  it('keeps the file that is there when the content fails half way', () => {
    const file = folder.write('kept/old', 'old');
    function* failing(): Generator<Uint8Array> {
      yield Buffer.from('new');
      throw new Error('half way');
    }
    expect(() => writeAtomically(file, failing())).to.throw('half way');
    expect(readFileSync(file, 'utf8')).to.equal('old');
    expect(readdirSync(path.dirname(file))).to.deep.equal(['old']);
    writeAtomically(file, [Buffer.from('new')]);
    expect(readFileSync(file, 'utf8')).to.equal('new');
  });

  it('says why a file cannot be written', () => {
    const write = (file: string) => () => writeAtomically(path.join(folder.path, file), [Buffer.from('x')]);
    expect(write('nowhere/x')).to.throw(DataError, /nowhere\/x" cannot be written: there is no folder ".*nowhere"\. Make it first/);
    folder.write('plain', '');
    expect(write('plain/x')).to.throw(DataError, 'is not a folder');
    mkdirSync(path.join(folder.path, 'folder'));
    expect(write('folder')).to.throw(DataError, 'cannot be written');
    expect(readdirSync(folder.path).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);
  });

  it('says that a folder does not allow it (skipped for root, who may write anywhere)', function () {
    if (process.getuid?.() === 0) this.skip();
    const locked = path.join(folder.path, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    expect(() => writeAtomically(path.join(locked, 'x'), [])).to.throw(DataError, 'does not allow it (EACCES)');
  });
});
