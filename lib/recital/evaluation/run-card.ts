import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setCompute } from '../compute/threads.js';
import { fingerprint, type PlaysSplit } from '../data/plays-split.js';
import { Table } from '../data/table.js';
import type { Finished } from './evaluate-one.js';
import type { Measure } from './measured.js';
import type { MetricColumn } from './metric-names.js';

/** What a result was made with, for whoever repeats it: names and values, in order. */
export type RunCard = Readonly<Record<string, string | number>>;

/** Versions and kernels. */
export function environment(): RunCard {
  const { threads, reproducible, native } = setCompute();
  const { version } = JSON.parse(readFileSync(path.join(__dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  return {
    recital: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}, ${availableParallelism()} processors`,
    kernels: `${native ? 'native' : reproducible ? 'reproducible' : 'fast'} build, ${threads} thread${threads === 1 ? '' : 's'}`,
  };
}

/** A card as a table with the columns `what` and `value`. */
export function cardTable(card: RunCard): Table {
  return new Table({ what: Object.keys(card), value: Object.values(card).map(String) });
}

/** The card of a comparison. */
export function comparisonCard(of: {
  split: PlaysSplit;
  on: 'test' | 'valid';
  measure: Measure;
  columns: readonly MetricColumn[];
  seeds: readonly (number | string)[];
  samples: number;
  confidence: number;
  seed: number | string;
  finished: readonly Finished[];
  seconds: number;
}): RunCard {
  const { split, on, measure, columns, seeds } = of;
  const count = (n: number): string => n.toLocaleString('en');
  const parts = Object.entries({
    train: split.train,
    valid: split.valid,
    test: split.test,
  }).flatMap(([name, plays]) => (plays ? [`${name} ${count(plays.length)}`] : []));
  const ranked = measure.heldOut.users.length;
  const sampled = columns.some(({ negatives }) => negatives > 0)
    ? '; metrics with ~…neg: the relevant tracks among that many drawn at random'
    : '';
  return {
    split: `${parts.join(', ')} plays; fingerprint ${fingerprint(...[split.train, split.valid, split.test].flatMap((part) => part ?? []))}`,
    protocol: `measured on ${on}: the whole catalogue ranked, without what a user has in ${on === 'test' && split.valid ? 'train and valid' : 'train'}; ties: expected value over their orders${sampled}`,
    users: `${count(measure.rows.length)} of ${count(ranked)} with held-out tracks${measure.rows.length < ranked ? ' (the others are unknown to a recommender)' : ''}`,
    catalogue: `${count(measure.catalogueSize)} tracks`,
    intervals: `bootstrap over users, percentiles, ${Number((100 * of.confidence).toPrecision(4))} %, ${count(of.samples)} resamples`,
    tests:
      'paired t-test over users against the best baseline at that metric, two-sided, Holm over all tests',
    seeds: `${seeds.length ? `training ${seeds.join(', ')}; ` : ''}resampling ${of.seed}`,
    ...environment(),
    ...Object.fromEntries(
      of.finished.map(({ name, seconds }) => [
        `seconds of ${name}`,
        `${seconds.made.toFixed(1)} made, ${seconds.ranked.toFixed(1)} ranked`,
      ]),
    ),
    seconds: of.seconds.toFixed(1),
    finished: new Date().toISOString(),
  };
}
