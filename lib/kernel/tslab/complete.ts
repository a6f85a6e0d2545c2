// What Tab and Shift-Tab show at a position in a cell, and whether a cell can be run as it stands.
// tslab hands on only a part of what its compiler knows.
import type { Content } from '../protocol.js';
import { Tooltip } from './tooltip.js';
import {
  type Checker,
  type CompletionInfo,
  compiler,
  type Executor,
  isCell,
  ofEarlierCells,
  PREFIX,
  type SourceFile,
  type ts,
} from './tslab.js';

/** The file and the checker that the compiler has looked with. */
interface Seen {
  file?: SourceFile;
  checker?: Checker;
}

/**
 * Code and position of a request. Jupyter counts characters, JavaScript those beyond U+FFFF as two.
 */
function positionIn(request: Content): { code: string; position: number } {
  const code = String(request.code);
  const characters = [...code].slice(0, Number(request.cursor_pos));
  return { code, position: characters.join('').length };
}
const toCharacters = (code: string, index: number): number => [...code.slice(0, index)].length;

/**
 * Answers "inspect" and "complete". It answers in any case: the compiler may throw on incomplete
 * code, and a front end that gets no answer waits for ever.
 */
export class CodeAssistant {
  private readonly seen: Seen = {};
  private readonly checkers = new WeakMap<SourceFile, Checker>();

  /** Must be made before tslab makes its compiler. */
  constructor() {
    watchCompiler(this.seen);
  }

  /** The reply with the tooltip for a position. */
  inspect(executor: Executor, request: Content): Content {
    const nothing = { status: 'ok', found: false, data: {}, metadata: {} };
    try {
      const { code, position } = positionIn(request);
      const looked = this.look(executor, code, position);
      const cursor = looked && new SymbolAtCursor(looked.checker, looked.file);
      const symbol = cursor?.at(position + PREFIX.length);
      const text = cursor && symbol && new Tooltip(looked.checker, cursor).of(symbol);
      return text ? { ...nothing, found: true, data: { 'text/plain': text } } : nothing;
    } catch {
      return nothing;
    }
  }

  /**
   * Has tslab look at a position, and returns the file and the checker that it looked with. For
   * code that tslab has just seen, it takes the checker of then, which may have nothing new to
   * make: so that checker is kept, and where there is none, the code is changed a little.
   */
  private look(executor: Executor, code: string, position: number): Required<Seen> | undefined {
    const { seen, checkers } = this;
    for (const end of ['', '\n']) {
      seen.checker = undefined;
      executor.inspect(code + end, position);
      const { file } = seen;
      const checker = seen.checker ?? (file && checkers.get(file));
      if (!file || !checker) continue;
      checkers.set(file, checker);
      return { checker, file };
    }
    return undefined;
  }

  /** The reply with the completions at a position, which replace what has been typed. */
  complete(executor: Executor, request: Content): Content {
    try {
      this.seen.checker = undefined;
      const { code, position } = positionIn(request);
      const answer = executor.complete(code, position);
      const { file } = this.seen;
      const checker = this.seen.checker ?? (file && this.checkers.get(file));
      const { start, end, matches } = completions(answer, code, { file, checker });
      const [from, to] = [toCharacters(code, start), toCharacters(code, end)];
      const typed = matches.map((match) => ({ ...match, start: from, end: to }));
      return {
        status: 'ok',
        matches: matches.map(({ text }) => text),
        cursor_start: from,
        cursor_end: to,
        metadata: { _jupyter_types_experimental: typed },
      };
    } catch {
      return { status: 'ok', matches: [], cursor_start: 0, cursor_end: 0, metadata: {} };
    }
  }
}

/**
 * Watches TypeScript for the file and the checker of an answer, which tslab keeps to itself: the
 * compiler asks for the classes of its objects anew for each program, and every type is made with
 * the checker it belongs to.
 */
function watchCompiler(seen: Seen): void {
  const { objectAllocator } = compiler();
  const Type = objectAllocator.getTypeConstructor();
  class WatchedType extends (Type as new (checker: Checker, flags: ts.TypeFlags) => object) {
    constructor(checker: Checker, flags: ts.TypeFlags) {
      super(checker, flags);
      seen.checker = checker;
    }
  }
  objectAllocator.getTypeConstructor = () => WatchedType as unknown as typeof Type;
  const { prototype } = objectAllocator.getSourceFileConstructor();
  const { getChildren } = prototype;
  prototype.getChildren = function (this: SourceFile, ...args) {
    if (isCell(this.fileName)) seen.file = this;
    return getChildren.apply(this, args);
  };
}

