import path from 'node:path';
import { RecitalError } from '../../../lib/recital/errors.js';
import { median } from './figures.js';
import { quiet } from './machine.js';
import { measure, type Result } from './process.js';

/** Something that is measured: a program that reports one result. */
export interface Contender {
  /** How tables and figures call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** Whether the others go on without it when it fails: true for peers. */
  readonly optional?: boolean;
}

/** A program of test/bench/workers, run by this Node. */
export function worker(
  name: string,
  file: string,
  args: readonly (string | number)[],
  env: Record<string, string> = {},
): Contender {
  return {
    name,
    command: process.execPath,
    args: ['--import', 'tsx', path.join(__dirname, '..', 'workers', file), ...args.map(String)],
    env,
  };
}

/** A program of test/bench/peers, run by a Python. */
export function peer(
  name: string,
  python: string,
  file: string,
  args: readonly (string | number)[],
  env: Record<string, string> = {},
): Contender {
  return {
    name,
    command: python,
    args: ['-W', 'ignore', path.join(__dirname, '..', 'peers', file), ...args.map(String)],
    env,
    optional: true,
  };
}

/** Results with more cores than this used by others count as disturbed. */
export const DISTURBED = 0.2;

/** The runs of a contender that count. */
export class Runs {
  constructor(
    readonly name: string,
    readonly results: readonly Result[],
  ) {}

  /** What the runs reported under a name. */
  values(name: string): number[] {
    return this.results.map((r) => r.values[name]);
  }

  median(name: string): number {
    return median(this.values(name));
  }

  /** The largest peak memory of a run, in megabytes. */
  get peakMB(): number {
    return Math.max(...this.values('peakMB'));
  }

  /** Cores that others used, in the median run. */
  get others(): number {
    return median(this.results.map((r) => r.others));
  }
}

/**
 * Measures contenders in turn, `runs` times round, so that a machine that slows down does so for
 * all of them. Runs during which others used the machine are repeated in `retries` further rounds
 * at most; then the least disturbed count.
 * @param options.retries default 1
 * @param options.quietS seconds to wait for a quiet machine before each run, at most
 * @param options.run measures one: for tests
 * @returns the runs in the order of the contenders, without peers that failed
 * @throws RecitalError when one of ours fails
 */
export async function alternate(
  contenders: readonly Contender[],
  {
    runs,
    retries = 1,
    quietS = 0,
    run = measure,
  }: { runs: number; retries?: number; quietS?: number; run?: typeof measure },
): Promise<Runs[]> {
  const all = contenders.map((): Result[] => []);
  const failed = new Set<Contender>();
  const good = (results: Result[]): number => results.filter((r) => r.others <= DISTURBED).length;
  for (let round = 0; round < runs + retries; round++) {
    for (const [i, contender] of contenders.entries()) {
      if (failed.has(contender) || (round >= runs && good(all[i]) >= runs)) continue;
      await quiet(quietS);
      try {
        all[i].push(await run(contender.command, contender.args, { env: contender.env }));
      } catch (error) {
        if (!contender.optional || !(error instanceof RecitalError)) throw error;
        console.log(`${contender.name} is left out, because it failed. ${error.message}`);
        failed.add(contender);
      }
    }
  }
  return contenders.flatMap((contender, i) => {
    const results = all[i].sort((a, b) => a.others - b.others).slice(0, runs);
    return failed.has(contender) ? [] : [new Runs(contender.name, results)];
  });
}
