// The code of cells on its way through tslab: what tslab cannot compile is rewritten, stop points
// are added at which a cell hears that it is to stop, each cell gets a file name, and the source
// maps are kept that tslab drops. tslab compiles a cell twice: TypeScript → JavaScript → CommonJS.
import { SourceMap } from 'node:module';
import vm from 'node:vm';
import { Hints } from './hints.js';
import {
  type Compiler,
  compiler,
  PREFIX,
  REBUILDS,
  type SourceFile,
  type ts,
  tslabRequire,
  WRAPPERS,
} from './tslab.js';
import { UserDependencies, withoutMap } from './user-dependencies.js';

const inlineMap =
  /\n?\/\/# sourceMappingURL=data:application\/json(?:;charset=[^;,]+)?;base64,([A-Za-z0-9+/=]+)\s*$/;
const PREFIX_LINES = PREFIX.split('\n').length - 1;

interface Cell {
  lines: string[];
  /** Where tslab's wrapper ends in the first line of the JavaScript. */
  shift: number;
  /** Lines of the JavaScript. */
  height: number;
  /** Source maps as JSON, the second step's first. */
  maps?: readonly (string | undefined)[];
  parsed?: SourceMap[];
}

/** A line of source, from 1, and its text. */
export interface Place {
  line: number;
  text: string;
}

/** The code of all cells. */
export class CellCode {
  /** The files that cells import. */
  readonly files: UserDependencies;
  private readonly cells = new Map<number, Cell>();
  private current = 0;
  private compiled: { first?: string; second?: string; text: string } | undefined; // the latest
  private elsewhere: ReturnType<UserDependencies['placed']>[] = [];

  /** Must be made before tslab loads TypeScript. */
  constructor(typescriptFile: string) {
    const own = tslabRequire(typescriptFile) as Compiler;
    const compile: Compiler['transpileModule'] = (text, { transformers, ...options }) => {
      const before = [...(transformers?.before ?? []), addStopPoints(own)];
      return own.transpileModule(text, { ...options, transformers: { ...transformers, before } });
    };
    this.files = new UserDependencies(own, compile);
    const module = require.cache[typescriptFile];
    if (module) module.exports = { ...own, ...this.changes(own, compile) };
  }

  /** Functions of TypeScript that explain errors, find what cells import, and keep source maps. */
  private changes(own: Compiler, compile: Compiler['transpileModule']): Partial<Compiler> {
    const { files } = this;
    const create = own.createWatchCompilerHost as (
      names: string[],
      options: ts.CompilerOptions,
      system: ts.System,
      ...rest: unknown[]
    ) => ts.WatchCompilerHost<ts.BuilderProgram>;
    const watch: typeof create = (names, options, system, ...rest) =>
      files.watch(create(names, files.options(options), separateTimers(system), ...rest));
    return {
      createWatchCompilerHost: watch as Compiler['createWatchCompilerHost'],
      getPreEmitDiagnosticsOfFiles: (program, [cell]) => {
        const imported = files.importedBy(program, cell);
        files.take(imported);
        const diagnose = (file: ts.SourceFile): readonly ts.Diagnostic[] =>
          own.getPreEmitDiagnosticsOfFiles(program, [file]);
        const hints = new Hints(own, program, { declaring: (name) => this.declaring(name) });
        this.elsewhere = imported
          .flatMap((file) => hints.explain(file, diagnose(file)))
          .map((diagnostic) => files.placed(diagnostic));
        return hints.explain(cell, [...diagnose(cell), ...hints.unsaid(cell)]);
      },
      transpileModule: (input, options) => {
        const first = inlineMap.exec(input);
        const compilerOptions = { ...options.compilerOptions, sourceMap: true };
        const result = compile(input.replace(inlineMap, ''), { ...options, compilerOptions });
        const text = withoutMap(result.outputText);
        this.compiled = { first: first?.[1], second: result.sourceMapText, text };
        return { ...result, outputText: text };
      },
    };
  }

  /** Errors of files that the cell compiled last imports, as tslab tells those of the cell. */
  takeElsewhere(): CellCode['elsewhere'] {
    return this.elsewhere.splice(0);
  }

