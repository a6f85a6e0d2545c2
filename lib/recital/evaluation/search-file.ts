import { readFileSync } from 'node:fs';
import { writeAtomically } from '../data/files/atomic-write.js';
import { isFile } from '../data/files/text-file.js';
import { DataError } from '../errors.js';

/**
 * One training of a search.
 * @example
 * const found = await search(({ factors }, { train }) => ALS.fit(train, { factors }), { factors: [4, 8] }, { split, trials: 2 });
 * found.trials.map((trial) => trial.score);
 */
export interface SearchTrial {
  /** Its number, from 0: which settings were drawn. */
  readonly trial: number;
  /** What it was given of the budget; null without one. */
  readonly budget: number | null;
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** The metric on validation; null if it failed. */
  readonly score: number | null;
  readonly seconds: number;
  /** Why it failed. */
  readonly error?: string;
}

/** What must be the same for trials to be of one search. */
export type SearchIdentity = Readonly<Record<'space' | 'metric' | 'seed' | 'split', unknown>>;

/**
 * The trials of a results file that are done; none if there is no file. Failed ones are left out:
 * they are tried again.
 * @throws DataError for a file of something else, and for one of another search, naming what
 *   differs
 */
export function readTrials(file: string, identity: SearchIdentity): SearchTrial[] {
  if (!isFile(file)) return [];
  let content: { search?: Record<string, unknown>; trials?: unknown };
  try {
    content = JSON.parse(readFileSync(file, 'utf8')) as typeof content;
  } catch (error) {
    throw new DataError(
      `"${file}" is not the results file of a search: ${(error as Error).message}. Choose another file, or delete this one.`,
    );
  }
  const { search, trials } = content ?? {};
  if (
    typeof search !== 'object' ||
    search === null ||
    !Array.isArray(trials) ||
    !trials.every(isTrial)
  ) {
    throw new DataError(
      `"${file}" is not the results file of a search. Choose another file, or delete this one.`,
    );
  }
  for (const [name, value] of Object.entries(identity)) {
    const [here, there] = [JSON.stringify(value), JSON.stringify(search[name])];
    if (here !== there)
      throw new DataError(
        `"${file}" is of another search: its ${name} is ${there}, here it is ${here}. Choose another file for this search.`,
      );
  }
  return trials.filter(({ score }) => score !== null);
}

/** Writes all trials, as a whole or not at all. */
export function writeTrials(
  file: string,
  identity: SearchIdentity,
  trials: readonly SearchTrial[],
): void {
  const lines = trials.map((trial) => JSON.stringify(trial)).join(',\n  ');
  writeAtomically(file, [
    Buffer.from(`{\n "search": ${JSON.stringify(identity)},\n "trials": [\n  ${lines}\n ]\n}\n`),
  ]);
}

function isTrial(value: unknown): value is SearchTrial {
  const { trial, budget, settings, score, seconds } = (value ?? {}) as SearchTrial;
  return (
    Number.isInteger(trial) &&
    (budget === null || Number.isFinite(budget)) &&
    typeof settings === 'object' &&
    settings !== null &&
    (score === null || Number.isFinite(score)) &&
    Number.isFinite(seconds)
  );
}
