// Answers "inspect" and "complete", with what tslab's compiler knows of the cell: tslab itself hands on a part of it only.
const { createRequire } = require('node:module');
const { completions } = require('./complete.cjs');
const { tooltip } = require('./tooltip.cjs');

const PREFIX = 'export {};\n'.length; // tslab puts it above each cell

/**
 * Watches TypeScript to see which file and which checker an answer came from, for tslab keeps them to itself: the compiler asks for the classes of its
 * objects anew for each program, and every type is made with the checker it belongs to.
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
 * Has tslab look at a position. What stands behind the code changes each time: of code that it has seen it would take the program that it has, whose checker
 * need not be the last one that was made.
 */
function look(executor, code, position) {
  turns++;
  return executor.inspect(`${code}\n${turns % 2 ? ' ' : ''}`, position);
}
let turns = 0;

/** The protocol counts characters, JavaScript counts those beyond the first 65,536 as two. */
const toIndex = (code, characters) => [...code].slice(0, characters).join('').length;
const toCharacters = (code, index) => [...code.slice(0, index)].length;

const nothing = { status: 'ok', found: false, data: {}, metadata: {} };

/** Makes tslab's kernel (its module `dist/jupyter`) answer with whole docstrings, and with completions that replace what has been typed. */
function repairInspect(jupyter) {
  const ts = createRequire(require.resolve('tslab/package.json'))('@tslab/typescript-for-tslab');
  const seen = watch(ts);
  const handler = jupyter.JupyterHandlerImpl.prototype;

  handler.handleInspect = function ({ code, cursor_pos }) {
    const position = toIndex(code, cursor_pos);
    look(this.executor, code, position);
    const text = seen.file && tooltip(ts, { ...seen, position: position + PREFIX });
    return text ? { ...nothing, found: true, data: { 'text/plain': text } } : nothing;
  };

  handler.handleComplete = function ({ code, cursor_pos }) {
    const found = completions(this.executor.complete(code, toIndex(code, cursor_pos)), code, PREFIX);
    return {
      status: 'ok',
      matches: found.matches.map(({ text }) => text),
      cursor_start: toCharacters(code, found.start),
      cursor_end: toCharacters(code, found.end),
      metadata: { _jupyter_types_experimental: found.matches },
    };
  };
}

module.exports = { repairInspect };
