import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { CollabDataLoaders } from '../../lib/recital/data/collab.js';
import { readHetRec } from '../../lib/recital/data/files/hetrec.js';
import { readPlays, readTracks } from '../../lib/recital/data/files/read-plays.js';
import { readTable } from '../../lib/recital/data/files/read-table.js';
import {
  readSafetensors,
  type Tensor,
  writeSafetensors,
} from '../../lib/recital/data/files/safetensors.js';
import { readSessions } from '../../lib/recital/data/sessions.js';
import { DataError } from '../../lib/recital/errors.js';
import { TemporaryFolder } from '../recital/data/temporary.js';
import {
  answered,
  anything,
  asked,
  askedLater,
  expectFinite,
  mostly,
  numbers,
  runs,
  texts,
} from '../support/hostile.js';

const readers: ((file: string) => Promise<unknown>)[] = [
  (file) => readTable(file),
  (file) => readTracks(file),
  (file) => readPlays(file),
  (file) => readSessions(file),
  (file) => readHetRec(file),
  (file) => CollabDataLoaders.fromCsv(file),
];

describe('hostile files', () => {
  const folder = new TemporaryFolder();

  it('paths of any kind are refused, if they lead nowhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...readers), texts, anything, async (read, name, wrong) => {
        const nowhere = await askedLater(() => read(path.join(folder.path, 'nowhere', name)));
        if ('value' in nowhere) expect.fail(name);
        await askedLater(() => read(wrong as string));
        asked(() => readSafetensors(name));
        asked(() => readSafetensors(wrong as string));
      }),
      runs(100),
    );
  });

  it('tables of any content: a table, or an error that names the file', async () => {
    const field = mostly(
      ['u1', 'u2', 't1', '3', '1.5', '"a, b"'],
      fc.oneof(texts, fc.constantFrom('"', '""', '\r', '1e999', '-5', 'nan', '\t', ';;')),
    );
    const header = fc.constantFrom(
      'user_id,track_id,playcount',
      'track_id,user_id,playcount',
      'track_id,name,artist',
      'a\tb\tc',
      '',
      '__proto__,constructor,x',
      'a,a,b',
      '\ufeffuser_id,track_id,playcount',
    );
    const line = fc.array(field, { minLength: 1, maxLength: 4 }).map((fields) => fields.join(','));
    let n = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...readers),
        header,
        fc.array(line, { maxLength: 4 }),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('csv', 'txt', 'csv.gz', 'parquet'),
        async (read, head, lines, end, extension) => {
          const name = `${n++ % 7}.${extension}`;
          const file = folder.write(name, [head, ...lines, ''].join(end));
          const answer = await askedLater(() => read(file));
          if ('error' in answer && answer.error instanceof DataError)
            expect(answer.error.message).to.match(
              /[0-6]\.(csv|txt|parquet)|row|rows|rating|column/i,
            );
          const again = await askedLater(() =>
            readPlays(file, {
              columns: { user: 0, track: 1, playcount: 2 },
              header: lines.length % 2 === 0,
              cache: false,
            }),
          );
          answered(again, (plays) => {
            expectFinite(plays.playcount);
            expect(plays.playcount.every((c) => c > 0)).to.equal(true);
          });
        },
      ),
      runs(60),
    );
  });

  it('tensors of any name, shape and values come back as they went, or are refused and leave no file', () => {
    const data = fc.oneof(
      fc.array(numbers, { maxLength: 6 }).map((v) => Float64Array.from(v)),
      fc.array(numbers, { maxLength: 6 }).map((v) => Float32Array.from(v)),
      fc.array(numbers, { maxLength: 6 }).map((v) => Int8Array.from(v)),
    );
    const shaped = fc.oneof(
      { weight: 4, arbitrary: data.map((d): Tensor => ({ shape: [d.length], data: d })) },
      { weight: 1, arbitrary: fc.record({ shape: fc.array(numbers, { maxLength: 3 }), data }) },
    );
    const bag = fc.array(fc.tuple(mostly(['a', 'b'], texts), shaped), { maxLength: 3 });
    fc.assert(
      fc.property(
        bag,
        fc.array(fc.tuple(texts, texts), { maxLength: 2 }),
        anything,
        (tensors, metadata, wrong) => {
          const file = path.join(folder.path, 'tensors.safetensors');
          const wanted = new Map(tensors);
          answered(
            asked(() => writeSafetensors(file, wanted, { metadata: Object.fromEntries(metadata) })),
            () => {
              const read = readSafetensors(file);
              expect([...read.tensors.keys()].sort()).to.deep.equal([...wanted.keys()].sort());
              for (const [name, { data: values }] of wanted)
                expect(read.tensors.get(name)!.data).to.deep.equal(values);
              expect(read.metadata).to.deep.equal(Object.fromEntries(metadata));
            },
          );
          asked(() => writeSafetensors(file, { a: wrong as Tensor }));
          asked(() =>
            writeSafetensors(file, { a: { shape: wrong as number[], data: new Float32Array(1) } }),
          );
          if (typeof wrong !== 'string')
            asked(() => writeSafetensors(wrong as unknown as string, {}));
          asked(() => writeSafetensors(file, wrong as Record<string, Tensor>));
        },
      ),
      runs(150),
    );
    const left = readdirSync(folder.path).filter((name) => name.endsWith('.tmp'));
    expect(left).to.deep.equal([]);
  });
});
