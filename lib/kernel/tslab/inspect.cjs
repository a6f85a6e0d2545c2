// Answers "inspect" and "complete", with what tslab's compiler knows of the cell: tslab itself
// hands on a part of it only.
const { createRequire } = require('node:module');
const { completions } = require('./complete.cjs');
const { tooltip } = require('./tooltip.cjs');

const PREFIX = 'export {};\n'.length; // tslab puts it above each cell

/**
 * Watches TypeScript to see which file and which checker an answer came from, for tslab keeps them
 * to itself: the compiler asks for the classes of its objects anew for each program, and every type
 * is made with the checker it belongs to.
 */
function watch(ts) {
  const seen = { checker: undefined, file: undefined };
  const { getTypeConstructor, getSourceFileConstructor } = ts.objectAllocator;
  const Type = getTypeConstructor();
  class WatchedType extends Type {
    constructor(checker, flags) {
      super(checker, flags);
      seen.checker = checker;
    }
  }
  ts.objectAllocator.getTypeConstructor = () => WatchedType;
  const { prototype } = getSourceFileConstructor();
  const { getChildren } = prototype;
  prototype.getChildren = function (...args) {
    if (/__tslab__\.[jt]s$/.test(this.fileName)) seen.file = this;
    return getChildren.apply(this, args);
  };
  return seen;
}

/**
 * Has tslab look at a position; returns the file and the checker that it looked with. Of code that
 * it has just seen it takes the checker of then, which may have nothing new to make: so that is
 * kept, and where there is none, the code is changed a little.
 */
function look(executor, code, position, { seen, checkers }) {
  for (const end of ['', '\n']) {
    seen.checker = undefined;
    executor.inspect(code + end, position);
    const { file } = seen;
    const checker = seen.checker ?? checkers.get(file);
    if (checker === undefined) continue;
    checkers.set(file, checker);
    return { checker, file };
  }
  return undefined;
}

/** The protocol counts characters, JavaScript counts those beyond the first 65,536 as two. */
const toIndex = (code, characters) => [...code].slice(0, characters).join('').length;
const toCharacters = (code, index) => [...code.slice(0, index)].length;

const nothing = { status: 'ok', found: false, data: {}, metadata: {} };
const none = { status: 'ok', matches: [], cursor_start: 0, cursor_end: 0, metadata: {} };

/**
 * Answers in any case. The compiler has its failures with half a line of code, and a front end that
 * gets no answer waits for ever.
 */
function answering(otherwise, handle) {
  return function (request) {
    try {
      return handle.call(this, request);
    } catch {
      return otherwise;
    }
  };
}

/**
 * Makes tslab's kernel (its module `dist/jupyter`) answer with whole docstrings, and with
 * completions that replace what has been typed.
 */
function repairInspect(jupyter) {
  const ts = createRequire(require.resolve('tslab/package.json'))('@tslab/typescript-for-tslab');
  const seen = watch(ts);
  const checkers = new WeakMap(); // by file
  const handler = jupyter.JupyterHandlerImpl.prototype;

  handler.handleInspect = answering(nothing, function ({ code, cursor_pos }) {
    const position = toIndex(code, cursor_pos);
    const looked = look(this.executor, code, position, { seen, checkers });
    const text = looked && tooltip(ts, { ...looked, position: position + PREFIX });
    return text ? { ...nothing, found: true, data: { 'text/plain': text } } : nothing;
  });

  handler.handleComplete = answering(none, function ({ code, cursor_pos }) {
    seen.checker = undefined;
    const answer = this.executor.complete(code, toIndex(code, cursor_pos));
    const { file, checker = checkers.get(file) } = seen;
    const { start, end, matches } = completions(answer, code, PREFIX, { ts, file, checker });
    const [from, to] = [toCharacters(code, start), toCharacters(code, end)];
    return {
      status: 'ok',
      matches: matches.map(({ text }) => text),
      cursor_start: from,
      cursor_end: to,
      metadata: {
        _jupyter_types_experimental: matches.map((match) => ({ ...match, start: from, end: to })),
      },
    };
  });
}

module.exports = { repairInspect };
