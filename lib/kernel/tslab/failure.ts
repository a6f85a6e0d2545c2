// Makes of whatever a cell threw the content of a Jupyter `error` message: name, text, and a stack
// of the lines that a reader can act on: those of the cells, of the files that they import, and of
// this checkout. The kernel's own frames and Node's are left out.
import path from 'node:path';
import { inspect, types } from 'node:util';
import type { Place } from './cell-code.js';
import { hasEnded } from './interrupt-channel.js';

const { located } = require('../../recital/bundle.cjs') as {
  /** The place in the sources of a position in a bundle. */
  located(file: string, line: number, column: number): Position | undefined;
};

const MAX_FRAMES = 12;
const CELL_FRAMES = 4; // of these, for lines of cells that come late
const MAX_ERRORS = 20; // with causes and reasons
const MAX_REASONS = 8; // of an AggregateError
const MAX_TEXT = 20_000; // characters of a message
const MAX_STACK = 100_000;
const root = path.resolve(__dirname, '../../..');
const cellFrame = /cell\[(\d+)\](?::(\d+):(\d+))?/;
const fileFrame = /(?:file:\/\/)?((?:[A-Za-z]:)?[\\/][^()]*?):(\d+):(\d+)\)?$/;
/** Sources of the kernel, and what the library's work goes through. */
const hidden =
  /node_modules[\\/](tslab|tsx)[\\/]|^lib[\\/](kernel[\\/](tslab|dist)[\\/][\w-]+\.c?[jt]s|recital[\\/]compute[\\/]interrupt\.ts)$/;

interface Position {
  file: string;
  line: number;
  column: number;
}

/** The content of an `error` message. */
export type ErrorContent = { ename: string; evalue: string; traceback: string[] };

/** Finds the lines of cells and files that positions in their JavaScript came from. */
export interface Locator {
  isWrapper(cell: number, line: number): boolean;
  locate(cell: number, line: number, column: number): Place | undefined;
  files?: {
    locate(file: string, line: number, column: number): (Place & { file: string }) | undefined;
  };
}

/**
 * Calls `read`, which may throw, since anything can be thrown: a Proxy, an object whose getters
 * throw, or that cannot become a text.
 */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const isError = (value: unknown): value is Error =>
  types.isNativeError(value) || tried(() => value instanceof Error) === true;
const cut = (text: string): string =>
  text.length > MAX_TEXT
    ? `${text.slice(0, MAX_TEXT)}… (${text.length.toLocaleString('en')} characters)`
    : text;
const shown = (value: unknown): string =>
  cut(
    typeof value === 'string'
      ? value
      : (tried(() => String(inspect(value))) ?? 'a value that cannot be shown'),
  );

/** A property of an error, as text. */
function text(error: Error, name: 'message' | 'name'): string {
  const value: unknown = tried(() => error[name]);
  return value === undefined || value === null ? '' : shown(value);
}

/**
 * The message of an error. Compiled, variables of cells are properties of `exports` and imports are
 * members of a module: V8 names both as compiled, the reader as written.
 */
function messageOf(error: Error): string {
  const message = text(error, 'message');
  if (!types.isNativeError(error)) return message;
  return message
    .replace(/^\(0 , \w+\.([\w$]+)\)(?= is not )/, '$1')
    .replace(/^exports\.(?=[\w$])/, '');
}

/** The name of an error; the name of its class, where that has not set one. */
function nameOf(error: Error): string {
  const name = text(error, 'name') || 'Error';
  const named = tried(() => {
    let owner: object | null = error;
    while (owner && !Object.hasOwn(owner, 'name')) owner = Object.getPrototypeOf(owner) as object;
    const made: unknown = error.constructor;
    if (typeof made !== 'function' || typeof made.name !== 'string') return name;
    return owner !== error && owner !== made.prototype ? made.name : name;
  });
  return named || name;
}

/**
 * The stack of an error. `Error.prepareStackTrace`, if a cell has set it, makes the stack when it
 * is read, and may fail.
 */
function stackOf(error: Error): string {
  const read = (): string | undefined => {
    const stack: unknown = tried(() => error.stack);
    return typeof stack === 'string' ? stack.slice(-MAX_STACK) : undefined;
  };
  const stack = read();
  if (stack !== undefined) return stack;
  const own = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  if (own?.configurable !== true) return '';
  Reflect.deleteProperty(Error, 'prepareStackTrace');
  const again = read();
  Object.defineProperty(Error, 'prepareStackTrace', own);
  return again ?? '';
}

