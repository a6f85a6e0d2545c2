import { AsyncLocalStorage } from 'node:async_hooks';
import { ArgumentError } from '../errors.js';
import { type Callback, registerDefaultCallback } from '../learner/callback.js';
import type { Learner } from '../learner/learner.js';
import { checkArgument, isFunction } from '../options.js';
import { visible } from '../printed.js';
import { inNotebook, sayProgress } from './host.js';
import { escapeHtml, rowsHtml } from './html.js';
import { Html, Slot } from './show.js';

/** Part of an epoch. */
export type Phase = 'train' | 'valid';

interface Bar {
  value: number;
  total: number;
  since: number;
  note: string;
}

const INTERVAL_MS = 100; // at most ten updates a second
const BAR_STYLE = 'width:300px;height:20px;vertical-align:middle;';

/**
 * The live display of a training, as fastai's: a bar for the epochs, a bar for the batches of the
 * epoch, and a table that gets a row an epoch. In the end only the table remains. In a script the
 * rows are printed as they come; the bars are written in one line, if that is a terminal: both on
 * standard error, so that `node job.mjs > out.json` holds what the program itself prints.
 *
 * The learner calls `batch` after every batch (it costs next to nothing between two updates), `row`
 * after every epoch, and in the end `done` or `interrupted`.
 * @example
 * const view = new TrainingDisplay(1, 10, ['epoch', 'train_loss']);
 * view.row([0, 0.25]);
 * view.done();
 */
export class TrainingDisplay {
  private readonly prefs = displayPrefs();
  private readonly slot = new Slot();
  private readonly live = inNotebook();
  private readonly rows: (string | null)[][] = [];
  private readonly main: Bar;
  private part: (Bar & { epoch: number; phase: Phase }) | undefined;
  private painted = -Infinity;

  /**
   * @param epochs how many there will be
   * @param batches of training in an epoch, for the estimate of the time left; a phase of its own
   *   says its number in `batch`
   * @param columnNames head of the table, e.g. epoch, train_loss, valid_loss, time
   */
  constructor(
    epochs: number,
    private readonly batches: number,
    private readonly columnNames: readonly string[],
  ) {
    this.main = { value: 0, total: epochs, since: performance.now(), note: '' };
    this.paint(true);
  }

  /**
   * A batch is done, the i-th of n of its phase; `epoch` and `i` count from 0.
   * @param smoothLoss the smoothed training loss; NaN or undefined while there is none
   */
  batch(epoch: number, i: number, n: number, smoothLoss: number | undefined, phase: Phase): void {
    const now = performance.now();
    if (this.part?.epoch !== epoch || this.part.phase !== phase)
      this.part = { value: 0, total: n, since: now, note: '', epoch, phase };
    this.part.value = i + 1;
    this.part.total = n;
    if (now - this.painted < INTERVAL_MS) return;
    this.part.note =
      smoothLoss === undefined || Number.isNaN(smoothLoss) ? '' : smoothLoss.toFixed(4);
    this.main.value = epoch + (phase === 'train' ? (i + 1) / Math.max(n, this.batches) : 1);
    this.paint();
  }

  /**
   * An epoch is done.
   * @param cells one per column: numbers with six decimals, but `epoch` as it is and `time`, in
   *   seconds, as m:ss; text as it is; null is a missing value
   */
  row(cells: readonly (number | string | null)[]): void {
    if (cells.length !== this.columnNames.length)
      throw new ArgumentError(
        `A row needs ${this.columnNames.length} cells (${this.columnNames.join(', ')}), got ${cells.length}.`,
      );
    const texts = cells.map((cell, j) =>
      typeof cell === 'number' ? formatNumber(cell, this.columnNames[j]) : cell,
    );
    this.rows.push(texts);
    this.main.value = this.rows.length;
    this.part = undefined;
    if (this.live) this.paint();
    else if (this.prefs.logging) this.printRow(texts);
  }

  /** The training is over: only the table remains. */
  done(): void {
    this.finish('');
  }

  /** The training was stopped: the table remains, with a line that says where. */
  interrupted(): void {
    const { part } = this;
    const at = part
      ? `in epoch ${part.epoch}, batch ${part.value} of ${part.total}`
      : `after ${this.rows.length} epochs`;
    this.finish(`Interrupted ${at}.`);
  }

  private finish(note: string): void {
    if (!this.live) {
      if (this.prefs.bar) writeLine('');
      if (note && this.prefs.logging) sayProgress(note);
    } else if (this.prefs.logging) {
      this.slot.update(this.table(note));
    } else if (this.prefs.bar) {
      this.slot.update(new Html('', ''));
    }
  }

  private paint(first = false): void {
    this.painted = performance.now();
    const { bar, logging } = this.prefs;
    if (this.live) {
      if (bar || (logging && (this.rows.length > 0 || first)))
        this.slot.update(bar ? this.withBars() : this.table(''));
    } else if (bar && !first) {
      writeLine(
        `epoch ${label(this.main)}${this.part ? `  ${this.part.phase} ${label(this.part)}` : ''}`,
      );
    }
  }

