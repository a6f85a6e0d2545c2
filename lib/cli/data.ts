/**
 * Makes synthetic data: `npm run data -- paper|full|sample|bench|bench-big [--out DIR] [--seed N] [--force]`.
 */
import path from 'node:path';
import { ArgumentError, RecitalError } from '../errors.js';
import { BENCHES, writeBench } from './generate/bench.js';
import { writeKaggle } from './generate/kaggle.js';
import { SIZES } from './generate/sizes.js';
import type { Written } from './generate/write.js';

const ROOT = path.resolve(__dirname, '../..');

const { data: USAGE } = require('./usage.cjs') as { data: string };

interface Options {
  what: string;
  out?: string;
  seed: number;
  force: boolean;
}

/** Reads the arguments after `npm run data --`. */
export function parseArguments(args: readonly string[]): Options {
  const options: Options = { what: '', seed: 1, force: false };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--force') options.force = true;
    else if (arg === '--out' || arg === '--seed') {
      const value = args[++i];
      if (value === undefined) throw new ArgumentError(`${arg} needs a value.\n\n${USAGE}`);
      if (arg === '--out') options.out = value;
      else if (/^-?\d{1,15}$/.test(value)) options.seed = Number(value);
      else throw new ArgumentError(`--seed needs an integer, got "${value}".`);
    } else if (options.what === '' && !arg.startsWith('-')) options.what = arg;
    else throw new ArgumentError(`What does "${arg}" mean?\n\n${USAGE}`);
  }
  if (!Object.hasOwn(SIZES, options.what) && !Object.hasOwn(BENCHES, options.what)) {
    throw new ArgumentError(`${options.what === '' ? 'Which data?' : `There is no data called "${options.what}".`}\n\n${USAGE}`);
  }
  return options;
}

/** Runs the command and returns what it wrote. */
export function run({ what, out, seed, force }: Options): Written[] {
  const dir = out === undefined ? path.join(ROOT, 'data', what) : path.resolve(out);
  if (Object.hasOwn(SIZES, what)) return writeKaggle(SIZES[what as keyof typeof SIZES], dir, { seed, force });
  return [writeBench(BENCHES[what as keyof typeof BENCHES], dir, { seed, force })];
}

if (process.argv[1] === __filename) {
  let code = 2;
  try {
    const args = process.argv.slice(2);
    if (args.includes('--help') || args.includes('-h')) process.stdout.write(`${USAGE}\n`);
    else {
      const options = parseArguments(args);
      code = 1;
      for (const { path: file, rows, bytes, sha256 } of run(options)) {
        process.stdout.write(
          `${path.relative(process.cwd(), file)}: ${rows.toLocaleString('en')} rows, ${bytes.toLocaleString('en')} bytes, sha256 ${sha256}\n`,
        );
      }
    }
  } catch (error) {
    if (!(error instanceof RecitalError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = code;
  }
}