/** One line of a stack, rewritten; undefined for a frame that tells the reader nothing. */
function frame(line: string, code: Locator): string | undefined {
  const call = (/^\s*at (?:async )?(.*?) ?\(/.exec(line)?.[1] ?? '').replace(/^Proxy\./, ''); // a cell's functions live on a Proxy
  const inCell = cellFrame.exec(line);
  if (inCell) {
    const [, number, row, column] = inCell.map(Number);
    if (code.isWrapper(number, row)) return undefined;
    const found = code.locate(number, row, column);
    const name = call && !call.startsWith('cell[') && call !== 'eval' ? ` (${call})` : '';
    const at = `    at cell [${number}]`;
    return found ? `${at}, line ${found.line}${name}: ${found.text}` : at + name;
  }
  const [, file, row, column] = fileFrame.exec(line) ?? [];
  if (!file) return undefined;
  const position = { file, line: Number(row), column: Number(column) };
  const own = code.files?.locate(file, position.line, position.column);
  if (own) {
    const isNamed = call && call !== 'Object.<anonymous>';
    const name = isNamed ? ` (${call.replace(/^(?:exports|Object)\./, '')})` : '';
    return `    at ${own.file}, line ${own.line}${name}: ${own.text}`;
  }
  const place = located(file, position.line, position.column) ?? position;
  const relative = path.relative(root, place.file);
  if (relative.startsWith('..') || hidden.test(relative)) return undefined;
  return `    at ${call ? `${call} ` : ''}(${relative}:${place.line}:${place.column})`;
}

/** The first frames; and, where none of them is a cell's, the first that are. */
function shortened(frames: string[]): string[] {
  const first = frames.findIndex((line) => line.startsWith('    at cell ['));
  if (first < MAX_FRAMES) return frames.slice(0, MAX_FRAMES);
  const beginning = frames.slice(0, MAX_FRAMES - CELL_FRAMES);
  return [...beginning, '    …', ...frames.slice(first, first + CELL_FRAMES)];
}

/** An error with its stack, then the reasons that it gathers (AggregateError), then its cause. */
function lines(error: unknown, code: Locator, seen = new Set<unknown>()): string[] {
  if (!isError(error)) return [shown(error)];
  const frames = stackOf(error)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .flatMap((line) => tried(() => frame(line, code)) ?? []);
  const all = [`${nameOf(error)}: ${messageOf(error)}`, ...shortened(frames)];
  if (seen.size >= MAX_ERRORS) return all;
  seen.add(error);
  const add = (heading: string, other: unknown): void => {
    const [first, ...rest] = lines(other, code, seen);
    all.push(`${heading} ${first}`, ...rest);
  };
  const reasons = tried(() => {
    const { errors } = error as Partial<AggregateError>;
    return Array.isArray(errors)
      ? { first: errors.slice(0, MAX_REASONS) as unknown[], more: errors.length - MAX_REASONS }
      : undefined;
  });
  for (const [i, reason] of (reasons?.first ?? []).entries()) add(`Reason ${i + 1}:`, reason);
  if (reasons && reasons.more > 0) all.push(`… and ${reasons.more} more reasons`);
  const cause = tried(() => error.cause);
  if (cause !== undefined && !seen.has(cause)) add('Caused by', cause);
  return all;
}

/** The message for a cell that threw `error`, which is any value. */
export function thrown(error: unknown, code: Locator): ErrorContent {
  if (!isError(error)) {
    const value = shown(error);
    const why = 'A value that is not an Error was thrown, so there is no stack.';
    return { ename: 'Thrown', evalue: value, traceback: [`Thrown: ${value}`, why] };
  }
  if (hasEnded(error)) return interrupted('The cell was stopped.');
  return { ename: nameOf(error), evalue: messageOf(error), traceback: lines(error, code) };
}

function interrupted(line: string): ErrorContent {
  const said = line.replace(/^Interrupted[:.]? /, '');
  return { ename: 'Interrupted', evalue: said, traceback: [`Interrupted: ${said}`] };
}

/** The message for a cell that was asked to stop: what its work said, or else how it ended. */
export function stopped(
  { line, abandoned }: { line?: string; abandoned?: boolean },
  error: unknown,
): ErrorContent {
  if (line !== undefined) return interrupted(line);
  if (abandoned)
    return interrupted('The cell was abandoned; what it awaits may go on in the background.');
  const isOwn = isError(error) && nameOf(error) === 'InterruptedError';
  return interrupted(isOwn ? text(error, 'message') : 'The cell was stopped.');
}

/**
 * The message for a cell that did not compile.
 * @param diagnostics what tslab prints for each: a format, file, line, column and message. The
 *   first line of the message is what is wrong, the others are hints
 * @param lineOf a line of the cell
 */
export function notCompiled(
  diagnostics: readonly unknown[][],
  number: number,
  lineOf: (line: number) => string | undefined,
): ErrorContent {
  const traceback = diagnostics.flatMap(([, file, line, column, message]) => {
    const [what, ...hints] = String(message).split('\n');
    if (file) return [`${String(file).trim()}:${line}:${column} ${what}`, ...hints];
    const source = lineOf(Number(line));
    const mark = `    ${' '.repeat(Math.max(0, Number(column) - 1))}^`;
    const place = source === undefined ? [] : [`    ${source}`, mark];
    return [`cell [${number}], line ${line}: ${what}`, ...place, ...hints];
  });
  const evalue = String(diagnostics[0]?.[4] ?? 'the cell does not compile').replace(/\n/g, ' ');
  return { ename: 'TypeScriptError', evalue, traceback };
}
