import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  openSafetensors,
  parseHeader,
  readSafetensors,
  type Tensor,
  type TensorData,
  writeSafetensors,
} from '../../../../lib/recital/data/files/safetensors.js';
import { ArgumentError, DataError } from '../../../../lib/recital/errors.js';
import { TemporaryFolder } from '../temporary.js';

/** A file from its parts: the header as text, and the data. */
function container(header: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

const tensor = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

describe('safetensors', () => {
  const folder = new TemporaryFolder();
  const at = (name: string): string => path.join(folder.path, name);
  const reading = (content: Uint8Array) => () =>
    readSafetensors(folder.write('read.safetensors', content));

  it('lays a file out as the format says, to the byte', () => {
    const file = at('bytes.safetensors');
    writeSafetensors(
      file,
      {
        a: { shape: [2], data: Uint8Array.of(7, 8) },
        b: { shape: [1, 1], data: Float32Array.of(1) },
      },
      { metadata: { k: 'v' } },
    );
    const header =
      '{"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8, ' ');
    expect(
      readFileSync(file).equals(container(padded, Buffer.of(0, 0, 0x80, 0x3f, 7, 8))),
    ).to.equal(true);
  });

  it('reads what it wrote, whatever the tensors (property)', () => {
    const file = at('round.safetensors');
    const arrays = fc.oneof(
      fc.float32Array({ maxLength: 9 }),
      fc.float64Array({ maxLength: 9 }),
      fc.int32Array({ maxLength: 9 }),
      fc.uint32Array({ maxLength: 9 }),
      fc.int16Array({ maxLength: 9 }),
      fc.uint16Array({ maxLength: 9 }),
      fc.int8Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
    );
    const name = fc.string({ unit: 'grapheme' }).filter((s) => s !== '__metadata__');
    const tensors = fc.dictionary(name, arrays, { maxKeys: 6 });
    const metadata = fc.dictionary(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(tensors, metadata, (data, texts) => {
        const written = new Map<string, Tensor>(
          Object.entries(data).map(([key, values], i) => [
            key,
            { shape: i % 2 ? [1, values.length] : [values.length], data: values as TensorData },
          ]),
        );
        writeSafetensors(file, written, { metadata: texts });
        const read = readSafetensors(file);
        expect(read.metadata).to.deep.equal({ ...texts });
        expect([...read.tensors.keys()].sort()).to.deep.equal([...written.keys()].sort());
        for (const [key, { shape, data: values }] of written) {
          const back = read.tensors.get(key)!;
          expect(back.shape).to.deep.equal(shape);
          expect(back.data.constructor).to.equal(values.constructor);
          expect(
            Buffer.from(back.data.buffer).equals(
              Buffer.from(values.buffer, values.byteOffset, values.byteLength),
            ),
          ).to.equal(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps single numbers, empty tensors, files without tensors, and names that objects have', () => {
    const file = at('odd.safetensors');
    const odd = new Map<string, Tensor>([
      ['__proto__', { shape: [], data: Float64Array.of(0.1) }],
      ['empty', { shape: [0, 5], data: new Int32Array(0) }],
      ['1', { shape: [1], data: Int8Array.of(-1) }],
    ]);
    writeSafetensors(file, odd, { metadata: Object.fromEntries([['__proto__', 'p']]) });
    const { tensors, metadata } = readSafetensors(file);
    expect(Object.entries(metadata)).to.deep.equal([['__proto__', 'p']]);
    expect(new Map(tensors)).to.deep.equal(odd);
    writeSafetensors(file, {});
    expect(readSafetensors(file).tensors.size).to.equal(0);
  });

  it('reads one tensor of a file, of the kind and shape that is expected', () => {
    const file = at('one.safetensors');
    writeSafetensors(file, {
      a: { shape: [3], data: Int32Array.of(1, 2, 3) },
      b: { shape: [2, 1], data: Float32Array.of(4, 5) },
    });
    expect([...openSafetensors(file, (st) => st.read('b', 'F32', [2, 1]))]).to.deep.equal([4, 5]);
    expect(() => openSafetensors(file, (st) => st.read('a', 'F32'))).to.throw(
      DataError,
      'one.safetensors": tensor "a" is I32 of shape [3]; F32 was expected',
    );
    expect(() => openSafetensors(file, (st) => st.read('b', 'F32', [1, 2]))).to.throw(
      DataError,
      'F32 of shape [2, 1]; F32 of shape [1, 2] was expected',
    );
    expect(() => openSafetensors(file, (st) => st.read('c', 'U8'))).to.throw(
      DataError,
      'no tensor "c"',
    );
  });

  it('refuses to write what the format cannot hold', () => {
    const file = at('never.safetensors');
    const data = new Float32Array(6);
    for (const shape of [[5], [2, 2], [-2, -3], [1.5, 4], []]) {
      expect(() => writeSafetensors(file, { a: { shape, data } })).to.throw(
        ArgumentError,
        'does not fit its 6 values',
      );
    }
    expect(() =>
      writeSafetensors(file, { a: { shape: [1], data: [1] as unknown as Float32Array } }),
    ).to.throw(ArgumentError, 'must be one of Float64Array');
    expect(() => writeSafetensors(file, { __metadata__: { shape: [6], data } })).to.throw(
      ArgumentError,
      'keeps that name',
    );
    expect(() => writeSafetensors(file, {}, { metadata: { n: 1 as unknown as string } })).to.throw(
      ArgumentError,
      '"n" is a number',
    );
    expect(() => writeSafetensors(file, {}, { metadata: { big: 'x'.repeat(1 << 24) } })).to.throw(
      ArgumentError,
      'put large texts into tensors',
    );
    expect(() => readSafetensors(file)).to.throw(DataError, 'There is no file');
  });

  it('names a file of another kind', () => {
    expect(reading(Buffer.from('PK\x03\x04 and more'))).to.throw(
      DataError,
      'not a safetensors file but a zip archive',
    );
    expect(
      reading(Buffer.from('\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}', 'latin1')),
    ).to.throw(DataError, 'but a Python pickle');
    expect(reading(gzipSync('text'))).to.throw(DataError, 'but a gzip file');
    expect(reading(Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'))).to.throw(DataError, 'but HDF5');
    expect(reading(Buffer.from('user_id,track_id\n1,2\n'))).to.throw(
      DataError,
      'not a safetensors file:',
    );
    expect(reading(Buffer.alloc(0))).to.throw(DataError, '0 bytes, too few');
    expect(() => readSafetensors(folder.path)).to.throw(DataError, 'is not a file');
    expect(() => readSafetensors('a\0b')).to.throw(DataError);
  });

  it('checks the length of the header before it takes memory for it', () => {
    const claims = (n: bigint): Buffer => {
      const file = Buffer.alloc(16, '{');
      file.writeBigUInt64LE(n);
      return file;
    };
    for (const n of [0n, 1n, BigInt(1 << 24) + 1n, 2n ** 63n, 2n ** 64n - 1n])
      expect(reading(claims(n))).to.throw(DataError, `${n} bytes; 2 to 16777216 are taken`);
    expect(reading(claims(9n))).to.throw(
      DataError,
      'a header of 9 bytes was expected, 8 are there',
    );
  });

  it('refuses headers that are not JSON of the one form that is allowed', () => {
    const bad: [string, string][] = [
      ['[]', 'does not begin with "{"'],
      [' {}', 'does not begin with "{"'],
      ['{} x', 'is not JSON'],
      ['{"a"}', 'is not JSON'],
      ['{"a":1}', 'its header.a should be an object, got 1'],
      [`{"a":${tensor('U8', '[0]', '[0,0]')},}`, 'is not JSON'],
      ['{"a', 'is not JSON'],
      ['{"a\\"', 'is not JSON'],
      ['{"\\x":1}', 'is not JSON'],
      ['{"a\nb":1}', 'is not JSON'],
      ['{"__metadata__":{"a":1}}', 'its header.__metadata__.a should be text, got 1'],
      ['{"__metadata__":null}', 'its header.__metadata__ should be an object, got null'],
      ['{"a":{"dtype":"U8","shape":[0]}}', 'data_offsets should be'],
      [`{"a":${tensor('U8', '[0]', '[0]')}}`, 'data_offsets should be two numbers, [begin, end]'],
      [`{"a":${tensor('U8', '[0]', '[0,0,0]')}}`, 'data_offsets should be two numbers'],
      ['{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"run":"me"}}', 'unknown field "run"'],
      [`{"a":${tensor('F16', '[0]', '[0,0]')}}`, 'dtype should be one of F64, F32,'],
      [`{"a":${tensor('toString', '[0]', '[0,0]')}}`, 'got "toString"'],
      [`{"a":${'['.repeat(100_000)}`, 'is not JSON'],
      [`{"__metadata__":${'{"a":'.repeat(100_000)}`, 'is not JSON'],
      [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'got a list of 1'],
      [`{"a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, 'unknown field "a"'],
      [
        `{"__metadata__":{"a":"${'x\\n'.repeat(1.5e6)}"},"a":1}`,
        'its header.a should be an object',
      ],
    ];
    for (const [header, message] of bad)
      expect(reading(container(header)), header.slice(0, 80)).to.throw(DataError, message);
    expect(
      reading(Buffer.concat([container('{}').subarray(0, 8), Buffer.of(0x7b, 0xff)])),
    ).to.throw(DataError, 'not UTF-8');
  });

  it('refuses equal names: of tensors, fields and metadata', () => {
    const one = tensor('U8', '[0]', '[0,0]');
    expect(reading(container(`{"a":${one},"b":${one},"a":${one}}`))).to.throw(
      DataError,
      'the name "a" twice',
    );
    expect(reading(container(`{"a":${one},"\\u0061":${one}}`))).to.throw(
      DataError,
      'the name "a" twice',
    );
    expect(reading(container('{"__metadata__":{"x":"1","x":"2"}}'))).to.throw(
      DataError,
      'the name "x" twice',
    );
    expect(reading(container('{"__metadata__":{},"__metadata__":{}}'))).to.throw(
      DataError,
      'twice',
    );
    expect(
      reading(container('{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}')),
    ).to.throw(DataError, 'the name "dtype" twice');
  });

  it('refuses numbers that are none, or too large', () => {
    for (const bad of [
      '-1',
      '1.0',
      '1e2',
      '01',
      '"1"',
      'null',
      '9007199254740992',
      '99999999999999999999',
      'NaN',
      '',
    ]) {
      expect(reading(container(`{"a":${tensor('U8', `[${bad}, 1]`, '[0,0]')}}`)), bad).to.throw(
        DataError,
        /whole numbers|is not JSON/,
      );
      expect(reading(container(`{"a":${tensor('U8', '[0]', `[${bad},0]`)}}`)), bad).to.throw(
        DataError,
        /whole numbers|is not JSON/,
      );
    }
    const huge = '9007199254740991';
    for (const shape of [`[${huge},2]`, `[${huge},${huge},${huge},0]`]) {
      expect(reading(container(`{"a":${tensor('F32', shape, '[0,0]')}}`))).to.throw(
        DataError,
        'an impossible shape',
      );
    }
    expect(reading(container(`{"a":${tensor('U8', `[${huge}]`, `[0,${huge}]`)}}`))).to.throw(
      DataError,
      'cut off: 9007199254740991 bytes of data were expected',
    );
  });

  it('refuses shapes that do not fit their bytes, and tensors with gaps, overlaps or bytes left over', () => {
    const two = (a: string, b: string, bytes: number) =>
      reading(container(`{"a":${a},"b":${b}}`, Buffer.alloc(bytes)));
    expect(two(tensor('F32', '[2]', '[0,4]'), tensor('U8', '[1]', '[4,5]'), 5)).to.throw(
      DataError,
      '8 bytes, but lies at bytes 0 to 4',
    );
    expect(two(tensor('U8', '[1]', '[2,1]'), tensor('U8', '[1]', '[0,1]'), 2)).to.throw(
      DataError,
      'lies at bytes 2 to 1',
    );
    expect(two(tensor('U8', '[2]', '[0,2]'), tensor('U8', '[2]', '[1,3]'), 3)).to.throw(
      DataError,
      'begins at byte 1 of the data; 2 was expected',
    );
    expect(two(tensor('U8', '[2]', '[0,2]'), tensor('U8', '[2]', '[0,2]'), 2)).to.throw(
      DataError,
      'begins at byte 0 of the data; 2 was expected',
    );
    expect(two(tensor('U8', '[1]', '[0,1]'), tensor('U8', '[1]', '[2,3]'), 3)).to.throw(
      DataError,
      'begins at byte 2 of the data; 1 was expected',
    );
    expect(two(tensor('U8', '[1]', '[1,2]'), tensor('U8', '[1]', '[2,3]'), 3)).to.throw(
      DataError,
      'begins at byte 1 of the data; 0 was expected',
    );
    expect(two(tensor('U8', '[1]', '[1,2]'), tensor('U8', '[1]', '[0,1]'), 3)).to.throw(
      DataError,
      '1 bytes follow',
    );
    expect(two(tensor('U8', '[1]', '[1,2]'), tensor('U8', '[1]', '[0,1]'), 1)).to.throw(
      DataError,
      'cut off: 2 bytes of data were expected, there are 1',
    );
    expect(two(tensor('U8', '[0,3]', '[1,1]'), tensor('U8', '[1]', '[0,1]'), 1)).to.not.throw();
  });

  it('reads tensors that another program has put in another order, without alignment', () => {
    const file = folder.write(
      'order.safetensors',
      container(
        `{ "b" : ${tensor('F32', '[1]', '[1, 5]')} ,\n"a":${tensor('U8', '[1]', '[0,1]')}}\n`,
        Buffer.of(9, 0, 0, 0x80, 0x3f),
      ),
    );
    const { tensors } = readSafetensors(file);
    expect([...tensors.get('b')!.data]).to.deep.equal([1]);
    expect([...tensors.get('a')!.data]).to.deep.equal([9]);
  });

  it('reads every header that JSON and the format allow as JSON.parse does (property)', () => {
    const texts = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 3 }), (metadata, indent) => {
        const header = JSON.stringify(
          { __metadata__: metadata, t: { dtype: 'U8', shape: [2, 3], data_offsets: [0, 6] } },
          null,
          indent,
        );
        const parsed = parseHeader(header, 6);
        expect(parsed.metadata).to.deep.equal(
          (JSON.parse(header) as { __metadata__: unknown }).__metadata__,
        );
        expect(parsed.tensors.get('t')).to.deep.equal({
          dtype: 'U8',
          shape: [2, 3],
          offsets: [0, 6],
        });
      }),
    );
  });

  it('answers any bytes with the tensors or a DataError (fuzz)', () => {
    const file = at('fuzz.safetensors');
    const outcome = (content: Uint8Array): void => {
      writeFileSync(file, content);
      try {
        readSafetensors(file);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), outcome), { numRuns: 100 });
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ maxLength: 8 }), (json, data) =>
        outcome(container(json, data)),
      ),
      { numRuns: 200 },
    );
    writeSafetensors(
      file,
      {
        one: { shape: [2], data: Float32Array.of(1, 2) },
        two: { shape: [3], data: Uint8Array.of(1, 2, 3) },
      },
      { metadata: { a: 'b' } },
    );
    const good = readFileSync(file);
    for (let n = 0; n < good.length; n++) {
      writeFileSync(file, good.subarray(0, n));
      expect(() => readSafetensors(file), `cut off after ${n} bytes`).to.throw(DataError);
    }
    const change = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bad = Buffer.from(good);
        for (const [i, byte] of changes) bad[i] = byte;
        outcome(bad);
      }),
      { numRuns: 500 },
    );
  });
});