  private withBars(): Html {
    const bars = [this.main, ...(this.part ? [this.part] : [])];
    const markup = bars.map(
      (b) =>
        `<div><progress value="${b.value}" max="${b.total}" style="${BAR_STYLE}"></progress> ${escapeHtml(label(b))}</div>`,
    );
    const text = bars.map(label).join('\n');
    if (!this.prefs.logging || this.rows.length === 0) return new Html(markup.join(''), text);
    const table = this.table('');
    return new Html(`${table.markup}${markup.join('')}`, `${table.text}\n${text}`);
  }

  private table(note: string): Html {
    const numeric = this.columnNames.map(() => true);
    const lines = this.rows.map((row) => this.line(row));
    if (lines.length === 0 && note) return new Html(`<div>${escapeHtml(note)}</div>`, note);
    const text = [this.line(this.columnNames), ...lines, ...(note ? [note] : [])].join('\n');
    return new Html(rowsHtml(this.columnNames, this.rows, { numeric, note }), text);
  }

  private line(cells: readonly (string | null)[]): string {
    return cells
      .map((cell, j) => visible(cell ?? '–').padStart(width(visible(this.columnNames[j]))))
      .join('  ');
  }

  private printRow(texts: readonly (string | null)[]): void {
    writeLine('');
    if (this.rows.length === 1) sayProgress(this.line(this.columnNames));
    sayProgress(this.line(texts));
  }
}

function width(column: string): number {
  return Math.max(column.length, column === 'epoch' ? 5 : 8);
}

function formatNumber(value: number, column: string): string {
  if (column === 'time') return formatTime(value);
  return column === 'epoch' ? String(value) : value.toFixed(6);
}

/** Seconds as fastai writes them: `mm:ss`, from an hour on `h:mm:ss`. */
export function formatTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** fastai's label of a bar: `12.34% [i/n elapsed<remaining loss]`. */
function label({ value, total, since, note }: Bar): string {
  const share = total > 0 ? value / total : 1;
  const elapsed = (performance.now() - since) / 1000;
  const remaining = share > 0 ? formatTime((elapsed / share) * (1 - share)) : '?';
  return `${(100 * share).toFixed(2)}% [${Math.floor(value)}/${total} ${formatTime(elapsed)}<${remaining}${note ? ` ${note}` : ''}]`;
}

interface Prefs {
  readonly bar: boolean;
  readonly logging: boolean;
}

const scope = new AsyncLocalStorage<Prefs>();
const all: Prefs = { bar: true, logging: true };

/** What the live display of a training may show at this point. */
export function displayPrefs(): Prefs {
  return scope.getStore() ?? all;
}

/**
 * Trains without progress bars; the table of results still grows. fastai's `learn.no_bar()`.
 * @param work what trains, e.g. `() => learn.fit(1)`
 * @returns what `work` returns, so that it can be awaited
 * @example await noBar(() => learn.fitOneCycle(5));
 */
export function noBar<T>(work: () => T): T {
  checkArgument(isFunction(work), work, 'noBar', 'a function, such as () => learn.fit(1)');
  return scope.run({ ...displayPrefs(), bar: false }, work);
}

/**
 * Trains without bars and without the table. fastai's `learn.no_logging()`. The recorder still
 * keeps every value.
 * @param work what trains, e.g. `() => learn.fit(1)`
 * @returns what `work` returns, so that it can be awaited
 * @example await noLogging(() => learn.fit(1));
 */
export function noLogging<T>(work: () => T): T {
  checkArgument(isFunction(work), work, 'noLogging', 'a function, such as () => learn.fit(1)');
  return scope.run({ bar: false, logging: false }, work);
}

/**
 * Shows a run as it goes: fastai's bars and table. Every Learner has one; `noBar`, `noLogging`
 * switch it off.
 * @example learn.removeCbs(learn.cbs.filter((cb) => cb instanceof ProgressCallback)); // trains in silence
 */
export class ProgressCallback implements Callback {
  readonly name = 'Progress';
  readonly order = 60;
  private shown: TrainingDisplay | undefined;

  beforeFit({ nEpoch, dls, recorder }: Learner): void {
    this.shown = new TrainingDisplay(nEpoch, dls.train.length, recorder.metricNames);
  }

  afterBatch({ epoch, iter, nIter, recorder, training }: Learner): void {
    this.shown?.batch(epoch, iter, nIter, recorder.smoothLoss.value, training ? 'train' : 'valid');
  }

  afterEpoch({ recorder }: Learner): void {
    this.shown?.row(recorder.log);
  }

  afterFit(): void {
    this.shown?.done();
    this.shown = undefined;
  }
}

registerDefaultCallback(() => new ProgressCallback());

let length = 0;

/**
 * Rewrites the last line of the terminal; an empty text takes it away. Nothing happens where the
 * standard error is not a terminal (a file, a notebook).
 */
export function writeLine(text: string): void {
  if (!process.stderr.isTTY || (text === '' && length === 0)) return;
  const shown = text.slice(0, Math.max(10, (process.stderr.columns || 80) - 1));
  process.stderr.write(`\r${shown.padEnd(length)}${text === '' ? '\r' : ''}`);
  length = shown.length;
}
