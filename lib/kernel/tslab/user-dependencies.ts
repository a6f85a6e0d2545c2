// What a cell can import, wherever its notebook lies: the library of this checkout, and the
// reader's own files, beside the notebook or anywhere else. tslab looks for the library from the
// notebook's folder on, accepts files of that folder only, and checks and compiles all sources that
// a cell imports: the library's too, which takes seconds and fails, since its TypeScript is older
// than theirs. Here tslab is left with the cell itself.
import fs from 'node:fs';
import Module, { SourceMap } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import type { Place } from './cell-code.js';
import type { Compiler, Diagnostic, SourceFile, ts } from './tslab.js';

const { typesOf } = require('../../recital/types.cjs') as {
  /** The file with the library's declarations. */
  typesOf(compiler: () => Compiler): string;
};

const root = path.resolve(__dirname, '../../..');
const library = path.join(root, 'lib', 'recital');
const ofLibrary = Module.createRequire(path.join(library, 'main.cjs'));
const NAME = 'recital';
const typesOfNode = path.resolve(require.resolve('@types/node/package.json'), '../..');
/** A source that is compiled here. Node loads .mjs, .cjs, .json and packages itself. */
const source = /(?<!\.d)\.(?:[mc]?ts|[jt]sx?)$/;
const endings = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx'];
/** An import may name a source by what it is compiled to. */
const compiledTo: Record<string, string[]> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

type Require = (id: unknown, ...rest: unknown[]) => unknown;

/** A compiled file. */
interface Entry {
  text: string;
  code: string;
  map: string;
  parsed?: SourceMap;
  module?: NodeJS.Module;
  /** The files that it has loaded. */
  needs: Set<string>;
}

const isInside = (folder: string, file: string): boolean => {
  const from = path.relative(folder, file);
  return !from.startsWith('..') && !path.isAbsolute(from);
};

/** The files that cells import. */
export class UserDependencies {
  /** The notebook's. */
  readonly folder = process.cwd();
  private readonly dependencies = new WeakMap<
    ts.Program,
    (file: ts.SourceFile) => readonly string[]
  >();
  private readonly compiled = new Map<string, Entry>();

  /** @param transpile adds stop points */
  constructor(
    private readonly compiler: Compiler,
    private readonly transpile: Compiler['transpileModule'],
  ) {}

  /** tslab's compiler options, so that the library is found, and files anywhere with any ending. */
  options(options: ts.CompilerOptions): ts.CompilerOptions {
    const types = typesOf(() => this.compiler);
    return {
      ...options,
      rootDir: path.parse(this.folder).root,
      paths: {
        [NAME]: [types],
        [`${NAME}/*`]: [path.dirname(types), library].map((folder) => path.join(folder, '*')),
      },
      allowImportingTsExtensions: true,
      types: ['node'], // and no globals of other packages, such as mocha's `describe`
      typeRoots: [typesOfNode, ...(options.typeRoots ?? [])],
      inlineSourceMap: true,
    };
  }

  /**
   * Changes the compiler's host in place: in its programs a cell depends on nothing, and is written
   * to where tslab expects it.
   */
  watch<T extends ts.WatchCompilerHost<ts.BuilderProgram>>(host: T): T {
    let created: (builder: ts.BuilderProgram) => void = () => {}; // tslab's listener, set later
    Object.defineProperty(host, 'afterProgramCreate', {
      set: (listener) => {
        created = listener;
      },
      get: () => (builder: ts.BuilderProgram) => {
        const { getAllDependencies, emit } = builder;
        this.dependencies.set(builder.getProgram(), getAllDependencies);
        builder.getAllDependencies = (file) => [file.fileName];
        builder.emit = (file, write, ...rest) =>
          emit(file, (name, ...data) => write?.(`outDir/${path.basename(name)}`, ...data), ...rest);
        created(builder);
      },
    });
    return host;
  }

  /** The reader's own files that a file of a program imports, directly or not. */
  importedBy(program: ts.Program, file: ts.SourceFile): SourceFile[] {
    // A missing file may be there the next time: the compiler hears of it late, and not at all of
    // folders near the root.
    (file as SourceFile).resolvedModules?.forEach((found) => {
      if (found && !found.resolvedModule) found.isInvalidated = true;
    });
    return (this.dependencies.get(program)?.(file) ?? []).flatMap((name) => {
      if (name === file.fileName || !source.test(name)) return [];
      if (isInside(path.join(root, 'lib'), name) || /[\\/]node_modules[\\/]/.test(name)) return [];
      const found = program.getSourceFile(name);
      return found && !program.isSourceFileFromExternalLibrary(found) ? [found as SourceFile] : [];
    });
  }

  /**
   * Compiles those of the files that have changed. These, and what has loaded them, are loaded anew
   * when a cell asks for them.
   */
  take(files: readonly ts.SourceFile[]): void {
    const fresh = new Set<string>();
    for (const { fileName, text } of files) {
      if (this.compiled.get(fileName)?.text === text) continue;
      const compilerOptions = this.compilerOptions();
      const { outputText, sourceMapText = '{}' } = this.transpile(text, {
        fileName,
        compilerOptions,
      });
      const code = withoutMap(outputText);
      this.compiled.set(fileName, { text, code, map: sourceMapText, needs: new Set() });
      fresh.add(fileName);
    }
    if (fresh.size === 0) return;
    const isStale = (name: string, seen = new Set<string>()): boolean => {
      if (fresh.has(name)) return true;
      if (seen.has(name)) return false;
      seen.add(name);
      return [...(this.compiled.get(name)?.needs ?? [])].some((other) => isStale(other, seen));
    };
    for (const [name, entry] of this.compiled) if (isStale(name)) entry.module = undefined;
  }

