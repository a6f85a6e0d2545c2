// What is wrong with a cell, said so that its author knows what to do. TypeScript nests several
// messages in one, the outermost first, and keeps its best advice ("Did you forget to use
// 'await'?") apart from them. Here each fault is one message, with hints below it.
import path from 'node:path';
import { isIndex, isPromise, Names, near, pythonLine, pythonName, type Said } from './names.js';
import { type Compiler, isCell, type SourceFile, SUFFIX, type ts } from './tslab.js';

const MAX_FAULTS = 10; // shown of a cell
const MAX_LISTED = 16; // options, or choices
const MAX_HEAD = 200; // characters of a message before a shorter one in it is taken

/** TypeScript's codes. */
const AWAIT_OUTSIDE = 1308; // by which tslab sees that a cell awaits, where it is outside of functions
const INVALID_CHARACTER = 1127;
const IMPLICIT_ANY = 7053; // TypeScript's for brackets that select nothing, where it is strict
const OF_BROWSERS = 2584;
const EXPORTED_TWICE = 2323;
const TYPE_AS_VALUE = 2693;
const NO_OVERLOAD = 2769;
const NOTHING_IN_COMMON = 2559;
const unknownName = new Set([
  2304, 2503, 2552, 2580, 2581, 2582, 2583, 2584, 2591, 2592, 2593, 18004,
]);
const unknownMember = new Set([2339, 2550, 2551, 2568]);
const unknownExport = new Set([2305, 2614, 2724]);
const unknownModule = new Set([2307, 2792]);
const unknownOption = new Set([2353, 2561]);
const notIterable = new Set([2461, 2488, 2495]);
const missesMany = new Set([2739, 2740]);
/** "X is not assignable to Y", which one of the messages in it explains. */
const notAssignable = new Set([2322, 2345, 2375, 2379, 2412]);
/** About the types that other cells are told of. */
const ofDeclarations = (code: number): boolean => code >= 4000 && code < 4130;
const AWAIT = "Did you forget to use 'await'?"; // TypeScript's words
const advice = /^(Did you|Do you|It is likely|An argument for|Arguments for)/;

interface Coded {
  text: string;
  code: number;
}
/** A diagnostic of a file. */
type Placed = ts.DiagnosticWithLocation;
/** A fault: a diagnostic whose message is one text. */
type Fault = Placed & { messageText: string };

/** Explains what TypeScript finds wrong with files of a program. */
export class Hints {
  private readonly checker: ts.TypeChecker;
  private readonly names: Names;

  /** @param cells `declaring`: which earlier cell declares a variable of a name */
  constructor(
    private readonly compiler: Compiler,
    program: ts.Program,
    cells: { declaring(name: string): number | undefined },
  ) {
    this.checker = program.getTypeChecker();
    this.names = new Names(compiler, this.checker, cells.declaring);
  }

  /**
   * The same diagnostics, fewer: each with a text whose first line is what is wrong, and whose
   * others are what to do.
   */
  explain(file: ts.SourceFile, diagnostics: readonly ts.Diagnostic[]): Fault[] {
    const unparsed = new Set<ts.Diagnostic>((file as SourceFile).parseDiagnostics);
    const syntax = diagnostics.filter((d): d is Placed => unparsed.has(d));
    if (syntax.length > 0) return limited(this.firstOfEachLine(file, syntax));
    const end = endOf(file);
    const placed = diagnostics.filter((d): d is Placed => d.file !== undefined && d.start! <= end);
    const awaits = placed.filter(({ code }) => code === AWAIT_OUTSIDE);
    const faults = placed.filter(({ code }) => code !== AWAIT_OUTSIDE);
    const own = faults.filter(({ code }) => !ofDeclarations(code));
    const said = (own.length ? own : faults).map((d) => this.fault(d));
    return [...awaits.map((d) => this.fault(d)), ...limited(distinct(said))];
  }