  /**
   * Gives the code of each cell a file name, `cell[3]`, which its stack frames then show.
   * @param section runs code that an interrupt ends
   */
  patchVm(section: <T>(work: () => T) => T): void {
    const { runInThisContext } = vm;
    vm.runInThisContext = (code, options) => {
      const wrapper = typeof code === 'string' && WRAPPERS.find((each) => code.startsWith(each));
      const given = typeof options === 'string' ? { filename: options } : options;
      if (!wrapper || given?.filename) return runInThisContext(code, options);
      const cell = this.cells.get(this.current);
      const { compiled } = this;
      if (cell && compiled && code.startsWith(compiled.text, wrapper.length)) {
        const first = compiled.first && Buffer.from(compiled.first, 'base64').toString();
        cell.shift = wrapper.length;
        cell.height = compiled.text.split('\n').length;
        cell.maps = [compiled.second, first];
      }
      const filename = `cell[${this.current}]`;
      return section(() => runInThisContext(code, { ...given, breakOnSigint: false, filename }));
    };
  }

  /** Cell `number` is about to run. */
  begin(number: number, source: string): void {
    this.current = number;
    this.cells.set(number, { lines: source.split('\n'), shift: 0, height: Infinity });
  }

  /** The line of cell `number` that a position in its JavaScript came from, where that is known. */
  locate(number: number, line: number, column: number): Place | undefined {
    const cell = this.cells.get(number);
    if (!cell?.maps) return undefined;
    cell.parsed ??= cell.maps.flatMap((text) => (text ? [new SourceMap(JSON.parse(text))] : []));
    const [second, first] = cell.parsed;
    if (!first) return undefined;
    const middle = second.findEntry(line - 1, column - 1 - (line === 1 ? cell.shift : 0));
    if (!('originalLine' in middle)) return undefined;
    const origin = first.findEntry(middle.originalLine, middle.originalColumn);
    if (!('originalLine' in origin)) return undefined;
    const at = origin.originalLine - PREFIX_LINES;
    return cell.lines[at] === undefined ? undefined : { line: at + 1, text: cell.lines[at].trim() };
  }

  /** Whether this line of the JavaScript is the call that tslab puts around the cell. */
  isWrapper(number: number, line: number): boolean {
    return line > (this.cells.get(number)?.height ?? Infinity);
  }

  /** The latest of the other cells that declares a variable, function, class or import. */
  private declaring(name: string): number | undefined {
    for (const [number, { lines }] of [...this.cells].reverse()) {
      const code = lines.join('\n');
      if (number !== this.current && code.includes(name) && declares(code, name)) return number;
    }
    return undefined;
  }

  /** Line `line`, from 1, of cell `number`. */
  line(number: number, line: number): string | undefined {
    return this.cells.get(number)?.lines[line - 1];
  }
}

/** Whether code declares a name outside of functions and blocks. */
function declares(code: string, name: string): boolean {
  const own = compiler();
  const file = own.createSourceFile('cell.ts', PREFIX + code, own.ScriptTarget.ES2022, true);
  own.bindSourceFile(file, {});
  return (file as SourceFile).locals?.has(name) ?? false;
}

/**
 * Gives timers of their own to all of the compiler but the one function whose timer tslab keeps, to
 * fire it itself before each cell. The compiler sets others when files appear where it has looked
 * in vain for an import; tslab would throw "Unexpected pending rebuildTimer", and no cell would
 * work any more. Changes tslab's system in place.
 */
function separateTimers(system: ts.System): ts.System {
  const { setTimeout: setRebuild, clearTimeout: clearRebuild } = system;
  const others = new Set<NodeJS.Timeout>();
  system.setTimeout = (callback, delay, ...args) => {
    if (callback.name === REBUILDS) return setRebuild?.(callback, delay);
    const timer = setTimeout(() => {
      others.delete(timer);
      callback(...args);
    }, delay);
    others.add(timer.unref());
    return timer;
  };
  system.clearTimeout = (timer: NodeJS.Timeout) => {
    if (others.delete(timer)) clearTimeout(timer);
    else clearRebuild?.(timer);
  };
  return system;
}

