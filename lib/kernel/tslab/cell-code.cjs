// Names the code of each cell and finds the line of the cell that a position in the executed
// JavaScript came from. tslab compiles a cell twice (TypeScript → JavaScript → CommonJS) and drops
// the source maps; here both steps keep one.
const { SourceMap } = require('node:module');
const vm = require('node:vm');
const { addStopPoints } = require('./stop-points.cjs');
const { separateTimers } = require('./compiler-timers.cjs');
const { Hints } = require('./hints.cjs');
const { OwnFiles } = require('./user-dependencies.cjs');
const { typescript } = require('./rewrite-declarations.cjs');

const inlineMap =
  /\n?\/\/# sourceMappingURL=data:application\/json(?:;charset=[^;,]+)?;base64,([A-Za-z0-9+/=]+)\s*$/;
const wrappers = ['(function(exports, require) { ', '(async function(exports, require) { ']; // what tslab puts around a cell
const PREFIX_LINES = 1; // tslab puts "export {};" above each cell

/** The names that code declares, outside of functions and blocks. */
function declaredBy(code) {
  const ts = typescript();
  const names = new Set();
  const bind = (node) => {
    if (ts.isIdentifier(node.name ?? node)) names.add((node.name ?? node).text);
    else for (const element of node.name.elements) if (element.name) bind(element);
  };
  for (const statement of ts.createSourceFile('cell.ts', code, ts.ScriptTarget.ES2022).statements) {
    if (ts.isVariableStatement(statement)) statement.declarationList.declarations.forEach(bind);
    else if (ts.isImportDeclaration(statement)) {
      const { name, namedBindings } = statement.importClause ?? {};
      for (const each of [name && { name }, ...(namedBindings?.elements ?? [namedBindings])])
        if (each) bind(each);
    } else if (statement.name) bind(statement);
  }
  return names;
}

class CellCode {
  constructor() {
    this.cells = new Map(); // number of the cell → its source and source maps
    this.current = 0;
    this.compiled = undefined; // of the latest compilation
  }

  /**
   * Makes tslab's TypeScript keep source maps, find what cells import, and explain what it finds
   * wrong. Must run before tslab loads it; tslab's copy of the module is its own, so nobody else is
   * affected.
   */
  patchTypeScript(file) {
    const ts = require(file);
    const { createWatchCompilerHost, getPreEmitDiagnosticsOfFiles, transpileModule } = ts;
    const compile = (text, { transformers, ...options }) => {
      const before = [...(transformers?.before ?? []), addStopPoints(ts)];
      return transpileModule(text, { ...options, transformers: { ...transformers, before } });
    };
    const files = new OwnFiles(ts, compile);
    this.files = files;
    require.cache[file].exports = {
      ...ts,
      createWatchCompilerHost: (names, options, system, ...rest) =>
        files.watch(
          createWatchCompilerHost(names, files.options(options), separateTimers(system), ...rest),
        ),
      getPreEmitDiagnosticsOfFiles: (program, [cell]) => {
        const own = files.importedBy(program, cell);
        files.take(own);
        const hints = new Hints(ts, program, { declaring: (name) => this.declaring(name) });
        this.elsewhere = own
          .flatMap((each) => hints.explain(each, getPreEmitDiagnosticsOfFiles(program, [each])))
          .map((d) => files.placed(d));
        return hints.explain(cell, [
          ...getPreEmitDiagnosticsOfFiles(program, [cell]),
          ...hints.unsaid(cell),
        ]);
      },
      transpileModule: (input, options) => {
        const first = inlineMap.exec(input);
        const compilerOptions = { ...options.compilerOptions, sourceMap: true };
        const result = compile(input.replace(inlineMap, ''), { ...options, compilerOptions });
        result.outputText = result.outputText.replace(/\n?\/\/# sourceMappingURL=\S*\s*$/, '\n');
        this.compiled = {
          first: first?.[1],
          second: result.sourceMapText,
          text: result.outputText,
        };
        return result;
      },
    };
  }

  /**
   * What is wrong with files that the cell compiled last imports, as tslab tells it of the cell
   * itself.
   */
  takeElsewhere() {
    const { elsewhere = [] } = this;
    this.elsewhere = undefined;
    return elsewhere;
  }

  /**
   * Gives the code of each cell a file name, `cell[3]`, which then stands in its stack frames.
   * @param {<T>(work: () => T) => T} section runs code that an interrupt ends
   */
  patchVm(section) {
    const { runInThisContext } = vm;
    vm.runInThisContext = (code, options) => {
      const wrapper = typeof code === 'string' && wrappers.find((w) => code.startsWith(w));
      if (!wrapper || options?.filename) return runInThisContext(code, options);
      const cell = this.cells.get(this.current);
      if (cell && this.compiled && code.startsWith(this.compiled.text, wrapper.length)) {
        cell.shift = wrapper.length;
        cell.height = this.compiled.text.split('\n').length;
        cell.maps = [
          this.compiled.second,
          this.compiled.first && Buffer.from(this.compiled.first, 'base64').toString(),
        ];
      }
      return section(() =>
        runInThisContext(code, {
          ...options,
          breakOnSigint: false,
          filename: `cell[${this.current}]`,
        }),
      );
    };
  }

  /** Cell `number` is about to run. */
  begin(number, source) {
    this.current = number;
    this.cells.set(number, {
      lines: source.split('\n'),
      maps: undefined,
      shift: 0,
      height: Infinity,
    });
  }

  /**
   * The line (from 1) of cell `number` for a position in its JavaScript, and its text; undefined
   * where that is not known.
   */
  locate(number, line, column) {
    const cell = this.cells.get(number);
    if (!cell?.maps || cell.maps.includes(undefined)) return undefined;
    const [second, first] = (cell.parsed ??= cell.maps.map(
      (text) => new SourceMap(JSON.parse(text)),
    ));
    const middle = second.findEntry(line - 1, column - 1 - (line === 1 ? cell.shift : 0));
    if (middle.originalLine === undefined) return undefined;
    const origin = first.findEntry(middle.originalLine, middle.originalColumn);
    if (origin.originalLine === undefined) return undefined;
    const at = origin.originalLine - PREFIX_LINES;
    return at >= 0 && at < cell.lines.length
      ? { line: at + 1, text: cell.lines[at].trim() }
      : undefined;
  }

  /** Whether this line of the JavaScript is the call that tslab puts around the cell. */
  isWrapper(number, line) {
    return line > (this.cells.get(number)?.height ?? Infinity);
  }

  /**
   * The number of the latest of the other cells whose code declares a variable, function, class or
   * import of this name.
   */
  declaring(name) {
    for (const [number, { lines }] of [...this.cells].reverse()) {
      const code = lines.join('\n');
      if (number !== this.current && code.includes(name) && declaredBy(code).has(name))
        return number;
    }
    return undefined;
  }

  /** Line `line` (from 1) of cell `number`. */
  line(number, line) {
    return this.cells.get(number)?.lines[line - 1];
  }
}

module.exports = { CellCode };
