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

const USAGE = `Usage: npm run data -- WHAT [--out DIR] [--seed N] [--force]

Synthetic data with the file names and columns of Kaggle's "Million Song Dataset + Spotify + Last.fm":
  sample      4,000 users, 3,000 tracks heard of 4,000, 42,000 plays: what data/sample holds
  paper       10,000 users, 15,676 tracks heard of 50,683, 103,827 plays: the size of the paper's experiments
  full        962,037 users, 30,459 tracks heard of 50,683, 9,711,301 plays: the size of the whole dataset (600 MB)
Listening histories of the benchmarks, without track data:
  bench       10,000 users, 15,676 tracks, 649,484 plays
  bench-big   962,037 users, 30,459 tracks, 9,702,851 plays (602 MB)

  --out DIR   where to write; data/WHAT when left out
  --seed N    an integer; 1 when left out. The same seed gives the same bytes
  --force     replace files that are there
`;

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

if (require.main === module) {
  try {
    const args = process.argv.slice(2);
    if (args.includes('--help') || args.includes('-h')) process.stdout.write(USAGE);
    else {
      for (const { path: file, rows, bytes, sha256 } of run(parseArguments(args))) {
        process.stdout.write(
          `${path.relative(process.cwd(), file)}: ${rows.toLocaleString('en')} rows, ${bytes.toLocaleString('en')} bytes, sha256 ${sha256}\n`,
        );
      }
    }
  } catch (error) {
    if (!(error instanceof RecitalError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
