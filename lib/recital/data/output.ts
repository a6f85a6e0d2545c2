import { RecitalError } from '../errors.js';
import type { Table } from './table.js';

/** A place in the output whose content can be replaced. */
export interface DisplaySlot {
  /** Shows a chart that will be replaced soon. */
  update(chart: Chart): void;
  /** Shows the chart that stays. */
  show(chart: Chart): void;
}

/**
 * The output of the library: tables, charts and messages. All rooms write to it; the room display/
 * installs one that draws. Without one (a module imported alone) nothing is shown.
 */
export interface Display {
  /** Shows a table. */
  table(table: Table, options?: { title?: string }): void;
  /** Shows a chart. */
  chart(chart: Chart): void;
  /** Prints a line about work in progress, e.g. "No improvement since epoch 3: early stopping". */
  text(line: string): void;
  /** Prints a warning: the call goes on, but its result is probably not what was meant. */
  warn(line: string): void;
  /** Says in a line that work was stopped, and what remains of it. Default: as `text`. */
  interrupted?(line: string): void;
  /** Makes a place for a chart that changes; missing where output cannot be replaced. */
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
 * @param guard that of the work; only the outermost work says so, not a training within a search
 */
export function sayInterrupted(guard: { readonly outermost: boolean }, line: string): void {
  if (!guard.outermost) return;
  if (current.interrupted) current.interrupted(line);
  else current.text(line);
}

type Writer = (chart: Chart, file: string) => void;

let writer: Writer | undefined;

/** Sets the function that writes charts to files: display/ does so when it is imported. */
export function setChartWriter(write: Writer): void {
  writer = write;
}

/**
 * A chart: a Vega-Lite 5 specification with a title and an alternative text.
 * @example
 * const values = [{ artist: 'A', plays: 12 }, { artist: 'B', plays: 5 }];
 * const encoding = { x: { field: 'plays', type: 'quantitative' }, y: { field: 'artist', type: 'nominal' } };
 * new Chart({ data: { values }, mark: 'bar', encoding }, 'Plays', 'Bars: artist A 12 plays, artist B 5.')
 */
export class Chart {
  /**
   * @param spec for Vega-Lite 5.6 (what JupyterLab 4 bundles), without `$schema`, `title` and
   *   `config`
   * @param title printed above the chart
   * @param alt what the chart shows, in a sentence: the alternative text and the text output
   */
  constructor(
    readonly spec: Record<string, unknown>,
    readonly title: string,
    readonly alt: string,
  ) {}

  /**
   * Writes the chart to a file, as a whole or not at all, with its title and alternative text: as
   * `<title>` and `<desc>` of an SVG, as the texts `Title` and `Description` of a PNG.
   * @param file ends in `.svg` (sharp at any size) or `.png` (two pixels per point); its folder
   *   must exist
   * @throws ArgumentError for another ending, DataError if the file cannot be written
   * @example histogram(new Table({ plays: [1, 2, 2, 3] }), 'plays').save('plays.svg')
   */
  save(file: string): void {
    if (!writer)
      throw new RecitalError(
        "Nothing here draws charts yet. Import the library as a whole: `import 'recital'`.",
      );
    writer(this, file);
  }
}
