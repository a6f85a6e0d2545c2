import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { readHetRec } from '../../lib/recital/data/files/hetrec.js';
import { ArgumentError } from '../../lib/recital/errors.js';
import { parseArguments } from '../../lib/synthetic/data.js';
import {
  type DownloadOptions,
  download,
  fetchHetRec,
  HETREC,
  type Source,
} from '../../lib/synthetic/download.js';
import { rejection } from '../support/learner.js';

const root = path.resolve(__dirname, '../..');
const real = path.resolve(root, '../shared/data/hetrec2011-lastfm-2k.zip');
const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i) % 251));
const sha256 = createHash('sha256').update(content).digest('hex');

/** How a server answers, request by request; the last one serves for all further ones. */
type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

const whole: Answer = (_, response) => {
  response.writeHead(200, { 'content-length': content.length });
  response.end(content);
};
const ranged: Answer = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? NaN);
  if (Number.isNaN(from)) whole(request, response);
  else {
    response.writeHead(206, {
      'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
      'content-length': content.length - from,
    });
    response.end(content.subarray(from));
  }
};
/** Sends so many bytes of what it should and breaks off. */
const broken =
  (bytes: number): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, bytes), () => setTimeout(() => response.destroy(), 30));
  };
const status =
  (code: number): Answer =>
  (_, response) => {
    response.writeHead(code);
    response.end('<html>no</html>');
  };

