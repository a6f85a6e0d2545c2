/** Compiles the native kernel: `npm run native`. */
import { buildNative, NativeError } from 'recital-native';
import { loadNative } from '../recital/compute/kernels.js';
import { complaint } from '../recital/data/files/atomic-write.js';

const { native: USAGE } = require('./usage.cjs') as { native: string };

/** Compiles and, to see that it works, loads the kernel. Returns what there is to say. */
export function run(): string {
  const { file, compiler } = buildNative();
  loadNative();
  return `Built ${file} with ${compiler}.\nUse it with setCompute({ native: true }), or RECITAL_NATIVE=1 in the environment.`;
}

if (process.argv[1] === __filename) {
  const args = process.argv.slice(2);
  if (args.length) {
    process.stderr.write(
      `npm run native takes no arguments, got "${args.join(' ')}".\n\n${USAGE}\n`,
    );
    process.exitCode = 2;
  } else {
    try {
      process.stdout.write(`${run()}\n`);
    } catch (error) {
      const said = error instanceof NativeError ? error.message : complaint(error);
      if (said === undefined) throw error;
      process.stderr.write(`${said}\n`);
      process.exitCode = 1;
    }
  }
}
