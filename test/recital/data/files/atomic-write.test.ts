import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { float32 } from '../../../../lib/recital/compute/memory.js';
import {
  complaint,
  makeFolder,
  removeAbandoned,
  WholeFile,
  writeAtomically,
} from '../../../../lib/recital/data/files/atomic-write.js';
import { ArgumentError, DataError } from '../../../../lib/recital/errors.js';
import { TemporaryFolder } from '../temporary.js';

describe('writeAtomically', () => {
  const folder = new TemporaryFolder();

  it('writes the parts one after the other, those on shared memory too, and leaves nothing else behind', () => {
    const file = path.join(folder.path, 'whole');
    writeAtomically(file, [
      Buffer.from('ab'),
      float32(2).fill(1),
      new Float64Array(0),
      Buffer.from('c'),
    ]);
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
    const write = (file: string) => () =>
      writeAtomically(path.join(folder.path, file), [Buffer.from('x')]);
    expect(write('nowhere/x')).to.throw(
      DataError,
      /nowhere\/x" cannot be written: there is no folder ".*nowhere"\. Make it first/,
    );
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
    expect(() => writeAtomically(path.join(locked, 'x'), [])).to.throw(
      DataError,
      'does not allow it (EACCES)',
    );
  });

  it('removes what dead writers of the same name have left: not what living ones are at, nor what has another name', async () => {
    const at = (name: string): string => path.join(folder.path, 'left', name);
    const write = `
      const { WholeFile } = require(${JSON.stringify(require.resolve('../../../../lib/recital/data/files/atomic-write.ts'))});
      const half = new WholeFile(process.argv[1]);
      half.write(Buffer.from('half'));`;
    const args = ['--require', require.resolve('tsx/cjs'), '-e'];
    folder.write('left/model', 'old');
    const living = spawn(process.execPath, [
      ...args,
      `${write} console.log('there'); setTimeout(() => {}, 60_000);`,
      at('model'),
    ]);
    await once(living.stdout, 'data');
    for (const name of ['model', 'other']) {
      spawnSync(process.execPath, [
        ...args,
        `${write} process.kill(process.pid, 'SIGKILL');`,
        at(name),
      ]);
    }
    const temporary = (): string[] => readdirSync(at('')).filter((name) => name.endsWith('.tmp'));
    try {
      expect(temporary()).to.have.length(3);
      writeAtomically(at('model'), [Buffer.from('new')]);
      const left = temporary();
      expect(left).to.have.length(2);
      expect(left.some((name) => name.includes(`.model.${living.pid}-`))).to.equal(true);
      expect(left.some((name) => name.startsWith('.other.'))).to.equal(true);
    } finally {
      living.kill('SIGKILL');
      await once(living, 'exit');
    }
    writeAtomically(at('model'), [Buffer.from('newer')]);
    expect(temporary()).to.have.length(1);
    expect(readFileSync(at('model'), 'utf8')).to.equal('newer');
  });

  it('takes a file of its own number for that of a dead process if it is older than this one, one of another computer if it is older than a day', () => {
    const made = (name: string, seconds: number): string => {
      const file = folder.write(`ids/${name}`, 'x');
      utimesSync(file, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
      return file;
    };
    const hour = 3600;
    const old = made(`.x.${process.pid}.0.tmp`, process.uptime() + hour);
    const own = made(`.x.${process.pid}.1.tmp`, 0);
    const foreign = made('.x.4194305-000000.0-0.tmp', 23 * hour);
    const abandoned = made('.x.4194305-000000.0-1.tmp', 25 * hour);
    removeAbandoned(path.dirname(old), (name) => name === 'x');
    expect([old, own, foreign, abandoned].map((file) => existsSync(file))).to.deep.equal([
      false,
      true,
      true,
      false,
    ]);
  });

  it('says of a folder that goes away while the file is written what has happened, and leaves nothing', () => {
    const file = folder.write('gone/x', 'old');
    function* meanwhile(): Generator<Uint8Array> {
      yield Buffer.from('new');
      rmSync(path.dirname(file), { recursive: true });
    }
    expect(() => writeAtomically(file, meanwhile())).to.throw(
      DataError,
      /gone\/x" cannot be written: there is no folder/,
    );
    expect(existsSync(path.dirname(file))).to.equal(false);
  });

  it('says that the disk is full (skipped where there is no /dev/full)', function () {
    if (!existsSync('/dev/full')) this.skip();
    const error = (() => {
      try {
        writeFileSync('/dev/full', 'x');
      } catch (caught) {
        return caught;
      }
    })();
    expect(complaint(error)).to.equal(
      'A file cannot be written: no space is left there (ENOSPC). Make room, or choose another folder.',
    );
  });

  it('complains of what the system refuses, and of errors of ours, but not of defects', () => {
    expect(complaint(new ArgumentError('Ours.'))).to.equal('Ours.');
    expect(complaint(new TypeError('x is undefined'))).to.equal(undefined);
    expect(complaint(undefined)).to.equal(undefined);
    const file = path.join(folder.path, 'none');
    const caught = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return error;
      }
    };
    expect(complaint(caught(() => readFileSync(file)))).to.equal(
      `"${file}" cannot be opened: there is no such file or folder.`,
    );
    expect(() => makeFolder(path.join(folder.write('file', ''), 'below'))).to.throw(
      DataError,
      /file" is not a folder/,
    );
    const half = new WholeFile(file);
    half.discard();
    half.discard();
    expect(existsSync(file)).to.equal(false);
  });
});
