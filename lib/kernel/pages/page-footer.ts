import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { locatePlays } from '../../recital/data/files/read-plays.js';
import { escapeHtml } from '../../recital/display/escape.js';

const root = resolve(__dirname, '../../..');

/** What is known of the run that made a page. */
export interface PageRun {
  /** Of the notebook. */
  name: string;
  /** How long it took. */
  seconds?: number;
  /** Folder of the data that it read. */
  data?: string;
  /** When it ended. Default: now. */
  date?: Date;
}

/** The last lines of a page: which notebook, when, with which data and versions. */
export function pageFooter({ name, seconds, data, date = new Date() }: PageRun): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const time = seconds === undefined ? '' : ` in ${seconds.toFixed(1)} s`;
  const run = `${name}.ipynb, run${time} on ${date.toISOString().slice(0, 10)} by recital ${version} and Node ${process.versions.node}.`;
  return escapeHtml(data === undefined ? run : `${run} Data: ${dataName(data)}.`);
}

/**
 * The data that a notebook finds in a folder, in words: the sample, where there is nothing else.
 * Paths are given from the checkout.
 */
export function dataName(folder: string): string {
  const shown = (path: string): string => relative(root, path) || '.';
  let found: string;
  try {
    found = dirname(locatePlays(folder).path);
  } catch {
    return shown(folder); // no plays: the notebook has said so, or reads something else
  }
  return resolve(found) === join(root, 'data', 'sample')
    ? 'the synthetic sample (data/sample)'
    : shown(found);
}
