import { randomUUID } from 'node:crypto';
import { type InterruptScope, setInterruptScope } from '../compute/interrupt.js';
import { denoKernel } from './deno.js';

/** What one output holds, by MIME type; the front end picks the richest that it can draw. */
export type MimeBundle = Record<string, unknown>;

/** One output as a kernel sends it. */
interface Output {
  data: MimeBundle;
  metadata: MimeBundle;
  transient: { display_id: string };
}

/**
 * What the library needs of a notebook's kernel. A kernel offers it, before the library is
 * imported, as `globalThis[Symbol.for('recital.kernel')]`; lib/kernel does. For Deno's kernel
 * deno.ts does.
 */
export interface NotebookKernel {
  /**
   * Sends one output.
   * @param update whether it replaces the output with this display id
   * @param result whether it is what the cell ends with, which front ends number
   */
  publish(output: Output, update: boolean, result: boolean): void;
  /** Stands for the cell that runs: another object in each. */
  currentCell(): object;
  /** The cell that the work at hand belongs to. */
  interruptScope(): InterruptScope | undefined;
  /** Makes a line the message of the cell that is being stopped; false if there is none. */
  say(line: string): boolean;
  /**
   * Has the value of each cell's last expression drawn, rather than printed, where `draw` returns
   * true.
   */
  drawLastExpression(draw: (value: unknown) => boolean): void;
}

const place = globalThis as { [key: symbol]: NotebookKernel | undefined };
const name = Symbol.for('recital.kernel');
const kernel = (): NotebookKernel | undefined => place[name];

/**
 * Whether this process is the kernel of a notebook, so that tables and charts can be drawn; false
 * in a plain script.
 * @example console.log(inNotebook() ? 'charts are drawn' : 'a plain script');
 */
export function inNotebook(): boolean {
  return kernel() !== undefined;
}

/**
 * Says a line about work in progress: in a plain script on standard error, so that standard output
 * holds what the program itself prints and shows; in a notebook, and in tslab's own kernel, in the
 * output of the cell.
 */
export function sayProgress(line: string): void {
  if (inNotebook() || '__tslab__' in globalThis) console.log(line);
  else console.error(line);
}

const script = {};

/** Stands for the cell that runs: another object in each. A plain script is one cell. */
export function currentCell(): object {
  return kernel()?.currentCell() ?? script;
}

/**
 * Sends one output to the front ends. In a plain script nothing happens.
 * @param bundle the output, by MIME type
 * @param options.metadata by MIME type, e.g. `{ 'image/png': { width: 400 } }`
 * @param options.id display id: a later call with `update: true` replaces the output that has this
 *   id
 * @param options.result whether it is what the cell ends with, which front ends number; default
 *   false
 */
export function publish(
  bundle: MimeBundle,
  options: { metadata?: MimeBundle; id?: string; update?: boolean; result?: boolean } = {},
): void {
  const { metadata = {}, id = randomUUID(), update = false, result = false } = options;
  kernel()?.publish({ data: bundle, metadata, transient: { display_id: id } }, update, result);
}

/**
 * Joins this process to the notebook: cells can be interrupted (not in Deno's kernel), and `draw`
 * draws their last expressions. tslab's own kernel cannot do that: there the library works as in a plain script, and
 * says once how to get the kernel that can.
 */
export function joinKernel(draw: (value: unknown) => boolean): void {
  const found = kernel() ?? denoKernel();
  if (found) {
    place[name] = found;
    setInterruptScope(() => found.interruptScope());
    found.drawLastExpression(draw);
  } else if ('__tslab__' in globalThis) {
    console.warn(
      "This is tslab's own kernel: tables and charts are printed as text. `npm run lab` opens Jupyter with recital's kernel; `npm run lab -- --kernel DIR` installs it into another Jupyter.",
    );
  }
}

/** Says that work was stopped: in the message of the cell, or else as a warning. */
export function sayStopped(line: string): void {
  if (!kernel()?.say(line)) console.warn(line);
}
