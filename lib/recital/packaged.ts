// What lies beside the sources in the checkout, and inside the module in the package (pack.mjs
// writes this file anew for it): the compiled kernels, the program of a compute thread, the version.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecitalError } from './errors.js';

/** The bytes of a WebAssembly build. */
export function wasmBytes(name: 'reproducible' | 'fast'): Uint8Array<ArrayBuffer> {
  const file = join(__dirname, 'compute', 'build', `${name}.wasm`);
  if (!existsSync(file))
    throw new RecitalError(
      `The compiled kernels are missing (${file}). Run \`npm run prepare\` in the project's folder.`,
    );
  return new Uint8Array(readFileSync(file));
}

/** The program of a compute thread. */
export function threadProgram(): string {
  return readFileSync(join(__dirname, 'compute', 'worker.cjs'), 'utf8');
}

/** The library's version. */
export function version(): string {
  return JSON.parse(readFileSync(join(__dirname, 'package.json'), 'utf8')).version;
}
