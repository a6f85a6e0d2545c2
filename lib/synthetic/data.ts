/**
 * Makes synthetic data, or fetches public ones:
 * `npm run data -- paper|full|sample|bench|bench-big|hetrec [--out DIR] [--seed N] [--force]`.
 */
import path from 'node:path';
import { complaint } from '../recital/data/files/atomic-write.js';
import { ArgumentError } from '../recital/errors.js';
import { BENCHES, writeBench } from './bench.js';
import { fetchHetRec } from './download.js';
import { SIZES, writeKaggle } from './kaggle.js';
import type { Written } from './write.js';

const ROOT = path.resolve(__dirname, '../..');

const { data: USAGE } = require('../kernel/usage.cjs') as { data: string };

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
  if (options.what === 'hetrec' && args.includes('--seed'))
    throw new ArgumentError('hetrec is not drawn at random: leave --seed out.');
  if (
    !Object.hasOwn(SIZES, options.what) &&
    !Object.hasOwn(BENCHES, options.what) &&
    options.what !== 'hetrec'
  ) {
    throw new ArgumentError(
      `${options.what === '' ? 'Which data?' : `There is no data called "${options.what}".`}\n\n${USAGE}`,
    );
  }
  return options;
}

function folderOf({ what, out }: Options): string {
  return out === undefined ? path.join(ROOT, 'data', what) : path.resolve(out);
}

/** Makes synthetic data and returns what was written. */
export function run(options: Options): Written[] {
  const { what, seed, force } = options;
  const dir = folderOf(options);
  if (Object.hasOwn(SIZES, what))
    return writeKaggle(SIZES[what as keyof typeof SIZES], dir, { seed, force });
  return [writeBench(BENCHES[what as keyof typeof BENCHES], dir, { seed, force })];
}

async function main(args: readonly string[]): Promise<void> {
  let code = 2;
  try {
    if (args.includes('--help') || args.includes('-h')) {
      process.stdout.write(`${USAGE}\n`);
      return;
    }
    const options = parseArguments(args);
    code = 1;
    if (options.what === 'hetrec') {
      await fetchHetRec(folderOf(options), {
        force: options.force,
        print: (line) => process.stdout.write(`${line}\n`),
      });
      return;
    }
    for (const { path: file, rows, bytes, sha256 } of run(options)) {
      process.stdout.write(
        `${path.relative(process.cwd(), file)}: ${rows.toLocaleString('en')} rows, ${bytes.toLocaleString('en')} bytes, sha256 ${sha256}\n`,
      );
    }
  } catch (error) {
    const said = complaint(error);
    if (said === undefined) throw error;
    process.stderr.write(`${said}\n`);
    process.exitCode = code;
  }
}

if (process.argv[1] === __filename) void main(process.argv.slice(2));