/**
 * Rewrites what tslab cannot compile; lines stay where they are.
 * - `{ plays }` becomes `{ plays: plays }`. tslab turns names of earlier cells into members of
 *   `exports`, but misses shorthand properties, which then fail with "plays is not defined".
 * - `fs = await import('node:fs')` gets the type `typeof import('node:fs')`. The type that the
 *   compiler finds for later cells contains names that cannot be written there.
 */
export function rewriteDeclarations(code: string): string {
  if (!/\{|\bimport\b/.test(code)) return code;
  const own = compiler();
  const file = own.createSourceFile('cell.ts', code, own.ScriptTarget.ES2022, true);
  const insertions: [at: number, text: string][] = [];
  const visit = (node: ts.Node): void => {
    if (own.isShorthandPropertyAssignment(node))
      insertions.push([node.name.getStart(file), `${node.name.text}: `]);
    else if (own.isVariableDeclaration(node) && own.isIdentifier(node.name) && !node.type) {
      const module = node.initializer && awaitedModule(own, node.initializer);
      if (module) insertions.push([node.name.end, `: typeof import(${module.getText(file)})`]);
    }
    own.forEachChild(node, visit);
  };
  visit(file);
  return insertions.reduceRight(
    (text, [at, inserted]) => text.slice(0, at) + inserted + text.slice(at),
    code,
  );
}

/** The name of the module in `await import('node:fs')`. */
function awaitedModule(own: Compiler, value: ts.Expression): ts.StringLiteral | undefined {
  const call = own.isAwaitExpression(value) ? value.expression : value;
  if (call === value || !own.isCallExpression(call)) return undefined;
  if (call.expression.kind !== own.SyntaxKind.ImportKeyword) return undefined;
  const [module] = call.arguments;
  return module && own.isStringLiteral(module) ? module : undefined;
}

/** What cells call at their stop points. */
export interface StopPoints {
  /** After an await, which gave `value`. Throws if nothing is waited for any more. */
  resumed<T>(value: T): T;
  /** In a loop. Throws if the cell was stopped and none of its work stops by itself. */
  round(): void;
  /** Whether `round` has something to do: cheap. */
  asked(): boolean;
  /** Below a statement that awaits. Throws if the cell was stopped. */
  ended(): void;
}
const STOP_POINTS = Symbol.for('recital.stopPoints');

/** Says what cells call at their stop points. */
export function onStopPoint(points: StopPoints): void {
  Object.assign(globalThis, { [STOP_POINTS]: points });
}

/** Code that is added to cells. Every 64th round asks; asking takes 4 ns. */
const added = {
  names: `let { asked: recital_asked, round: recital_round, resumed: recital_resumed, ended: recital_ended } = globalThis[Symbol.for("recital.stopPoints")], recital_rounds = 0;`,
  seldom:
    'if ((recital_rounds = recital_rounds + 1 & 63) === 0 && recital_asked()) recital_round();',
  often: 'if (recital_asked()) recital_round();',
  always: 'recital_round();',
  ended: 'recital_ended();',
};

/**
 * A transformation of a cell's code that adds stop points. Positions stay as they are, for source
 * maps.
 * - `await x` becomes `resumed(await x)`: a loop of a stopped cell does not run on in the background.
 * - A loop calls `round` in each round if it awaits, else now and then, so that a loop that gives no
 *   turns ends. Loops that only count and call nothing go without: they must be fast, and end soon.
 * - A statement with an `await` outside of functions is followed by `ended()`: what stands below a
 *   training that was stopped is not run, and what the training returned is kept.
 * A `finally` is left as it is: it must run to its end.
 */
function addStopPoints(own: Compiler): ts.TransformerFactory<ts.SourceFile> {
  return (context) => {
    const { factory } = context;
    const [names, seldom, often, always, ended] = Object.values(added).map((code) =>
      parsed(own, code),
    );
    const resumed = factory.createIdentifier('recital_resumed');
    let isUsed = false;
    let depth = 0; // functions around
    const withEnds = (
      before: readonly ts.Statement[],
      after: readonly ts.Statement[],
    ): ts.Statement[] =>
      after.flatMap((each, i) => (depth === 0 && waits(own, before[i]) ? [each, ended] : [each]));
    const visit = (node: ts.Node): ts.Node => {
      if (own.isTryStatement(node) && node.finallyBlock) {
        const tried = own.visitNode(node.tryBlock, visit) as ts.Block;
        const caught = own.visitNode(node.catchClause, visit) as ts.CatchClause | undefined;
        return factory.updateTryStatement(node, tried, caught, node.finallyBlock);
      }
      const isDeeper = own.isFunctionLike(node) || own.isClassLike(node);
      if (isDeeper) depth++;
      const result = changed(node, own.visitEachChild(node, visit, context));
      if (isDeeper) depth--;
      return result;
    };
    const changed = (before: ts.Node, node: ts.Node): ts.Node => {
      if (own.isBlock(node) && own.isBlock(before))
        return factory.updateBlock(node, withEnds(before.statements, node.statements));
      if (own.isAwaitExpression(node)) {
        isUsed = true;
        return own.setTextRange(factory.createCallExpression(resumed, undefined, [node]), before);
      }
      if (!own.isIterationStatement(node, false) || isSoonOver(own, before)) return node;
      isUsed = true;
      const { statement } = before as ts.IterationStatement;
      const isAwaiting = own.isForOfStatement(node) && node.awaitModifier !== undefined;
      const hasFewRounds = own.isForOfStatement(node) || holdsMore(own, statement); // which may be long
      const check = isAwaiting || awaits(own, statement) ? always : hasFewRounds ? often : seldom;
      const body = factory.createBlock([check, node.statement]);
      return own.visitEachChild(
        node,
        (child) => (child === node.statement ? body : child),
        context,
      );
    };
    return (file) => {
      const result = own.visitNode(file, visit) as ts.SourceFile;
      if (!isUsed) return result;
      return factory.updateSourceFile(result, [
        names,
        ...withEnds(file.statements, result.statements),
      ]);
    };
  };
}

/** The statement that a line of code is, without positions, so that source maps leave it out. */
function parsed(own: Compiler, code: string): ts.Statement {
  const [statement] = own.createSourceFile('added.js', code, own.ScriptTarget.ES2022).statements;
  const place = (node: ts.Node): void => {
    Object.assign(node, { pos: -1, end: -1, flags: node.flags | own.NodeFlags.Synthesized });
    own.forEachChild(node, place);
  };
  place(statement);
  return statement;
}

/** Whether a loop counts, and neither calls anything nor holds another loop or an await. */
function isSoonOver(own: Compiler, loop: ts.Node): boolean {
  if (!own.isForStatement(loop) || !loop.condition || !loop.incrementor) return false;
  const takesLong = (node: ts.Node): boolean =>
    own.isCallExpression(node) ||
    own.isNewExpression(node) ||
    own.isTaggedTemplateExpression(node) ||
    own.isAwaitExpression(node) ||
    own.isYieldExpression(node) ||
    own.isIterationStatement(node, false) ||
    own.forEachChild(node, takesLong) === true;
  return own.forEachChild(loop, takesLong) !== true;
}

/** Whether a node contains an await that is not inside of a function. */
function awaits(own: Compiler, node: ts.Node): boolean {
  if (own.isAwaitExpression(node)) return true;
  if (own.isFunctionLike(node) || own.isClassLike(node)) return false;
  return own.forEachChild(node, (child) => awaits(own, child)) === true;
}

/** Whether a node contains a loop, or a `try`, which may swallow what its loops throw. */
function holdsMore(own: Compiler, node: ts.Node): boolean {
  if (own.isIterationStatement(node, false) || own.isTryStatement(node)) return true;
  return own.forEachChild(node, (child) => holdsMore(own, child)) === true;
}

/** Whether this is an expression or a declaration of variables that awaits. */
function waits(own: Compiler, statement: ts.Statement): boolean {
  const isPlain = own.isExpressionStatement(statement) || own.isVariableStatement(statement);
  return isPlain && awaits(own, statement);
}
