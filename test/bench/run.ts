/**
 * Runs the benchmarks: `npm run bench -- NAME … [options]`, all of them without a name. Options go
 * to each; `npm run bench -- NAME --help` lists them.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { RecitalError, UnknownIdError } from '../../lib/recital/errors.js';
import { machine } from './support/machine.js';

/** The benchmarks: the files beside this one. */
export function benchmarkNames(): string[] {
  return readdirSync(__dirname)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'run.ts')
    .map((file) => file.slice(0, -3))
    .sort();
}

/**
 * Parts the arguments into names, which come first, and the options after them.
 * @throws UnknownIdError for a name that is not a benchmark's
 */
export function parseArguments(
  args: readonly string[],
  known: readonly string[] = benchmarkNames(),
): { names: string[]; options: string[] } {
  const end = args.findIndex((arg) => arg.startsWith('-'));
  const names = args.slice(0, end < 0 ? args.length : end);
  for (const name of names)
    if (!known.includes(name))
      throw new UnknownIdError('benchmark', name, known, `Known: ${known.join(', ')}.`);
  return {
    names: names.length ? [...new Set(names)] : [...known],
    options: end < 0 ? [] : args.slice(end),
  };
}

/**
 * Runs benchmarks one after the other, each in a process of its own, so that its peak memory is its
 * own. Returns the names of those that failed.
 */
export function run(names: readonly string[], options: readonly string[]): string[] {
  return names.filter((name, i) => {
    if (i > 0) console.log();
    const args = ['--import', 'tsx', path.join(__dirname, `${name}.ts`), ...options];
    return spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0;
  });
}

if (require.main === module) {
  try {
    const { names, options } = parseArguments(process.argv.slice(2));
    console.log(`${machine()}\n`);
    const failed = run(names, options);
    if (failed.length) {
      console.error(`\nFailed: ${failed.join(', ')}.`);
      process.exitCode = 1;
    }
  } catch (error) {
    if (!(error instanceof RecitalError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