/**
 * Finds what a position in a cell is about: the name that it touches, or else the call, or the
 * option of a call, that it stands in.
 */
export class SymbolAtCursor {
  private readonly compiler = compiler();

  constructor(
    private readonly checker: Checker,
    private readonly file: SourceFile,
  ) {}

  at(position: number): ts.Symbol | undefined {
    const own = this.compiler;
    const token = own.getTouchingPropertyName(this.file, position);
    const isName =
      own.isIdentifier(token) ||
      (own.isStringLiteral(token) && own.isPropertyAssignment(token.parent));
    return isName ? this.symbolOf(token) : this.around(position);
  }

  /** The symbol that a name stands for, or that it would stand for if it were imported. */
  private symbolOf(name: ts.Identifier | ts.StringLiteral): ts.Symbol | undefined {
    const { checker } = this;
    const known = (symbol: ts.Symbol | undefined): ts.Symbol | undefined =>
      symbol && !checker.isUnknownSymbol(symbol) ? this.resolved(symbol) : undefined;
    const found = known(this.option(name)) ?? known(checker.getSymbolAtLocation(name));
    const { parent } = name;
    if (found || (this.compiler.isPropertyAccessExpression(parent) && parent.name === name))
      return found;
    const { Type } = this.compiler.SymbolFlags;
    return (
      known(checker.resolveName(name.text, name, Type, false)) ?? known(this.exported(name.text))
    );
  }

  private resolved(symbol: ts.Symbol): ts.Symbol | undefined {
    const isAlias = symbol.flags & this.compiler.SymbolFlags.Alias;
    const aliased = isAlias ? this.checker.getAliasedSymbol(symbol) : symbol;
    const isKnown = !this.checker.isUnknownSymbol(aliased) && aliased.declarations?.length;
    return isKnown ? aliased : undefined;
  }

  /** The declared option that a name in an object literal gives a value to. */
  private option(name: ts.Node): ts.Symbol | undefined {
    const own = this.compiler;
    const element = own.getContainingObjectLiteralElement(name);
    const type = element && this.checker.getContextualType(element.parent);
    if (!type) return undefined;
    return own.getPropertySymbolsFromContextualType(element, this.checker, type, false)[0];
  }

  /** What the modules that the notebook imports from export by a name. */
  private exported(name: string): ts.Symbol | undefined {
    for (const exported of this.modules()) {
      const found = exported.find((symbol) => symbol.name === name);
      if (found) return found;
    }
    return undefined;
  }

  /** The exports of each module that this cell and the earlier ones import from. */
  private *modules(): Generator<ts.Symbol[]> {
    const seen = new Set<ts.Symbol>();
    const { file } = this;
    for (const statement of [...file.statements, ...(file.parent?.statements ?? [])]) {
      if (!this.compiler.isImportDeclaration(statement)) continue;
      const module = this.checker.getSymbolAtLocation(statement.moduleSpecifier);
      if (!module || seen.has(module)) continue;
      seen.add(module);
      yield this.checker.getExportsOfModule(module);
    }
  }

  /** Everything that the module of a public symbol exports; nothing for other symbols. */
  besides(symbol: ts.Symbol): ts.Symbol[] {
    for (const exported of this.modules()) {
      const all = exported.flatMap((each) => this.resolved(each) ?? []);
      if (all.includes(symbol)) return all;
    }
    return [];
  }

  /** The function called, or the option whose value is written, around a position. */
  private around(position: number): ts.Symbol | undefined {
    const own = this.compiler;
    const { file } = this;
    let node = own.findPrecedingToken(position, file);
    for (; node && node !== file; node = node.parent) {
      const isInBody =
        own.isBlock(node) && (position < node.end || file.text[node.end - 1] !== '}');
      if (isInBody) return undefined; // of a function
      if (own.isPropertyAssignment(node) && position > node.name.end) {
        const option = this.option(node.name);
        if (option) return option;
      }
      if (!own.isCallExpression(node) && !own.isNewExpression(node)) continue;
      const { expression } = node;
      if (!node.arguments || position <= expression.end) continue;
      const name = own.isPropertyAccessExpression(expression) ? expression.name : expression;
      const symbol = this.checker.getSymbolAtLocation(name);
      return symbol && this.resolved(symbol);
    }
    return undefined;
  }
}

