import type { Chart } from './chart.js';
import type { Table } from './table.js';

/** A place in the output whose content can be replaced. */
export interface DisplaySlot {
  /** Shows a chart that will be replaced soon. */
  update(chart: Chart): void;
  /** Shows the chart that stays. */
  show(chart: Chart): void;
}

/**
 * The one door through which layers below notebook/ show anything: they describe, notebook/ draws.
 * Without notebook/ (a module imported alone, a unit test) nothing is shown.
 */
export interface Display {
  /** Shows a table. */
  table(table: Table, options?: { title?: string }): void;
  /** Shows a chart. */
  chart(chart: Chart): void;
  /** Prints a line, e.g. "No improvement since epoch 3: early stopping". */
  text(line: string): void;
  /** Prints a warning: the call goes on, but its result is probably not what was meant. */
  warn(line: string): void;
  /**
   * Says that work was stopped, and what stays of it: one line. Default: as `text`. A notebook
   * makes it the message of the cell.
   */
  interrupted?(line: string): void;
  /**
   * Makes a place for a chart that changes while something runs. A display that cannot replace what
   * it has shown leaves this out.
   */
  slot?(): DisplaySlot;
}

const silent: Display = { table() {}, chart() {}, text() {}, warn() {} };

let current = silent;

/** The display in force. */
export function display(): Display {
  return current;
}

/** Puts another display in force and returns the one before; `undefined` is silence. */
export function setDisplay(next: Display | undefined): Display {
  const before = current;
  current = next ?? silent;
  return before;
}

/**
 * Says in one line that work was stopped.
 * @param guard the work's: a training within a search says nothing, the search does
 */
export function sayInterrupted(guard: { readonly outermost: boolean }, line: string): void {
  if (!guard.outermost) return;
  if (current.interrupted) current.interrupted(line);
  else current.text(line);
}
