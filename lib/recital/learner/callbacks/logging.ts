import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { makeFolder, writeAtomically } from '../../data/files/atomic-write.js';
import { splitRecord } from '../../data/files/csv-format.js';
import { existingFile, isFile } from '../../data/files/text-file.js';
import { type DisplaySlot, display } from '../../data/output.js';
import { Table } from '../../data/table.js';
import { ArgumentError, DataError } from '../../errors.js';
import { given, said } from '../../options.js';
import { asMade, printed } from '../../printed.js';
import type { Callback } from '../callback.js';
import type { Learner } from '../learner.js';
import { plotLoss } from '../plots.js';

const CSV_LOGGER = {
  /** Path of the file, below the learner's `path` unless it is absolute; default `history.csv`. */
  fname: 'history.csv',
  /** Add to the rows of earlier runs; default false: a new run begins a new file. */
  append: false,
};

/** Options of CSVLogger; defaults as fastai's. */
export type CSVLoggerOptions = Partial<typeof CSV_LOGGER>;

/**
 * Writes the training table to a CSV file, a row after each epoch (fastai's CSVLogger): epoch,
 * losses and metrics in full precision, seconds; an empty field where validation was left out. Each
 * row is written at once and is on the disk before training goes on. A run that is resumed goes on
 * below its rows.
 * @example
 * const csv = new CSVLogger();
 * await learn.fit(3, 1e-3, { cbs: csv });
 * csv.readLog(); // a Table
 */
export class CSVLogger implements Callback {
  readonly name = 'CSVLogger';
  readonly order = 60;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  /** Path of the file, below the learner's `path` unless it is absolute. */
  readonly fname: string;
  /** Whether rows are added to a file that is there. */
  readonly append: boolean;
  private file: string;

  constructor(options: CSVLoggerOptions = {}) {
    const { fname, append } = given(CSV_LOGGER, options, 'CSVLogger');
    if (typeof fname !== 'string' || fname === '' || fname.includes('\0'))
      throw new ArgumentError(
        `fname must be the path of a file, got ${said(fname) || 'an empty text'}.`,
      );
    this.fname = fname;
    this.append = append;
    this.file = path.resolve(fname);
  }

  /** The file as a table; a missing value is NaN. */
  readLog(): Table {
    const [header = '', ...rows] = this.lines();
    const names = splitRecord(header, ',');
    const number = (field: string): number => (field === '' ? NaN : Number(field));
    const cells = rows.map((row) => splitRecord(row, ',').map(number));
    const column = (i: number): Float64Array => Float64Array.from(cells, (row) => row[i]);
    return new Table(new Map(names.map((name, i) => [name, column(i)])));
  }

  beforeFit({ path: folder, recorder, resumed }: Learner): void {
    this.file = path.resolve(folder, this.fname);
    makeFolder(path.dirname(this.file));
    const header = recorder.metricNames.map(quoted).join(',');
    const lines = (this.append || resumed) && isFile(this.file) ? this.lines() : [];
    if (lines.length && lines[0] !== header)
      throw new DataError(
        `"${this.file}" has other columns (${lines[0]}) than this run (${header}). Choose another fname, or { append: false }.`,
      );
    if (resumed)
      // rows of epochs that are trained again
      while (lines.length > 1 && Number.parseInt(lines[lines.length - 1], 10) >= resumed.epoch)
        lines.pop();
    writeAtomically(this.file, [Buffer.from([header, ...lines.slice(1), ''].join('\n'))]);
  }

  afterEpoch({ recorder }: Learner): void {
    const line = recorder.log.map((value) => (value === null ? '' : String(value))).join(',');
    try {
      appendFileSync(this.file, `${line}\n`, { flush: true });
    } catch (error) {
      throw new DataError(
        `"${this.file}" cannot be added to: ${(error as Error).message}. The rows before are in it.`,
      );
    }
  }

  /** The file's lines; one without an end is what a crash has left. */
  private lines(): string[] {
    existingFile(this.file);
    return readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
  }
}

function quoted(name: string): string {
  return /[",\n]/.test(name) ? `"${name.replace(/"/g, '""')}"` : name;
}

printed(CSVLogger, (cb) => asMade(cb, ['fname', 'append']));

/**
 * Draws the smoothed training loss and the validation loss as the run goes, anew after every epoch
 * (fastai's ShowGraphCallback); where output cannot be replaced, once at the end.
 * @example await learn.fitOneCycle(10, 5e-3, { cbs: new ShowGraph() });
 */
export class ShowGraph implements Callback {
  readonly name = 'ShowGraph';
  readonly order = 65;
  readonly runLrFind = false;
  readonly removeOnFetch = true;
  private slot: DisplaySlot | undefined;

  beforeFit(): void {
    this.slot = display().slot?.();
  }

  afterEpoch({ recorder, nEpoch, dls }: Learner): void {
    if (recorder.losses.length)
      this.slot?.update(plotLoss(recorder, { skipStart: 0, batches: nEpoch * dls.train.length }));
  }

  afterFit({ recorder }: Learner): void {
    if (!recorder.losses.length) return;
    const chart = plotLoss(recorder, { skipStart: 0 });
    if (this.slot) this.slot.show(chart);
    else display().chart(chart);
  }
}

printed(ShowGraph, (cb) => asMade(cb));
