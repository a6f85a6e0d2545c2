// Makes of whatever a cell threw the content of a Jupyter `error` message: name, text, and a stack
// of the lines that a reader can act on: those of the cells, of files that they import, and of this
// checkout. The kernel's own frames and Node's are left out.
const path = require('node:path');
const { format, inspect, types } = require('node:util');
const { located } = require('../../recital/bundle.cjs');
const { hasEnded } = require('./interrupt-channel.cjs');

const MAX_FRAMES = 12;
const OWN_FRAMES = 4; // of these, for lines of cells that come late
const MAX_TOLD = 20; // errors with their causes and reasons
const MAX_REASONS = 8; // of an AggregateError
const MAX_TEXT = 20_000; // characters of a message
const MAX_STACK = 100_000;
const root = path.resolve(__dirname, '../../..');
const cellFrame = /cell\[(\d+)\](?::(\d+):(\d+))?/;
const fileFrame = /(?:file:\/\/)?((?:[A-Za-z]:)?[\\/][^()]*?):(\d+):(\d+)\)?$/;

/**
 * What `read` gives. Anything can be thrown: a Proxy, an object whose getters throw, or that cannot
 * become a text.
 */
function tried(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const isError = (value) => types.isNativeError(value) || tried(() => value instanceof Error, false);
const cut = (text) =>
  text.length > MAX_TEXT
    ? `${text.slice(0, MAX_TEXT)}… (${text.length.toLocaleString('en')} characters)`
    : text;
const shown = (value) =>
  cut(
    typeof value === 'string'
      ? value
      : tried(() => String(inspect(value)), 'a value that cannot be shown'),
  );

/** A property of an error, as text. */
function text(error, name) {
  const value = tried(() => error[name]);
  return value === undefined || value === null ? '' : shown(value);
}

/**
 * The message of an error. Variables of cells are properties of `exports` once compiled, and what
 * is imported is one of a module: V8 names both as they are compiled, the reader as he has written
 * them.
 */
function messageOf(error) {
  const message = text(error, 'message');
  return types.isNativeError(error)
    ? message.replace(/^\(0 , \w+\.([\w$]+)\)(?= is not )/, '$1').replace(/^exports\.(?=[\w$])/, '')
    : message;
}

/** The name of an error: of a class that has not set one, the class's. */
function nameOf(error) {
  const name = text(error, 'name') || 'Error';
  return tried(() => {
    let owner = error;
    while (owner && !Object.hasOwn(owner, 'name')) owner = Object.getPrototypeOf(owner);
    const made = error.constructor;
    const inherited = owner !== error && owner !== made.prototype;
    return inherited && typeof made === 'function' && typeof made.name === 'string'
      ? made.name || name
      : name;
  }, name);
}

/**
 * Where it was thrown. `Error.prepareStackTrace`, if somebody has set it, makes the text when it is
 * asked for, and may fail.
 */
function stackOf(error) {
  const stack = tried(() => error.stack);
  if (typeof stack === 'string') return stack.slice(-MAX_STACK);
  const own = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  if (own?.configurable !== true) return '';
  delete Error.prepareStackTrace;
  const again = tried(() => error.stack);
  Object.defineProperty(Error, 'prepareStackTrace', own);
  return typeof again === 'string' ? again.slice(-MAX_STACK) : '';
}

/** One line of a stack, rewritten; undefined for a frame that says nothing to the reader. */
function frame(line, code) {
  const call = (/^\s*at (?:async )?(.*?) ?\(/.exec(line)?.[1] ?? '').replace(/^Proxy\./, ''); // a cell's functions live on a Proxy
  const inCell = cellFrame.exec(line);
  if (inCell) {
    const [, number, row, column] = inCell.map(Number);
    if (code.isWrapper(number, row)) return undefined;
    const found = code.locate(number, row, column);
    const name = call && !call.startsWith('cell[') && call !== 'eval' ? ` (${call})` : '';
    return found
      ? `    at cell [${number}], line ${found.line}${name}: ${found.text}`
      : `    at cell [${number}]${name}`;
  }
  const inFile = fileFrame.exec(line);
  if (!inFile) return undefined;
  const own = code.files?.locate(inFile[1], Number(inFile[2]), Number(inFile[3]));
  if (own) {
    const name =
      call && call !== 'Object.<anonymous>'
        ? ` (${call.replace(/^(?:exports|Object)\./, '')})`
        : '';
    return `    at ${own.file}, line ${own.line}${name}: ${own.text}`;
  }
  const place = located(inFile[1], Number(inFile[2]), Number(inFile[3])); // in a bundle
  const file = path.relative(root, place?.file ?? inFile[1]);
  if (
    file.startsWith('..') ||
    /node_modules[\\/](tslab|tsx)[\\/]|^lib[\\/](kernel[\\/]tslab[\\/][\w-]+\.cjs|recital[\\/]compute[\\/]interrupt\.ts)$/.test(
      file,
    )
  )
    return undefined;
  return `    at ${call ? `${call} ` : ''}(${file}:${place?.line ?? inFile[2]}:${place?.column ?? inFile[3]})`;
}

/** The first frames; and, where none of them is a cell's, the first that are. */
function shortened(frames) {
  const first = frames.findIndex((line) => line.startsWith('    at cell ['));
  if (first < MAX_FRAMES) return frames.slice(0, MAX_FRAMES);
  return [
    ...frames.slice(0, MAX_FRAMES - OWN_FRAMES),
    '    …',
    ...frames.slice(first, first + OWN_FRAMES),
  ];
}

/** An error with its stack, then the reasons that it gathers (AggregateError), then its cause. */
function lines(error, code, seen = new Set()) {
  if (!isError(error)) return [shown(error)];
  const frames = stackOf(error)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => tried(() => frame(line, code)))
    .filter((line) => line !== undefined);
  const own = [`${nameOf(error)}: ${messageOf(error)}`, ...shortened(frames)];
  if (seen.size >= MAX_TOLD) return own;
  seen.add(error);
  const reasons = tried(
    () => (Array.isArray(error.errors) ? error.errors.slice(0, MAX_REASONS + 1) : []),
    [],
  );
  for (const [i, reason] of reasons.slice(0, MAX_REASONS).entries()) {
    const [first, ...rest] = lines(reason, code, seen);
    own.push(`Reason ${i + 1}: ${first}`, ...rest);
  }
  if (reasons.length > MAX_REASONS)
    own.push(`… and ${tried(() => error.errors.length) - MAX_REASONS} more reasons`);
  const cause = tried(() => error.cause);
  if (cause === undefined || seen.has(cause)) return own;
  const [first, ...rest] = lines(cause, code, seen);
  return [...own, `Caused by ${first}`, ...rest];
}

/** A cell threw `error`: any value. */
function thrown(error, code) {
  if (!isError(error)) {
    const value = shown(error);
    return {
      ename: 'Thrown',
      evalue: value,
      traceback: [
        `Thrown: ${value}`,
        'A value that is not an Error was thrown, so there is no stack.',
      ],
    };
  }
  if (hasEnded(error)) return interrupted('The cell was stopped.');
  return { ename: nameOf(error), evalue: messageOf(error), traceback: lines(error, code) };
}

function interrupted(line) {
  const said = line.replace(/^Interrupted[:.]? /, '');
  return { ename: 'Interrupted', evalue: said, traceback: [`Interrupted: ${said}`] };
}

/** A cell was asked to stop. One line says so: what its work said, or else how it ended. */
function stopped({ line, abandoned }, error) {
  if (line !== undefined) return interrupted(line);
  if (abandoned)
    return interrupted('The cell was abandoned; what it awaits may go on in the background.');
  return interrupted(
    isError(error) && nameOf(error) === 'InterruptedError'
      ? text(error, 'message')
      : 'The cell was stopped.',
  );
}

/**
 * A cell did not compile. Each diagnostic holds the arguments of tslab's
 * `console.error("%s%d:%d - %s", file, line, column, message)`; the first line of the message is
 * what is wrong, the others are hints.
 */
function notCompiled(diagnostics, number, code) {
  const traceback = diagnostics.flatMap(([, file, line, column, message]) => {
    const [what, ...hints] = String(message).split('\n');
    if (file) return [`${file.trim()}:${line}:${column} ${what}`, ...hints];
    const source = code.line(number, line);
    const place =
      source === undefined ? [] : [`    ${source}`, `    ${' '.repeat(Math.max(0, column - 1))}^`];
    return [`cell [${number}], line ${line}: ${what}`, ...place, ...hints];
  });
  const evalue = format('%s', diagnostics[0]?.[4] ?? 'the cell does not compile').replace(
    /\n/g,
    ' ',
  );
  return { ename: 'TypeScriptError', evalue, traceback };
}

module.exports = { notCompiled, stopped, thrown };