  /** The first error of each line that does not parse; the others follow from it. */
  private firstOfEachLine(file: ts.SourceFile, diagnostics: readonly Placed[]): Fault[] {
    const lines = new Set<number>();
    return diagnostics.flatMap((d) => {
      const start = Math.min(d.start, endOf(file));
      const { line } = file.getLineAndCharacterOfPosition(start);
      if (lines.has(line)) return [];
      lines.add(line);
      const hasQuotes = d.code === INVALID_CHARACTER && /[“”‘’]/.test(file.text[start]);
      const text = pythonLine(file.text.split('\n')[line] ?? '') ?? outermost(d.messageText);
      const hint = hasQuotes ? '\nQuotes are straight ones: \' or ".' : '';
      return [{ ...d, start, messageText: text + hint }];
    });
  }

  private fault(d: Placed): Fault {
    try {
      return { ...d, relatedInformation: undefined, messageText: withoutRows(this.explained(d)) };
    } catch {
      // The compiler may throw on incomplete code.
      const messageText = this.compiler.flattenDiagnosticMessageText(d.messageText, ' ');
      return { ...d, messageText };
    }
  }

  private explained(d: Placed): string {
    const token = this.compiler.getTokenAtPosition(d.file, d.start);
    const node = largestAt(token, d);
    const { text, code } = this.message(d.messageText, d.code);
    const said = this.say(text, code, token, node);
    const related = (d.relatedInformation ?? []).map((each) => outermost(each.messageText));
    const hints = [...related.filter((line) => advice.test(line)), ...(said.hints ?? [])];
    const isSaid = [text, ...hints].some((line) => /'await'\?/.test(line));
    if (!isSaid && this.isPromised(token, node)) hints.unshift(AWAIT);
    return [said.text ?? text, ...new Set(hints)].join('\n');
  }

  /** The message in a chain of them that says most. */
  private message(messageText: string | ts.DiagnosticMessageChain, code: number): Coded {
    if (typeof messageText === 'string') return { text: messageText, code };
    const chain: ts.DiagnosticMessageChain[] = [];
    for (
      let each: ts.DiagnosticMessageChain | undefined = messageText;
      each;
      each = each.next?.[0]
    ) {
      chain.push(each);
      if (each.code === NO_OVERLOAD) return this.overloads(each);
    }
    const [first] = chain;
    const last = chain[chain.length - 1];
    if (unknownMember.has(first.code)) return coded(first);
    const inner = chain.findIndex((each) => !notAssignable.has(each.code));
    if (inner < 0) return coded(first.messageText.length <= MAX_HEAD ? first : last);
    const told = chain
      .slice(inner)
      .filter((each) => !notAssignable.has(each.code) || each === last);
    const [only] = told;
    const saysLess = missesMany.has(only.code) && !only.messageText.startsWith("Type '{");
    if (inner > 0 && told.length === 1 && saysLess) return coded(first);
    return {
      text: told.map((each) => each.messageText).join(' '),
      code: told[told.length - 1].code,
    };
  }

  /** No signature of a function fits: what each of them lacks. */
  private overloads({ messageText, next = [] }: ts.DiagnosticMessageChain): Coded {
    const each = next.map((one) => this.message(one.next?.[0] ?? one, one.code));
    const texts = [...new Set(each.map(({ text }) => text))];
    // For an option that none of them has, the last one is told: by TypeScript's custom it takes
    // most.
    if (texts.length === 1 || each.every(({ code }) => unknownOption.has(code)))
      return each[each.length - 1];
    return { text: [messageText, ...texts.slice(-3)].join(' '), code: NO_OVERLOAD };
  }

  /** The text for a fault, if it should be another, and hints. */
  private say(text: string, code: number, token: ts.Node, node: ts.Node): Said {
    const own = this.compiler;
    const isGuessed = /Did you mean/.test(text);
    if (unknownName.has(code) && own.isIdentifier(token))
      return this.names.unknown(token, text, code === OF_BROWSERS);
    if (code === EXPORTED_TWICE)
      return { hints: ['A cell exports nothing: leave `export` out. Other cells know its names.'] };
    if (code === AWAIT_OUTSIDE) {
      const isInFile = !isCell(token.getSourceFile().fileName);
      return isInFile && !own.findAncestor(token, own.isFunctionLike)
        ? { text: 'Outside of functions `await` works in cells alone: export an async function.' }
        : {};
    }
    if (code === TYPE_AS_VALUE) {
      const hint = pythonName((token as ts.Identifier).text);
      return { hints: hint ? [hint] : [] };
    }
    if (unknownMember.has(code))
      return { text: ofModule(text), hints: this.names.member(token, isGuessed) };
    if (unknownExport.has(code)) return { hints: isGuessed ? [] : this.names.export(token) };
    if (unknownModule.has(code)) return this.names.module(token, text);
    if (unknownOption.has(code) || code === NOTHING_IN_COMMON) return this.option(token, text);
    if (notIterable.has(code)) return { hints: this.rowsOf(node) };
    if (notAssignable.has(code))
      return { hints: [...this.choices(token, text), ...this.extending(token, node)] };
    return missesMany.has(code) ? { hints: this.extending(token, node) } : {};
  }

