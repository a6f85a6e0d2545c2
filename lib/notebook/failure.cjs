// Makes of whatever a cell threw the content of a Jupyter `error` message: name, text, and a stack of the lines that a reader can act on: those of the
// cells and of this checkout. The kernel's own frames and Node's are left out.
const path = require('node:path');
const { format, inspect } = require('node:util');
const { hasEnded } = require('./control.cjs');

const MAX_FRAMES = 12;
const OWN_FRAMES = 4; // of these, for lines of cells that come late
const MAX_CHARS = 20_000; // of a text
const root = path.resolve(__dirname, '..', '..');
const cellFrame = /cell\[(\d+)\](?::(\d+):(\d+))?/;
const fileFrame = /(?:file:\/\/)?((?:[A-Za-z]:)?[\\/][^()]*?):(\d+):(\d+)\)?$/;

/** One line of a stack, rewritten; undefined for a frame that says nothing to the reader. */
function frame(line, code) {
  const call = (/^\s*at (?:async )?(.*?) ?\(/.exec(line)?.[1] ?? '').replace(/^Proxy\./, ''); // a cell's functions live on a Proxy
  const inCell = cellFrame.exec(line);
  if (inCell) {
    const [, number, row, column] = inCell.map(Number);
    if (code.isWrapper(number, row)) return undefined;
    const found = code.locate(number, row, column);
    const name = call && !call.startsWith('cell[') && call !== 'eval' ? ` (${call})` : '';
    return found ? `    at cell [${number}], line ${found.line}${name}: ${found.text}` : `    at cell [${number}]${name}`;
  }
  const inFile = fileFrame.exec(line);
  if (!inFile) return undefined;
  const file = path.relative(root, inFile[1]);
  if (file.startsWith('..') || /node_modules[\\/](tslab|tsx)[\\/]|^lib[\\/](notebook[\\/][\w-]+\.cjs|compute[\\/]interrupt\.ts)$/.test(file))
    return undefined;
  return `    at ${call ? `${call} ` : ''}(${file}:${inFile[2]}:${inFile[3]})`;
}

/** The first frames; and, where none of them is a cell's, the first that are. */
function shortened(frames) {
  const first = frames.findIndex((line) => line.startsWith('    at cell ['));
  if (first < MAX_FRAMES) return frames.slice(0, MAX_FRAMES);
  return [...frames.slice(0, MAX_FRAMES - OWN_FRAMES), '    …', ...frames.slice(first, first + OWN_FRAMES)];
}

/** What `read` gives, as a text of bearable length. A cell throws whatever it likes: what cannot be read, or throws when it is, is `otherwise`. */
function textOf(read, otherwise) {
  try {
    const value = read();
    const text = typeof value === 'string' ? value : inspect(value);
    return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)} … (${text.length.toLocaleString('en-US')} characters)` : text;
  } catch {
    return otherwise;
  }
}

/** The stack of an error as Node writes it, also where the cell's `Error.prepareStackTrace` fails, or makes something else of it. */
function stackOf(error) {
  const own = textOf(() => error.stack ?? '', undefined);
  if (own !== undefined) return own;
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = undefined;
  const stack = textOf(() => error.stack ?? '', '');
  Error.prepareStackTrace = prepareStackTrace;
  return stack;
}

function isError(value) {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

const nameOf = (error) => textOf(() => error.name, 'Error');
const messageOf = (error) => textOf(() => error.message, '(its message cannot be read)');

function lines(error, code, depth = 0) {
  const frames = stackOf(error)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => frame(line, code))
    .filter((line) => line !== undefined);
  const own = [`${nameOf(error)}: ${messageOf(error)}`, ...shortened(frames)];
  let cause;
  textOf(() => (cause = error.cause), '');
  if (!isError(cause) || depth > 3) return own;
  const [first, ...rest] = lines(cause, code, depth + 1);
  return [...own, `Caused by ${first}`, ...rest];
}

/** A cell threw `error`. */
function thrown(error, code) {
  if (!isError(error)) {
    const text = textOf(() => error, '(it cannot be read)');
    return { ename: 'Thrown', evalue: text, traceback: [`Thrown: ${text}`, 'A value that is not an Error was thrown, so there is no stack.'] };
  }
  if (hasEnded(error)) return interrupted('The cell was stopped.');
  return { ename: nameOf(error), evalue: messageOf(error), traceback: lines(error, code) };
}

function interrupted(line) {
  const text = line.replace(/^Interrupted[:.]? /, '');
  return { ename: 'Interrupted', evalue: text, traceback: [`Interrupted: ${text}`] };
}

/** A cell was asked to stop. One line says so: what its work said, or else how it ended. */
function stopped({ line, abandoned }, error) {
  if (line !== undefined) return interrupted(line);
  if (abandoned) return interrupted('The cell was abandoned; what it awaits may go on in the background.');
  return interrupted(isError(error) && nameOf(error) === 'InterruptedError' ? messageOf(error) : 'The cell was stopped.');
}

/** A cell did not compile. Each diagnostic holds the arguments of tslab's `console.error("%s%d:%d - %s", file, line, column, message)`. */
function notCompiled(diagnostics, number, code) {
  const traceback = diagnostics.flatMap(([, file, line, column, message]) => {
    if (file) return [`${path.relative(root, file.trim())}:${line}:${column} ${message}`];
    const text = code.line(number, line);
    return [
      `cell [${number}], line ${line}: ${message}`,
      ...(text === undefined ? [] : [`    ${text}`, `    ${' '.repeat(Math.max(0, column - 1))}^`]),
    ];
  });
  return { ename: 'TypeScriptError', evalue: format('%s', diagnostics[0]?.[4] ?? 'the cell does not compile'), traceback };
}

module.exports = { notCompiled, stopped, thrown };
