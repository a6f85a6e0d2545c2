import { randomUUID } from 'node:crypto';
import { type InterruptScope, setInterruptScope } from '../compute/interrupt.js';

/** What one output holds, by MIME type; the front end picks the richest that it can draw. */
export type MimeBundle = Record<string, unknown>;

interface Jupyter {
  /** Of this project's launcher alone: `result`, for what a cell ends with. */
  lastWriteDisplayData: ((content: object, update?: boolean, result?: boolean) => void) | null;
}
interface Tslab {
  exports: object;
}

/** The kernel's answer to "interrupt". */
interface Interrupts {
  /** The cell that the work at hand belongs to. */
  cell(): InterruptScope | undefined;
  /** Makes a line the message of the cell that is being stopped; false if there is none. */
  say(line: string): boolean;
}

const { kernel, repair } = require('../../kernel/tslab/repair.cjs') as {
  kernel(): Jupyter | undefined;
  repair(jupyter: Jupyter): Interrupts;
};

let interrupts: Interrupts | undefined;

/**
 * Whether this process is a tslab kernel that runs a cell, so that tables and charts can be drawn;
 * false in a plain script.
 * @example console.log(inNotebook() ? 'charts are drawn' : 'a plain script');
 */
export function inNotebook(): boolean {
  return Boolean(kernel()?.lastWriteDisplayData);
}

const script = {};

/** Stands for the cell that runs: another object in each. A plain script is one cell. */
export function currentCell(): object {
  return kernel()?.lastWriteDisplayData ?? script; // made anew for each cell
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
  kernel()?.lastWriteDisplayData?.(
    { data: bundle, metadata, transient: { display_id: id } },
    update,
    result,
  );
}

/**
 * Has the value of a cell's last expression looked at before tslab prints it.
 *
 * tslab compiles the last expression to an assignment to `exports.tsLastExpr`, and then prints that
 * property unless it is null. A property that an object does not have itself is looked up in its
 * prototype, so a prototype with a setter and a getter sees both.
 * @param show shows the value and returns true, or returns false to leave it to tslab
 */
function watchLastExpression(show: (value: unknown) => boolean): void {
  const cells = (globalThis as { __tslab__?: Tslab }).__tslab__?.exports;
  if (!cells) return;
  const name = /^tsLastExpr\d*$/; // numbered when a cell uses the name itself
  // The cell that imports the library has made the property its own already, empty as yet.
  for (const key of Object.keys(cells)) if (name.test(key)) Reflect.deleteProperty(cells, key);
  let value: unknown;
  let read = false;
  const watcher = new Proxy(
    {},
    {
      set(_target, key, assigned, receiver: object) {
        if (typeof key !== 'string' || !name.test(key)) {
          return Reflect.defineProperty(receiver, key, {
            value: assigned,
            writable: true,
            enumerable: true,
            configurable: true,
          });
        }
        value = assigned;
        read = false;
        return true;
      },
      get(target, key) {
        if (typeof key !== 'string' || !name.test(key)) return Reflect.get(target, key);
        const last = value;
        // tslab reads it twice: whether there is a value, and the value. Then it is let go.
        if (read || last === null || last === undefined) value = undefined;
        else if (show(last) || interrupts?.cell()?.stopped) return (value = undefined); // of a cell that was stopped, one line is printed
        read = true;
        return last;
      },
    },
  );
  Object.setPrototypeOf(cells, watcher);
}

/**
 * Joins this process to the notebook: repairs a stock kernel's output (nothing is lost, prints are
 * joined), lets cells be interrupted, and shows a cell's last expression by `show`. Outside a
 * kernel nothing happens.
 */
export function joinKernel(show: (value: unknown) => boolean): void {
  const jupyter = kernel();
  if (!jupyter) return;
  interrupts = repair(jupyter);
  setInterruptScope(() => interrupts?.cell());
  watchLastExpression(show);
}

/** Says that work was stopped: in the message of the cell, or else as a warning. */
export function sayStopped(line: string): void {
  if (!interrupts?.say(line)) console.warn(line);
}
