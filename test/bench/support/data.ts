import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BENCHES, writeBench } from '../../../lib/synthetic/bench.js';
import { LISTENING_HISTORY } from '../../../lib/synthetic/kaggle.js';

const ROOT = path.resolve(__dirname, '../../..');

/**
 * The listening history of the benchmarks, in data/NAME, where `npm run data -- NAME` puts it too;
 * made if it is not there.
 */
export function benchFile(name: keyof typeof BENCHES): string {
  const dir = path.join(ROOT, 'data', name);
  const file = path.join(dir, LISTENING_HISTORY);
  if (!existsSync(file)) {
    console.log(`Making ${path.relative(process.cwd(), file)} …`);
    writeBench(BENCHES[name], dir);
  }
  return file;
}

/**
 * Runs `work` with a new folder for what programs hand to each other, and removes it afterwards.
 */
export async function withFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), 'recital-bench-'));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The bytes of a typed array, to write to a file. */
export function bytes({
  buffer,
  byteOffset,
  byteLength,
}: Int32Array | Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
