// Fifty components by this library, in a process of its own: DIR BUILD REPEATS pca|svd (threads:
// the environment variable RECITAL_THREADS).
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setCompute } from '../../../lib/recital/compute/threads.js';
import type { CsrLike } from '../../../lib/recital/data/csr.js';
import { PCA } from '../../../lib/recital/decomposition/pca.js';
import { TruncatedSVD } from '../../../lib/recital/decomposition/truncated-svd.js';
import { median } from '../support/figures.js';
import { report } from '../support/process.js';

async function run([dir, build, repeats, which]: string[]): Promise<void> {
  setCompute({ reproducible: build === 'reproducible' });
  const x = readMatrix(dir);
  const model = (): PCA | TruncatedSVD =>
    which === 'pca' ? new PCA({ nComponents: 50 }) : new TruncatedSVD({ nComponents: 50 });
  const seconds: number[] = [];
  let squares = new Float64Array(0);
  for (let i = 0; i <= Number(repeats); i++) {
    const started = performance.now();
    const fitted = await model().fit(x);
    seconds.push((performance.now() - started) / 1000);
    squares = fitted.singularValues.map((s) => s ** 2);
  }
  const file = path.join(dir, `${which}.f64`);
  const exact = existsSync(file) ? numbers(file) : squares;
  const error = Math.max(...Array.from(squares, (s, i) => Math.abs(s / exact[i] - 1)));
  report({ firstS: seconds[0], fitS: median(seconds.slice(1)), error });
}

function readMatrix(dir: string): CsrLike {
  const integers = (name: string): Int32Array => new Int32Array(aligned(path.join(dir, name)));
  const [rows, columns] = integers('shape.i32');
  return {
    shape: [rows, columns],
    indptr: integers('indptr.i32'),
    indices: integers('indices.i32'),
    data: numbers(path.join(dir, 'data.f64')),
  };
}

function numbers(file: string): Float64Array {
  return new Float64Array(aligned(file));
}

function aligned(file: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

void run(process.argv.slice(2));
