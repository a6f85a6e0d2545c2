import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { PlaysCache } from '../../../../lib/recital/data/files/plays-cache.js';
import { readPlays } from '../../../../lib/recital/data/files/read-plays.js';
import { Plays } from '../../../../lib/recital/data/plays.js';
import { TemporaryFolder } from '../temporary.js';

const plays = Plays.fromRows([
  { user: 'ü', track: 'TR2', playcount: 3 },
  { user: 'a', track: 'TR1' },
  { user: 'ü', track: 'TR1', playcount: 2 },
  { user: 'ü', track: 'TR1', playcount: 2 },
]);

describe('PlaysCache', () => {
  const folder = new TemporaryFolder();
  const cacheOf = (file: string, options: unknown = {}): PlaysCache =>
    new PlaysCache(file, options);
  const cached = (): string =>
    path.join(folder.path, '.cache', readdirSync(path.join(folder.path, '.cache'))[0]);
  beforeEach(() => rmSync(path.join(folder.path, '.cache'), { recursive: true, force: true }));

  it('gives back what it was given', () => {
    const file = folder.write('a.csv', 'x');
    expect(cacheOf(file).read()).to.equal(undefined);
    cacheOf(file).write(plays);
    const back = cacheOf(file).read()!;
    expect(back.toTable()).to.deep.equal(plays.toTable());
    expect(back.users.classes).to.deep.equal(plays.users.classes);
    expect(back.tracks.indexOf('TR2')).to.equal(1);
    expect(back.repairs.duplicates).to.equal(1);
  });

  it('is void after a change of the file, of its time, or of the options, and the outdated one goes', () => {
    const file = folder.write('a.csv', 'x');
    cacheOf(file).write(plays);
    expect(cacheOf(file, { header: false }).read()).to.equal(undefined);
    utimesSync(file, 1, 1);
    expect(cacheOf(file).read()).to.equal(undefined);
    cacheOf(file).write(plays);
    appendFileSync(file, 'y');
    expect(cacheOf(file).read()).to.equal(undefined);
    cacheOf(file).write(plays);
    expect(readdirSync(path.join(folder.path, '.cache'))).to.have.length(1);
  });

  it('removes what killed writers of any of its versions have left, and nothing else', () => {
    const file = folder.write('a.csv', 'x');
    cacheOf(file).write(plays);
    const [name] = readdirSync(path.join(folder.path, '.cache'));
    const old = name.replace(/[0-9a-f]{12}(?=\.plays$)/, '0'.repeat(12));
    for (const left of [
      `.${name}.4194305.0.tmp`,
      `.${old}.4194305.0.tmp`,
      `.b${name}.4194305.0.tmp`,
    ])
      folder.write(`.cache/${left}`, 'x');
    cacheOf(file).write(plays);
    expect(readdirSync(path.join(folder.path, '.cache')).sort()).to.deep.equal([
      `.b${name}.4194305.0.tmp`,
      name,
    ]);
  });

  it('is ignored when damaged, cut off, foreign or empty', () => {
    const file = folder.write('a.csv', 'x');
    cacheOf(file).write(plays);
    const whole = readFileSync(cached());
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 1;
      writeFileSync(cached(), damaged);
      const back = cacheOf(file).read();
      if (back) expect(back.toTable()).to.deep.equal(plays.toTable()); // padding between sections may change without harm
    }
    for (const content of [
      whole.subarray(0, whole.length - 9),
      whole.subarray(0, 20),
      Buffer.from('PK'),
      Buffer.alloc(0),
    ]) {
      writeFileSync(cached(), content);
      expect(cacheOf(file).read()).to.equal(undefined);
    }
  });

  it('goes to the temporary folder where none can be made beside the file', () => {
    const file = folder.write('sub/a.csv', 'x');
    writeFileSync(path.join(folder.path, 'sub/.cache'), 'in the way');
    cacheOf(file).write(plays);
    expect(cacheOf(file).read()?.length).to.equal(3);
    expect(readFileSync(path.join(folder.path, 'sub/.cache'), 'utf8')).to.equal('in the way');
  });

  it('keeps what is in the temporary folder from others, and does not read what others may have written there', function () {
    if (process.getuid === undefined) this.skip(); // there are no such rights on Windows
    const own = path.join(tmpdir(), `recital-cache-${process.getuid!()}`);
    const file = folder.write('sub/b.csv', 'x');
    cacheOf(file).write(plays);
    expect(statSync(own).mode & 0o777).to.equal(0o700);
    try {
      chmodSync(own, 0o777);
      expect(cacheOf(file).read()).to.equal(undefined);
    } finally {
      chmodSync(own, 0o700);
    }
    expect(cacheOf(file).read()?.length).to.equal(3);
  });

  it('goes to the folder that RECITAL_CACHE names, apart for files of the same name', () => {
    const [one, two] = [folder.write('one/a.csv', 'x'), folder.write('two/a.csv', 'x')];
    process.env.RECITAL_CACHE = path.join(folder.path, 'caches');
    try {
      cacheOf(one).write(plays);
      expect(cacheOf(one).read()?.length).to.equal(3);
      expect(cacheOf(two).read()).to.equal(undefined);
      expect(existsSync(path.join(folder.path, 'one/.cache'))).to.equal(false);
    } finally {
      delete process.env.RECITAL_CACHE;
    }
  });
});