/** JupyterLab's words for the kinds of TypeScript; it draws a sign for each. */
const kinds: Record<string, string> = {
  const: 'variable',
  let: 'variable',
  var: 'variable',
  'local var': 'variable',
  alias: 'variable',
  string: 'value',
  getter: 'property',
  setter: 'property',
  'local function': 'function',
};
const GLOBAL = '15'; // what the compiler sorts global names by
/**
 * Where global types are declared that programs for Node are written with: not those of browsers,
 * which some package brings along.
 */
const inNode =
  /[\\/]lib\.(es|decorators)[^\\/]*\.d\.ts$|[\\/]@types[\\/]node[\\/]|^(?!.*[\\/]node_modules[\\/])/;

/** Completions in Jupyter's form, of tslab's answer for the stretch `start … end` of the code. */
function completions(
  { start, end, candidates, original }: CompletionInfo,
  code: string,
  seen: Seen,
): { start: number; end: number; matches: { text: string; type: string }[] } {
  const byName = new Map((original?.entries ?? []).map((entry) => [entry.name, entry]));
  // Between quotes tslab offers all texts at the cursor, so that what was typed would stand twice.
  const inQuotes = [...byName.values()].find(
    (entry) => entry.kind === 'string' && entry.replacementSpan,
  );
  const span = start === end ? inQuotes?.replacementSpan : undefined;
  const from = span ? span.start - PREFIX.length : start;
  const to = span ? from + span.length : end;
  const typed = code.slice(from, start).toLowerCase();
  const isMatch = (text: string): boolean =>
    (start !== end || text.toLowerCase().startsWith(typed)) && exists(byName.get(text), seen);
  const matches = candidates.filter(isMatch).map((text) => {
    const kind = byName.get(text)?.kind ?? '';
    return { text: text.replace(/^"([^"'\\]*)"$/, "'$1'"), type: kinds[kind] ?? kind };
  });
  return { start: from, end: to, matches };
}

/** Whether a name exists when the cell runs; of a type, whether it is one of Node's. */
function exists(entry: ts.CompletionEntry | undefined, { file, checker }: Seen): boolean {
  if (entry?.sortText !== GLOBAL || entry.kind === 'keyword' || entry.name in globalThis)
    return true;
  const { Value, Type, Namespace } = compiler().SymbolFlags;
  const symbol = file && checker?.resolveName(entry.name, file, Value | Type | Namespace, false);
  if (!symbol) return true;
  const files = (symbol.declarations ?? []).map((each) => each.getSourceFile().fileName);
  // Values that Node has are in globalThis. Others of that name exist if a cell has declared them.
  const isValue = symbol.flags & Value && !(symbol.flags & Namespace);
  return files.some((each) => (isValue ? ofEarlierCells(each) : inNode.test(each)));
}

/** Errors of a text that ends too early: in a template string, or in a comment. */
const unterminated = new Set([1160, 1010]);
/** Errors of a string or regular expression that does not end in its line: no next line helps. */
const broken = new Set([1002, 1161]);

/**
 * The reply to is_complete_request, which consoles send: `incomplete` where more must follow,
 * `invalid` where nothing that follows can help.
 */
export function isComplete(code: string): { status: string; indent?: string } {
  if (/(^|\n)\s*\n\s*$/.test(code)) return { status: 'complete' }; // two empty lines: run it as it is
  const { createSourceFile, ScriptKind, ScriptTarget } = compiler();
  const text = PREFIX + code; // with the prefix, `await` is allowed outside of functions
  const file = createSourceFile('cell.ts', text, ScriptTarget.Latest, true, ScriptKind.TS);
  const [first] = (file as SourceFile).parseDiagnostics;
  if (!first) return { status: 'complete' };
  const isAtEnd =
    first.start >= PREFIX.length + code.trimEnd().length || unterminated.has(first.code);
  if (!isAtEnd || broken.has(first.code)) return { status: 'invalid' };
  const line = code.slice(code.lastIndexOf('\n') + 1);
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const opens = /[{([]\s*(\/\/.*)?$/.test(line);
  return { status: 'incomplete', indent: opens ? `${indent}  ` : indent };
}
