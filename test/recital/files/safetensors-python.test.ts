import path from 'node:path';
import { expect } from 'chai';
import { CollabDataLoaders } from '../../../lib/recital/data/collab.js';
import {
  readSafetensors,
  type Tensor,
  writeSafetensors,
} from '../../../lib/recital/data/files/safetensors.js';
import { collabLearner } from '../../../lib/recital/recommend/learners/collab.js';
import { python, pythonHas, runPython } from '../../support/python.js';
import { TemporaryFolder } from '../data/temporary.js';
import { smallPlays } from '../recommend/contract.js';

const READ = `
import sys, json
from safetensors import safe_open
out = {}
with safe_open(sys.argv[1], framework='numpy') as f:
    for name in f.keys():
        t = f.get_tensor(name)
        out[name] = {'dtype': str(t.dtype), 'shape': list(t.shape), 'values': [float(x).hex() for x in t.flatten()]}
    print(json.dumps({'tensors': out, 'metadata': f.metadata()}))
`;

const WRITE = `
import sys, json
import numpy as np
from safetensors.numpy import save_file
tensors = {
    'f32': np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3), 'f64': np.array(np.pi), 'i32': np.arange(-2, 3, dtype=np.int32),
    'u32': np.array([0, 2**32 - 1], dtype=np.uint32), 'u8': np.arange(3, dtype=np.uint8), 'i8': np.array([[-128]], dtype=np.int8),
    'u16': np.array([65535], dtype=np.uint16), 'i16': np.array([-32768], dtype=np.int16), 'empty': np.zeros((0, 4), dtype=np.float32),
}
save_file(tensors, sys.argv[1], metadata={'from': 'Python \\u00e4 \\U0001f3b5', '"': '\\\\'})
print(json.dumps({name: {'shape': list(t.shape), 'values': [float(x) for x in t.flatten()]} for name, t in tensors.items()}))
`;

interface Read {
  tensors: Record<string, { dtype: string; shape: number[]; values: string[] }>;
  metadata: Record<string, string>;
}

const dtypes: Record<string, string> = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  Uint32Array: 'uint32',
  Int32Array: 'int32',
  Uint16Array: 'uint16',
  Int16Array: 'int16',
  Uint8Array: 'uint8',
  Int8Array: 'int8',
};

/** The number that Python's float.hex() writes. */
function fromHex(text: string): number {
  if (text === 'nan') return NaN;
  const [, sign, whole, fraction, exponent] = /^(-?)0x([01])(?:\.([0-9a-f]+))?p([+-]\d+)$/.exec(
    text,
  )!;
  const mantissa = BigInt(`0x${whole}${fraction ?? ''}`);
  return (sign ? -1 : 1) * Number(mantissa) * 2 ** (Number(exponent) - 4 * (fraction ?? '').length);
}

describe(`Python's safetensors package (skipped where ${python} does not have it; PEER_PYTHON names another Python)`, () => {
  const folder = new TemporaryFolder();
  before(function () {
    if (!pythonHas('safetensors', 'numpy')) this.skip();
  });

  function expectSame(file: string): void {
    const { tensors, metadata } = readSafetensors(file);
    const read = runPython(READ, [file]) as Read;
    expect(read.metadata).to.deep.equal(metadata);
    expect(Object.keys(read.tensors).sort()).to.deep.equal([...tensors.keys()].sort());
    for (const [name, { shape, data }] of tensors) {
      const theirs = read.tensors[name];
      expect(theirs.shape, name).to.deep.equal(shape);
      expect(theirs.dtype, name).to.equal(dtypes[data.constructor.name]);
      expect(theirs.values.map(fromHex), name).to.deep.equal(Array.from(data));
    }
  }

  it('reads a checkpoint and an exported learner: names, shapes, kinds, values and metadata', async () => {
    const learn = collabLearner(CollabDataLoaders.fromPlays(smallPlays(), { bs: 16 }), {
      nFactors: 4,
      path: folder.path,
    });
    await learn.fit(2, 0.01);
    expectSame(learn.save('checkpoint'));
    expectSame(learn.export('learner'));
  });

  it('reads every kind of number that is written, single numbers and empty tensors', () => {
    const file = path.join(folder.path, 'kinds.safetensors');
    const tensors: Record<string, Tensor> = {
      f64: { shape: [3], data: Float64Array.of(Math.PI, -0, 5e-324) },
      f32: { shape: [1, 2], data: Float32Array.of(1e-45, -3.4e38) },
      u32: { shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
      i32: { shape: [], data: Int32Array.of(-(2 ** 31)) },
      u16: { shape: [1], data: Uint16Array.of(65535) },
      i16: { shape: [1], data: Int16Array.of(-32768) },
      u8: { shape: [3, 1], data: Uint8Array.of(0, 128, 255) },
      i8: { shape: [0, 7], data: new Int8Array(0) },
    };
    writeSafetensors(file, tensors, { metadata: { 'Schlüssel "1"': 'a\\b\n\u{1f3b5}' } });
    expectSame(file);
    writeSafetensors(file, { one: { shape: [1], data: Float32Array.of(1) } });
    expect((runPython(READ, [file]) as Read).tensors.one.values).to.deep.equal([
      '0x1.0000000000000p+0',
    ]);
  });

  it('writes what can be read', () => {
    const file = path.join(folder.path, 'python.safetensors');
    const theirs = runPython(WRITE, [file]) as Record<
      string,
      { shape: number[]; values: number[] }
    >;
    const { tensors, metadata } = readSafetensors(file);
    expect(metadata).to.deep.equal({ from: 'Python ä \u{1f3b5}', '"': '\\' });
    expect([...tensors.keys()].sort()).to.deep.equal(Object.keys(theirs).sort());
    for (const [name, { shape, values }] of Object.entries(theirs)) {
      expect(tensors.get(name)!.shape, name).to.deep.equal(shape);
      expect(Array.from(tensors.get(name)!.data), name).to.deep.equal(values);
    }
  });
});
