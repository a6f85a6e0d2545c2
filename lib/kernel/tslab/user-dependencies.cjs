// What a cell can import, wherever its notebook lies: the library of this checkout, and files of
// the reader's own, beside the notebook or anywhere else. tslab looks for the library from the
// notebook's folder on, takes files in that folder alone, and checks and compiles all the sources
// that a cell imports, directly or not: the library's too, which takes seconds and fails, as its
// compiler is older than theirs. Here tslab is left with the cell itself.
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');
const { typesOf } = require('../../recital/types.cjs');
const { SourceMap } = Module;

const root = path.resolve(__dirname, '../../..');
const ofLibrary = Module.createRequire(path.join(root, 'lib', 'recital', 'main.cjs'));
const NAME = 'recital';
/**
 * A source that TypeScript compiles here. What Node loads by itself (.mjs, .cjs, .json, packages)
 * is left to it.
 */
const source = /(?<!\.d)\.(?:[mc]?ts|[jt]sx?)$/;
const endings = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx'];
/** An import may name a source by what it is compiled to. */
const compiledTo = { '.js': ['.ts', '.tsx'], '.jsx': ['.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] };

const inside = (folder, file) => {
  const from = path.relative(folder, file);
  return !from.startsWith('..') && !path.isAbsolute(from);
};

class OwnFiles {
  /**
   * @param {object} ts tslab's TypeScript, and `compile(text, options)`: its `transpileModule`,
   * with the stop points of cells
   */
  constructor(ts, compile) {
    Object.assign(this, { ts, compile });
    this.folder = process.cwd(); // the notebook's
    this.programs = new WeakMap(); // program → what its files depend on
    this.compiled = new Map(); // file → { text, code, map, module, needs: the own files that it has loaded }
  }

  /**
   * The compiler's options: tslab's, so that the library is found, and files anywhere with their
   * endings.
   */
  options(options) {
    return {
      ...options,
      rootDir: path.parse(this.folder).root,
      paths: {
        [NAME]: [typesOf(() => this.ts)],
        [`${NAME}/*`]: [path.join(root, 'lib', 'recital', '*')],
      },
      allowImportingTsExtensions: true,
      types: ['node'], // and no globals of other packages, such as mocha's `describe`, which is the library's here
      typeRoots: [path.join(root, 'node_modules', '@types'), ...(options.typeRoots ?? [])],
      inlineSourceMap: true,
    };
  }

  /**
   * Changes the compiler's host in place: in the programs that it makes a cell depends on nothing,
   * and is written to where tslab expects it.
   */
  watch(host) {
    let created; // tslab's listener, which it sets later
    Object.defineProperty(host, 'afterProgramCreate', {
      set: (listener) => {
        created = listener;
      },
      get: () => (builder) => {
        const { getAllDependencies, emit } = builder;
        this.programs.set(builder.getProgram(), getAllDependencies);
        builder.getAllDependencies = (file) => [file.fileName];
        builder.emit = (file, write, ...rest) =>
          emit(file, (name, ...data) => write(`outDir/${path.basename(name)}`, ...data), ...rest);
        created(builder);
      },
    });
    return host;
  }

  /** The reader's own files that a file of a program imports, directly or not. */
  importedBy(program, file) {
    // What is not there now may be there the next time: the compiler hears of it late, and not at
    // all of folders near the root.
    file.resolvedModules?.forEach((found) => {
      if (found && !found.resolvedModule) found.isInvalidated = true;
    });
    const own = (name) => {
      if (name === file.fileName || !source.test(name) || inside(path.join(root, 'lib'), name))
        return false;
      const found = program.getSourceFile(name);
      return (
        found !== undefined &&
        !program.isSourceFileFromExternalLibrary(found) &&
        !/[\\/]node_modules[\\/]/.test(name)
      );
    };
    return (this.programs.get(program)?.(file) ?? [])
      .filter(own)
      .map((name) => program.getSourceFile(name));
  }

  /**
   * Compiles them, if they have changed: these, and what has loaded them, are loaded anew when a
   * cell asks for them.
   */
  take(files) {
    const changed = files.filter(
      ({ fileName, text }) => this.compiled.get(fileName)?.text !== text,
    );
    for (const { fileName, text } of changed) {
      const { outputText, sourceMapText } = this.compile(text, {
        fileName,
        compilerOptions: this.compilerOptions(),
      });
      const code = outputText.replace(/\n?\/\/# sourceMappingURL=\S*\s*$/, '\n');
      this.compiled.set(fileName, {
        text,
        code,
        map: sourceMapText,
        module: undefined,
        needs: new Set(),
      });
    }
    if (changed.length === 0) return;
    const fresh = new Set(changed.map(({ fileName }) => fileName));
    const stale = (name, seen = new Set()) =>
      fresh.has(name) ||
      (!seen.has(name) &&
        seen.add(name) &&
        [...this.compiled.get(name).needs].some((other) => stale(other, seen)));
    for (const [name, entry] of this.compiled) if (stale(name)) entry.module = undefined;
  }

  compilerOptions() {
    const { ModuleKind, ScriptTarget, JsxEmit } = this.ts;
    return {
      module: ModuleKind.CommonJS,
      target: ScriptTarget.ES2022,
      esModuleInterop: true,
      experimentalDecorators: true,
      jsx: JsxEmit.React,
      sourceMap: true,
    };
  }

  /**
   * The own file that an import means: `./a`, `./a.ts`, `./a.js` of an a.ts, a folder with an
   * index.ts; undefined for anything else.
   */
  resolve(from, id) {
    if (typeof id !== 'string' || !/^\.{0,2}[\\/]|^\.{1,2}$|^[A-Za-z]:[\\/]/.test(id))
      return undefined;
    const file = path.resolve(from, id);
    const ending = path.extname(file);
    const names = [
      file,
      ...(compiledTo[ending] ?? []).map((other) => file.slice(0, -ending.length) + other),
    ];
    names.push(
      ...endings.map((other) => file + other),
      ...endings.map((other) => path.join(file, `index${other}`)),
    );
    return names.map((name) => name.replace(/\\/g, '/')).find((name) => this.compiled.has(name)); // TypeScript's names have slashes
  }

  /**
   * The `require` of a cell or of an own file.
   * @param {NodeJS.Require} original tslab's, or Node's for that file
   * @param {string} folder where the file lies
   * @param {NodeJS.Require} tslab tslab's
   * @param {Set<string>} needs takes the own files that are loaded
   */
  requirer(original, folder, tslab = original, needs = new Set()) {
    return new Proxy(original, {
      apply: (_target, self, [id, ...rest]) => {
        if (id === 'tslab') return tslab(id);
        if (id === NAME || (typeof id === 'string' && id.startsWith(`${NAME}/`)))
          return ofLibrary(id);
        const file = this.resolve(folder, id);
        if (file) {
          needs.add(file);
          return this.load(file, tslab).exports;
        }
        try {
          return original.call(self, id, ...rest);
        } catch (error) {
          throw withoutInvented(error);
        }
      },
    });
  }

  load(file, tslab) {
    const entry = this.compiled.get(file);
    if (entry.module) return entry.module;
    const folder = path.dirname(file);
    const own = new Module(file, module);
    own.filename = file;
    own.paths = Module._nodeModulePaths(folder);
    own.require = this.requirer(Module.createRequire(file), folder, tslab, entry.needs);
    entry.module = own; // before it has run: files may import each other
    try {
      const run = vm.compileFunction(
        entry.code,
        ['exports', 'require', 'module', '__filename', '__dirname'],
        { filename: file },
      );
      run.call(own.exports, own.exports, own.require, own, file, folder);
      own.loaded = true;
    } catch (error) {
      entry.module = undefined;
      throw error;
    }
    return own;
  }

  /** A diagnostic as tslab gives them, of one in an own file. */
  placed({ file, start, length, messageText, category, code }) {
    const first = fs.existsSync(file.fileName) ? 0 : 1; // a cell with @module, above which tslab puts a line
    const at = (position) => {
      const { line, character } = file.getLineAndCharacterOfPosition(position);
      return { offset: position, line: line - first, character };
    };
    return {
      start: at(start),
      end: at(start + length),
      messageText,
      category,
      code,
      fileName: this.shown(file.fileName),
    };
  }

  /** How a file is named to the reader: as seen from the notebook. */
  shown(file) {
    return path.relative(this.folder, file);
  }

  /**
   * The line (from 1) of an own file for a position in its JavaScript, and its text; undefined for
   * other files.
   */
  locate(file, line, column) {
    const entry = this.compiled.get(file.replace(/\\/g, '/'));
    if (!entry) return undefined;
    entry.parsed ??= new SourceMap(JSON.parse(entry.map));
    const { originalLine } = entry.parsed.findEntry(line - 1, column - 1);
    if (originalLine === undefined) return undefined;
    const lines = entry.text.split('\n');
    const at = fs.existsSync(file) ? originalLine : originalLine - 1;
    return { file: this.shown(file), line: at + 1, text: lines[originalLine]?.trim() ?? '' };
  }
}

/** Node names the file that asked: for a cell, one that tslab has invented. */
function withoutInvented(error) {
  if (
    error?.code === 'MODULE_NOT_FOUND' &&
    /[\\/]src\.js$/.test(error.requireStack?.at(-1) ?? '')
  ) {
    error.message = error.message.replace(/\nRequire stack:[\s\S]*$/, '');
    if (error.requireStack.length > 1) error.message += ` (imported by ${error.requireStack[0]})`;
  }
  return error;
}

module.exports = { OwnFiles };