  /** A name in an object that has no such option. */
  private option(node: ts.Node, text: string): Said {
    const own = this.compiler;
    const object = own.findAncestor(node, own.isObjectLiteralExpression);
    const name = own.isIdentifier(node) || own.isStringLiteral(node) ? node.text : '';
    const plain = text
      .replace('Object literal may only specify known properties, ', '')
      .replace(/^(and|but) (?=')/, '')
      .replace('mean to write', 'mean')
      .replace(
        /(?<= in type ')Partial<.*>(?=')/s,
        (all) => (object && this.declared(object)) ?? all,
      );
    const type = object && this.checker.getContextualType(object);
    if (!type || name === '' || /Did you mean/.test(plain)) return { text: plain };
    const all = partsOf(type).flatMap((each) => this.names.membersOf(each));
    const names = [...new Set(all)].filter((each) => !/^__/.test(each));
    const like = near(name, names);
    if (like) return { text: `${plain} Did you mean '${like}'?` };
    return { text: plain, hints: names.length ? [`There are: ${listed(names)}`] : [] };
  }

  /** What a function calls the type of an argument: TypeScript writes out `Partial<{ … }>`. */
  private declared(object: ts.ObjectLiteralExpression): string | undefined {
    const own = this.compiler;
    const { parent: call } = object;
    if (!own.isCallExpression(call) && !own.isNewExpression(call)) return undefined;
    const declaration = this.checker.getResolvedSignature(call)?.declaration;
    const { type } = (declaration?.parameters[call.arguments?.indexOf(object) ?? -1] ??
      {}) as Partial<ts.ParameterDeclaration>;
    return type && own.isTypeReferenceNode(type as ts.TypeNode) ? type.getText() : undefined;
  }

  /** The texts that may stand here, where one is none of them. */
  private choices(node: ts.Node, text: string): string[] {
    const own = this.compiler;
    const parent = node.parent ?? node;
    const literal = own.isPropertyAssignment(parent) ? parent.initializer : node;
    if (!own.isExpression(literal) || /Did you mean/.test(text)) return [];
    const wanted = this.checker.getContextualType(literal);
    const type = wanted?.isUnion()
      ? wanted
      : wanted && this.checker.getIndexTypeOfType(wanted, own.IndexKind.Number);
    const texts = type?.isUnion()
      ? type.types.flatMap((each) => (each.isStringLiteral() ? [each.value] : []))
      : [];
    if (texts.length === 0) return [];
    if (own.isIdentifier(literal)) {
      const hint = `The texts of ${literal.text} may be any. Declare it with \`as const\` at the end.`;
      return /^(Type|Argument of type) 'string(\[\])?'/.test(text) ? [hint] : [];
    }
    if (!own.isStringLiteralLike(literal)) return [];
    const like = near(literal.text, texts);
    const all = listed(texts.map((each) => `'${each}'`));
    return [like ? `Did you mean '${like}'?` : `There are: ${all}`];
  }

  /** An object in the place of an instance of a class that is there to be extended. */
  private extending(token: ts.Node, node: ts.Node): string[] {
    const own = this.compiler;
    const { parent } = token;
    const value =
      own.isPropertyAssignment(parent) && parent.name === token ? parent.initializer : undefined;
    const given =
      value ??
      own.findAncestor(token, own.isObjectLiteralExpression) ??
      (own.isExpression(node) ? node : undefined);
    const wanted = given && this.checker.getContextualType(given);
    const base = (wanted ? partsOf(wanted) : []).find(({ symbol }) => {
      const declared = symbol?.valueDeclaration;
      if (!declared || !own.isClassDeclaration(declared)) return false;
      return (own.getCombinedModifierFlags(declared) & own.ModifierFlags.Abstract) !== 0;
    });
    if (!base) return [];
    const { name } = base.symbol;
    return [
      `It must be of a class that extends ${name}: class Mine extends ${name} { … }. Shift-Tab on ${name} shows an example.`,
    ];
  }

  /** What to loop over instead of a value of the library that is no list. */
  private rowsOf(node: ts.Node): string[] {
    const type = this.checker.getTypeAtLocation(node);
    const value = node.getText();
    if (this.names.has(type, 'rows')) return [`Its rows are ${value}.rows().`];
    const converted = this.names.conversion(type, 'rows');
    return converted ? [`Its rows are ${value}.${converted}().rows().`] : [];
  }

  /** Whether the value in question is a promise: itself, its initializer, or its owner. */
  private isPromised(token: ts.Node, node: ts.Node): boolean {
    const own = this.compiler;
    const { parent } = token;
    const values: (ts.Node | undefined)[] = [node];
    if (own.isPropertyAccessExpression(parent) || own.isElementAccessExpression(parent))
      values.push(parent.expression);
    const { initializer, name } = parent as Partial<ts.VariableDeclaration>;
    if (initializer && name === token) values.push(initializer);
    if (own.isBindingElement(parent))
      values.push(own.findAncestor(token, own.isVariableDeclaration)?.initializer);
    return values.some(
      (value) =>
        value &&
        own.isExpression(value) &&
        !own.isStringLiteral(value) &&
        isPromise(this.checker.getTypeAtLocation(value)),
    );
  }

  /**
   * Faults that TypeScript passes over: `plays[0]` and `table['artist']`, which are undefined, and
   * promises as texts and as conditions.
   */
  unsaid(file: ts.SourceFile): Fault[] {
    const own = this.compiler;
    if ((file as SourceFile).parseDiagnostics.length > 0) return [];
    const found: Fault[] = [];
    const report = (node: ts.Node, messageText: string | undefined): void => {
      if (!messageText) return;
      const start = node.getStart(file);
      const category = own.DiagnosticCategory.Error;
      const length = node.end - start;
      found.push({ file, start, length, category, code: IMPLICIT_ANY, messageText });
    };
    const typeOf = (node: ts.Node): ts.Type => this.checker.getTypeAtLocation(node);
    const asText = (node: ts.Node): void => {
      if (isPromise(typeOf(node)))
        report(node, `A promise has no text but "[object Promise]".\n${AWAIT}`);
    };
    // A variable may well be tested for whether it holds a promise.
    const asCondition = (node: ts.Node): void => {
      if (own.isCallExpression(node) && isPromise(typeOf(node)))
        report(node, `A promise is true, whatever comes of it.\n${AWAIT}`);
    };
    const isText = (node: ts.Node): boolean =>
      (typeOf(node).flags & own.TypeFlags.StringLike) !== 0;
    const { ExclamationToken, PlusToken } = own.SyntaxKind;
    const visit = (node: ts.Node): void => {
      if (own.isElementAccessExpression(node) && !this.isTarget(node))
        report(node, this.brackets(node));
      if (own.isTemplateSpan(node)) asText(node.expression);
      if (own.isBinaryExpression(node) && node.operatorToken.kind === PlusToken) {
        if (isText(node.left)) asText(node.right);
        if (isText(node.right)) asText(node.left);
      }
      if (own.isIfStatement(node) || own.isWhileStatement(node) || own.isDoStatement(node))
        asCondition(node.expression);
      if (own.isConditionalExpression(node)) asCondition(node.condition);
      if (own.isPrefixUnaryExpression(node) && node.operator === ExclamationToken)
        asCondition(node.operand);
      own.forEachChild(node, visit);
    };
    try {
      visit(file);
    } catch {
      return []; // see fault
    }
    return found;
  }

  /** Whether something is assigned to a node. */
  private isTarget({ parent }: ts.Node): boolean {
    const own = this.compiler;
    return own.isBinaryExpression(parent) && own.isAssignmentOperator(parent.operatorToken.kind);
  }

  /** What is wrong with `value[key]`, if anything. */
  private brackets({
    expression,
    argumentExpression: key,
  }: ts.ElementAccessExpression): string | undefined {
    const own = this.compiler;
    const { checker, names } = this;
    const type = checker.getTypeAtLocation(expression);
    const name = own.isStringLiteralLike(key) ? key.text : undefined;
    const isNumber = (checker.getTypeAtLocation(key).flags & own.TypeFlags.NumberLike) !== 0;
    if (name === undefined ? !isNumber : names.has(type, name)) return undefined;
    const value = expression.getText();
    if (isPromise(type)) return `A promise has no [${key.getText()}].\n${AWAIT}`;
    const isObject = (type.flags & own.TypeFlags.Object) !== 0;
    if (!isObject || !names.ofLibrary(type) || checker.getIndexInfosOfType(type).length > 0)
      return undefined;
    const wanted = isNumber ? 'row' : 'column';
    const isDirect = names.has(type, wanted);
    const converted = isDirect ? undefined : names.conversion(type, wanted);
    const like = name && near(name, names.membersOf(type));
    const lines = [`${checker.typeToString(type)} has nothing in brackets: no [${key.getText()}].`];
    if (like) lines.push(`Did you mean ${value}.${like}?`);
    else if (isDirect || converted) {
      const owner = converted ? `${value}.${converted}()` : value;
      lines.push(`Instead: ${owner}.${wanted}(${key.getText()})`);
    }
    return lines.join('\n');
  }
}

/** The largest node that begins with a token and that a diagnostic covers. */
function largestAt(token: ts.Node, { file, start, length }: Placed): ts.Node {
  let node = token;
  for (let { parent } = node; parent && (parent as ts.Node) !== file; { parent } = node) {
    if (parent.getStart(file) !== start || parent.end > start + length) break;
    node = parent;
  }
  return node;
}

/** Where the reader's own text ends. */
function endOf({ text }: ts.SourceFile): number {
  const end = text.search(SUFFIX);
  return end < 0 ? text.length : end;
}

/**
 * Leaves out faults at the same place, which come of the same mistake, and those that say again
 * that a name is unknown.
 */
function distinct(faults: readonly Fault[]): Fault[] {
  const said = new Set<number | string>();
  return faults.filter(({ code, start, messageText }) => {
    const keys = [start, ...(unknownName.has(code) ? [messageText] : [])];
    const isNew = !keys.some((key) => said.has(key));
    for (const key of keys) said.add(key);
    return isNew;
  });
}

/** The first faults; the last one says how many there are besides. */
function limited(faults: Fault[]): Fault[] {
  if (faults.length <= MAX_FAULTS) return faults;
  const last = faults[MAX_FAULTS - 1];
  const more = `(${faults.length - MAX_FAULTS} more below.)`;
  const messageText = `${last.messageText}\n${more}`;
  return [...faults.slice(0, MAX_FAULTS - 1), { ...last, messageText }];
}

const listed = (names: readonly string[]): string =>
  names.length <= MAX_LISTED
    ? `${names.join(', ')}.`
    : `${names.slice(0, MAX_LISTED).join(', ')}, … (${names.length}).`;
const partsOf = (type: ts.Type): readonly ts.Type[] => (type.isUnion() ? type.types : [type]);
const coded = ({ messageText: text, code }: ts.DiagnosticMessageChain): Coded => ({ text, code });
const outermost = (message: string | ts.DiagnosticMessageChain): string =>
  typeof message === 'string' ? message : message.messageText;

/** Names a module as in an import, not by the path of its file. */
const ofModule = (text: string): string =>
  text.replace(
    /^Property ('.*?') does not exist on type 'typeof import\("(.*)"\)'/,
    (_, name: string, file: string) =>
      `'${isIndex(file) ? 'recital' : path.basename(file)}' has no ${name}`,
  );

/** A message without the columns of tables, which may be many: `Table` for `Table<{ … }>`. */
const withoutRows = (text: string): string =>
  text.replace(/\bTable<(?:Row|\{[^{}]*\}|[A-Z]\w*(?:<[^<>]*>)?)>/g, 'Table');