describe('download', () => {
  let dir = '';
  let file = '';
  let server: http.Server;
  let answers: Answer[] = [];
  let ranges: (string | undefined)[] = [];
  let source: Source;
  const lines: string[] = [];
  const options: DownloadOptions = {
    pause: 1,
    attempts: 3,
    patience: 2000,
    report: (line) => lines.push(line),
  };

  before((done) => {
    server = http.createServer((request, response) => {
      ranges.push(request.headers.range);
      const answer = answers.length > 1 ? answers.shift()! : answers[0];
      answer(request, response);
    });
    server.listen(0, '127.0.0.1', () => {
      source = {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/data.zip`,
        sha256,
        bytes: content.length,
      };
      done();
    });
  });
  after((done) => {
    server.closeAllConnections();
    server.close(done);
  });
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'recital-download-'));
    file = path.join(dir, 'new', 'data.zip');
    ranges = [];
    lines.length = 0;
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const isWhole = (): void => {
    expect(readFileSync(file).equals(content)).to.equal(true);
    expect(readdirSync(path.dirname(file))).to.deep.equal(['data.zip']);
  };

  it('fetches a file as a whole, and not again', async () => {
    answers = [whole];
    expect(await download(source, file, options)).to.equal(true);
    isWhole();
    expect(await download(source, file, options)).to.equal(false);
    expect(ranges).to.deep.equal([undefined]);
  });

  it('goes on where a connection broke', async () => {
    answers = [broken(50_000), ranged];
    await download(source, file, options);
    isWhole();
    expect(ranges.length).to.equal(2);
    const from = Number(/^bytes=(\d+)-$/.exec(ranges[1]!)![1]);
    expect(from).to.be.within(1, 50_000);
    expect(lines.join('\n')).to.contain('trying again').and.contain('going on after');
  });

  it('goes on in a later call; until then there is no file of that name', async () => {
    answers = [broken(50_000), status(503)];
    const message = await rejection(download(source, file, options));
    expect(message)
      .to.match(/503/)
      .and.contain('bytes are kept: the same command goes on there')
      .and.contain(`put it at ${file}`);
    expect(existsSync(file)).to.equal(false);
    answers = [ranged];
    ranges = [];
    await download(source, file, options);
    isWhole();
    expect(ranges[0]).to.match(/^bytes=[1-9]\d*-$/);
  });

  it('starts anew where the server knows no ranges', async () => {
    answers = [broken(50_000), whole];
    await download(source, file, options);
    isWhole();
    expect(lines.join('\n')).to.not.contain('going on after');
  });

  it('starts anew where the server gives another range, or has none', async () => {
    const other: Answer = (_, response) => {
      response.writeHead(206, {
        'content-range': `bytes 7-${content.length - 1}/${content.length}`,
      });
      response.end(content.subarray(7));
    };
    for (const answer of [other, status(416)]) {
      answers = [broken(50_000), answer, ranged];
      await download(source, file, options);
      isWhole();
      rmSync(file);
    }
  });

  it('starts anew where the kept part is of another file', async () => {
    mkdirSync(path.dirname(file));
    writeFileSync(`${file}.part`, Buffer.alloc(60_000, 1));
    answers = [ranged];
    await download(source, file, options);
    isWhole();
    for (const size of [content.length, content.length + 5]) {
      rmSync(file);
      writeFileSync(`${file}.part`, Buffer.alloc(size, 1));
      await download(source, file, options);
      isWhole();
    }
  });

  it('refuses another file than it should be, and keeps nothing of it', async () => {
    const changed = Buffer.from(content);
    changed[1000] ^= 1;
    answers = [
      (_, response) => {
        response.writeHead(200, { 'content-length': changed.length });
        response.end(changed);
      },
    ];
    const message = await rejection(download(source, file, options));
    expect(message).to.contain(`expected ${sha256}`).and.contain('Nothing was kept');
    expect(readdirSync(path.dirname(file))).to.deep.equal([]);
    expect(ranges.length).to.equal(1);
  });

  it('does not go on receiving what has no end', async () => {
    answers = [
      (_, response) => {
        const more = (): void => {
          if (!response.destroyed) response.write(content, () => setTimeout(more, 1));
        };
        more();
      },
    ];
    expect(await rejection(download(source, file, options))).to.contain('longer than it should be');
    expect(readdirSync(path.dirname(file))).to.deep.equal([]);
    expect(ranges.length).to.equal(1);
  });

  it('notices a short file without a length', async () => {
    answers = [(_, response) => response.end(content.subarray(0, 1000)), ranged];
    await download(source, file, options);
    isWhole();
  });

  it('does not ask again for what is not there, and says what to do by hand', async () => {
    answers = [status(404)];
    const message = await rejection(download(source, file, options));
    expect(message)
      .to.contain('404')
      .and.contain(`download ${source.url} (sha256 ${sha256}) and put it at ${file}`);
    expect(ranges.length).to.equal(1);
    expect(readdirSync(path.dirname(file))).to.deep.equal([]);
  });

  it('says what to do by hand where there is no network', async () => {
    const nowhere = { ...source, url: 'http://127.0.0.1:1/data.zip' };
    const message = await rejection(download(nowhere, file, options));
    expect(message)
      .to.match(/DataError: .*could not be fetched: (connect ECONNREFUSED|bad port)/)
      .and.contain('By hand: download http://127.0.0.1:1/data.zip');
    expect(existsSync(file)).to.equal(false);
  });

  it('gives up a connection that says nothing', async () => {
    answers = [() => {}];
    const message = await rejection(
      download(source, file, { ...options, attempts: 1, patience: 50 }),
    );
    expect(message).to.contain('no answer for 0.05 s');
  });

  it('gives up a connection that falls silent, and goes on later', async () => {
    answers = [
      (_, response) => {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 30_000));
      },
      ranged,
    ];
    await download(source, file, { ...options, patience: 100 });
    isWhole();
    expect(ranges[1]).to.equal('bytes=30000-');
  });

  it('does not replace another file of that name unless told to', async () => {
    answers = [whole];
    await download(source, file, options);
    writeFileSync(file, 'mine');
    expect(await rejection(download(source, file, options)))
      .to.contain('is another file')
      .and.contain('--force');
    expect(readFileSync(file, 'utf8')).to.equal('mine');
    await download(source, file, { ...options, force: true });
    isWhole();
  });

  it('fetches HetRec with its terms, in a form that readHetRec reads (skipped where ../shared/data is absent)', async function () {
    if (!existsSync(real)) this.skip();
    const zip = readFileSync(real);
    answers = [
      (_, response) => {
        response.writeHead(200, { 'content-length': zip.length });
        response.end(zip);
      },
    ];
    const printed: string[] = [];
    const local = {
      ...HETREC,
      url: source.url.replace('data.zip', path.basename(new URL(HETREC.url).pathname)),
    };
    const fetched = await fetchHetRec(path.join(dir, 'hetrec'), {
      print: (line) => printed.push(line),
      source: local,
    });
    expect((await readHetRec(path.dirname(fetched))).plays.length).to.equal(92_834);
    expect(printed.join('\n'))
      .to.contain('non-commercial')
      .and.contain('HetRec 2011')
      .and.contain('Cite')
      .and.contain('2,589,075 bytes');
  });
});

describe('npm run data -- hetrec', () => {
  it('is a command with --out and --force, and without --seed', () => {
    expect(parseArguments(['hetrec', '--out', 'x', '--force'])).to.include({
      what: 'hetrec',
      out: 'x',
      force: true,
    });
    expect(() => parseArguments(['hetrec', '--seed', '2'])).to.throw(
      ArgumentError,
      'leave --seed out',
    );
  });

  it('is content with a file that is there (skipped where ../shared/data is absent)', function (done) {
    if (!existsSync(real)) this.skip();
    const args = [
      '--import',
      'tsx',
      path.join(root, 'lib/synthetic/data.ts'),
      'hetrec',
      '--out',
      path.dirname(real),
    ];
    execFile(process.execPath, args, { cwd: root }, (error, stdout) => {
      expect(error).to.equal(null);
      expect(stdout).to.contain('non-commercial').and.contain('there already');
      done();
    });
  });
});