  private compilerOptions(): ts.CompilerOptions {
    const { ModuleKind, ScriptTarget, JsxEmit } = this.compiler;
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
   * The compiled file that an import means: `./a`, `./a.ts`, `./a.js` of an a.ts, a folder with an
   * index.ts; undefined for anything else.
   */
  private resolve(from: string, id: unknown): string | undefined {
    if (typeof id !== 'string' || !/^\.{0,2}[\\/]|^\.{1,2}$|^[A-Za-z]:[\\/]/.test(id))
      return undefined;
    const file = path.resolve(from, id);
    const ending = path.extname(file);
    const bare = file.slice(0, file.length - ending.length);
    const names = [
      file,
      ...(compiledTo[ending] ?? []).map((other) => bare + other),
      ...endings.map((other) => file + other),
      ...endings.map((other) => path.join(file, `index${other}`)),
    ];
    return names.map((name) => name.replace(/\\/g, '/')).find((name) => this.compiled.has(name)); // TypeScript's names have slashes
  }

  /**
   * The `require` of a cell or of a file.
   * @param original tslab's, or Node's for that file
   * @param folder where the file lies
   * @param needs takes the files that are loaded
   */
  requirer(
    original: NodeJS.Require,
    folder: string,
    tslab = original,
    needs = new Set<string>(),
  ): NodeJS.Require {
    return new Proxy(original, {
      apply: (_target, self, [id, ...rest]: [string, ...unknown[]]) => {
        if (id === 'tslab') return tslab(id);
        if (id === NAME || (typeof id === 'string' && id.startsWith(`${NAME}/`)))
          return ofLibrary(id);
        const file = this.resolve(folder, id);
        if (file) {
          needs.add(file);
          return this.load(file, tslab);
        }
        try {
          return (original as Require).call(self, id, ...rest);
        } catch (error) {
          throw withoutInvented(error as NotFound);
        }
      },
    });
  }

  /** What a compiled file exports. */
  private load(file: string, tslab: NodeJS.Require): unknown {
    const entry = this.compiled.get(file);
    if (!entry) return undefined;
    if (entry.module) return entry.module.exports;
    const folder = path.dirname(file);
    const loaded = new Module(file, module);
    loaded.filename = file;
    loaded.paths = (Module as typeof Module & NodePaths)._nodeModulePaths(folder);
    loaded.require = this.requirer(Module.createRequire(file), folder, tslab, entry.needs);
    entry.module = loaded; // before it has run: files may import each other
    try {
      const names = ['exports', 'require', 'module', '__file' + 'name', '__dir' + 'name']; // whole, a bundle replaces them
      const run = vm.compileFunction(entry.code, names, { filename: file });
      run.call(loaded.exports, loaded.exports, loaded.require, loaded, file, folder);
      loaded.loaded = true;
    } catch (error) {
      entry.module = undefined;
      throw error;
    }
    return loaded.exports;
  }

  /** A diagnostic of a file in the form of tslab's. */
  placed(diagnostic: ts.Diagnostic): Diagnostic {
    const { file, start = 0, length = 0, messageText, category, code } = diagnostic;
    const fileName = file?.fileName ?? '';
    const above = linesAbove(fileName);
    const at = (offset: number): Diagnostic['start'] => {
      const { line, character } = file?.getLineAndCharacterOfPosition(offset) ?? {
        line: above,
        character: 0,
      };
      return { offset, line: line - above, character };
    };
    return {
      start: at(start),
      end: at(start + length),
      messageText: this.compiler.flattenDiagnosticMessageText(messageText, '\n'),
      category,
      code,
      fileName: this.shown(fileName),
    };
  }

  /** The name of a file as seen from the notebook. */
  private shown(file: string): string {
    return path.relative(this.folder, file);
  }

  /** The line of a compiled file that a position in its JavaScript came from. */
  locate(file: string, line: number, column: number): (Place & { file: string }) | undefined {
    const entry = this.compiled.get(file.replace(/\\/g, '/'));
    if (!entry) return undefined;
    entry.parsed ??= new SourceMap(JSON.parse(entry.map));
    const origin = entry.parsed.findEntry(line - 1, column - 1);
    if (!('originalLine' in origin)) return undefined;
    const text = entry.text.split('\n')[origin.originalLine]?.trim() ?? '';
    return { file: this.shown(file), line: origin.originalLine + 1 - linesAbove(file), text };
  }
}

interface NodePaths {
  _nodeModulePaths(folder: string): string[];
}

/**
 * Lines that tslab puts above a file: one above a cell with @module, which is no file of the disk.
 */
const linesAbove = (file: string): number => (fs.existsSync(file) ? 0 : 1);

/** Compiled code without the comment that names its source map. */
export const withoutMap = (code: string): string =>
  code.replace(/\n?\/\/# sourceMappingURL=\S*\s*$/, '\n');

type NotFound = (Error & { code?: string; requireStack?: string[] }) | undefined;

/** Node names the file that asked: for a cell, one that tslab has invented. */
function withoutInvented(error: NotFound): NotFound {
  const stack = error?.requireStack ?? [];
  if (error?.code === 'MODULE_NOT_FOUND' && /[\\/]src\.js$/.test(stack.at(-1) ?? '')) {
    error.message = error.message.replace(/\nRequire stack:[\s\S]*$/, '');
    if (stack.length > 1) error.message += ` (imported by ${stack[0]})`;
  }
  return error;
}