describe('readPlays with a cache', () => {
  const folder = new TemporaryFolder();
  const HEADER = 'track_id,user_id,playcount\n';

  it('reads the cache while the file is the same, and rebuilds a damaged one', async () => {
    const file = folder.write('a.csv', `${HEADER}T,u,1\n`);
    utimesSync(file, 1000, 1000);
    await readPlays(file, { cache: true });
    const cache = path.join(folder.path, '.cache');
    const name = path.join(cache, readdirSync(cache)[0]);
    const made = statSync(name, { bigint: true });
    expect([...(await readPlays(file, { cache: true })).playcount]).to.deep.equal([1]);
    expect(statSync(name, { bigint: true })).to.deep.include({
      ino: made.ino,
      mtimeNs: made.mtimeNs,
    }); // it was read, not made again
    writeFileSync(name, 'damaged');
    expect([...(await readPlays(file, { cache: true })).playcount]).to.deep.equal([1]);
    expect(statSync(path.join(cache, readdirSync(cache)[0])).size).to.be.greaterThan(100);
  });

  it('sees another content of the same size and time, and a link that leads elsewhere', async () => {
    const sum = async (file: string): Promise<number> =>
      (await readPlays(file, { cache: true })).playcount.reduce((a, b) => a + b);
    const file = folder.write('same/a.csv', `${HEADER}T,u,1\n`);
    utimesSync(file, 1000, 1000);
    expect(await sum(file)).to.equal(1);
    writeFileSync(file, `${HEADER}T,u,2\n`); // in place: the same inode
    utimesSync(file, 1000, 1000);
    expect(await sum(file)).to.equal(2);
    const other = folder.write('same/b.csv', `${HEADER}T,u,3\n`);
    utimesSync(other, 1000, 1000);
    renameSync(other, file); // another inode
    expect(await sum(file)).to.equal(3);
    if (process.platform === 'win32') return;
    const [one, two] = [4, 5].map((n) => folder.write(`same/${n}.csv`, `${HEADER}T,u,${n}\n`));
    for (const at of [one, two]) utimesSync(at, 1000, 1000);
    const link = path.join(folder.path, 'same/link.csv');
    symlinkSync(one, link);
    expect(await sum(link)).to.equal(4);
    rmSync(link);
    symlinkSync(two, link);
    expect(await sum(link)).to.equal(5);
  });

  it('caches files from 1 MB on unless told otherwise', async () => {
    const cache = path.join(folder.path, '.cache');
    rmSync(cache, { recursive: true, force: true });
    await readPlays(folder.write('small.csv', `${HEADER}T,u,1\n`));
    expect(existsSync(cache)).to.equal(false);
    const large = folder.write(
      'large.csv',
      HEADER + Array.from({ length: 80000 }, (_, i) => `T${i},user${i},1\n`).join(''),
    );
    await readPlays(large, { cache: false });
    expect(existsSync(cache)).to.equal(false);
    await readPlays(large);
    expect(readdirSync(cache)).to.have.length(1);
    expect((await readPlays(large)).length).to.equal(80000);
  });

  it('reads files in a folder that cannot be written', async () => {
    const file = folder.write('closed/a.csv', `${HEADER}T,u,1\n`);
    mkdirSync(path.join(folder.path, 'closed'), { recursive: true });
    chmodSync(path.join(folder.path, 'closed'), 0o555);
    try {
      expect((await readPlays(file, { cache: true })).length).to.equal(1);
    } finally {
      chmodSync(path.join(folder.path, 'closed'), 0o755);
    }
  });
});
