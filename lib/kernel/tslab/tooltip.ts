// What Shift-Tab shows: signature, description, example, then parameters with every option and its
// default, what is returned and thrown. tslab shows the compiler's "quick info", which has no
// options, nothing of a class but its name, and nothing between the parentheses of a call.
import type { SymbolAtCursor } from './complete.js';
import { indented, Signatures, textOf, wrap } from './signatures.js';
import { type Checker, compiler, parentOf, type ts } from './tslab.js';

const MAX_USERS = 10;

interface Parts {
  head: string[];
  text: string;
  tags: readonly ts.JSDocTagInfo[];
  signatures?: readonly ts.Signature[];
  lists?: [title: string, items: string[]][];
}

const isExample = ({ name }: ts.JSDocTagInfo): boolean => name === 'example';
/** A list of names, if there are any. */
const named = (names: readonly string[]): string[] =>
  names.length ? [wrap(names.join(', '))] : [];
/** Tags that have a section of their own. */
const known = new Set(['param', 'example', 'returns', 'throws', 'typeParam']);

/** Writes tooltips. */
export class Tooltip {
  private readonly compiler = compiler();
  private readonly signatures: Signatures;

  constructor(
    private readonly checker: Checker,
    private readonly cursor: SymbolAtCursor,
  ) {
    this.signatures = new Signatures(checker);
  }

  /** The tooltip of a symbol; undefined where there is nothing to say. */
  of(symbol: ts.Symbol): string | undefined {
    const flags = this.compiler.SymbolFlags;
    const is = (some: ts.SymbolFlags): boolean => (symbol.flags & some) !== 0;
    if (is(flags.Class)) return this.class(symbol);
    if (is(flags.Function | flags.Method)) return this.callable(symbol);
    if (is(flags.Interface | flags.TypeAlias)) return this.type(symbol);
    if (is(flags.Variable | flags.Property | flags.Accessor)) return this.value(symbol);
    return is(flags.Module) ? this.module(symbol) : undefined;
  }

  private module(symbol: ts.Symbol): string {
    const { Alias, Value } = this.compiler.SymbolFlags;
    const isValue = (each: ts.Symbol): boolean =>
      ((each.flags & Alias ? this.checker.getAliasedSymbol(each) : each).flags & Value) !== 0;
    const exported = this.checker.getExportsOfModule(symbol).filter(isValue);
    const names = exported.map(({ name }) => name).sort();
    return compose(this.signatures, {
      head: ['module'],
      text: '',
      tags: [],
      lists: [['Exports', named(names)]],
    });
  }

  /** A function or method, with all its signatures. */
  private callable(symbol: ts.Symbol): string {
    const owner = symbol.flags & this.compiler.SymbolFlags.Method ? ownerOf(symbol) : '';
    const signatures = this.checker.getTypeOfSymbol(symbol).getCallSignatures();
    return compose(this.signatures, {
      head: signatures.map((each) => this.signatures.signature(`${owner}${symbol.name}`, each)),
      text: this.doc(symbol),
      tags: symbol.getJsDocTags(this.checker),
      signatures,
    });
  }

  private class(symbol: ts.Symbol): string {
    const { checker } = this;
    const declaration = symbol.declarations?.[0] as ts.ClassDeclaration;
    const isAbstract = has(declaration, this.compiler.ModifierFlags.Abstract);
    const signatures = isAbstract ? [] : this.constructors(symbol);
    const statics = this.statics(symbol);
    const tags = this.tags(symbol);
    const ofStatics = statics.flatMap((each) => each.getJsDocTags(checker)).filter(isExample);
    const examples = ofStatics.length ? ofStatics : this.examplesOf(this.usersOf(symbol).symbols);
    const ofConstructors = signatures.map((each) => textOf(each.getDocumentationComment(checker)));
    const head = `${isAbstract ? 'abstract ' : ''}class ${symbol.name}`;
    return compose(this.signatures, {
      head: [
        [head, ...this.heritage(declaration)].join(' '),
        ...signatures.map((each) => this.signatures.signature(`new ${symbol.name}`, each)),
      ],
      text: [this.doc(symbol), ...ofConstructors].filter(Boolean).join('\n\n'),
      tags: tags.some(isExample) ? tags : [...tags, ...examples],
      signatures,
      lists: [
        ['Static methods', statics.map((each) => this.summary(each))],
        ['Methods', this.methods(checker.getDeclaredTypeOfSymbol(symbol))],
      ],
    });
  }

  private type(symbol: ts.Symbol): string {
    const own = this.compiler;
    const { checker, signatures } = this;
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const declaration = symbol.declarations?.find(
      (each): each is ts.InterfaceDeclaration | ts.TypeAliasDeclaration =>
        own.isInterfaceDeclaration(each) || own.isTypeAliasDeclaration(each),
    );
    if (!declaration) return '';
    const parameters = declaration.typeParameters?.map((each) => signatures.source(each));
    const name = `${symbol.name}${parameters ? `<${parameters.join(', ')}>` : ''}`;
    const isObject = type.flags & (own.TypeFlags.Object | own.TypeFlags.Intersection);
    let members = isObject ? checker.getPropertiesOfType(type) : [];
    let head: string;
    if (own.isTypeAliasDeclaration(declaration)) {
      const text = signatures.source(declaration.type);
      head = `type ${name}${own.isTypeLiteralNode(declaration.type) ? '' : ` = ${text}`}`;
      if (!/^[{(]|&/.test(text)) members = [];
    } else head = [`interface ${name}`, ...this.heritage(declaration)].join(' ');
    const users = this.usersOf(symbol);
    const tags = symbol.getJsDocTags(checker);
    return compose(signatures, {
      head: [head],
      text: this.doc(symbol),
      tags: tags.some(isExample) ? tags : [...tags, ...this.examplesOf(users.symbols)],
      lists: [
        ['Used by', named(users.labels.slice(0, MAX_USERS))],
        ['Members', signatures.members(members)],
      ],
    });
  }

  /** A variable, property or constant; one that can be called, as a function. */
  private value(symbol: ts.Symbol): string {
    const own = this.compiler;
    const { checker, signatures } = this;
    const type = checker.getTypeOfSymbol(symbol);
    const calls = symbol.flags & own.SymbolFlags.Variable ? type.getCallSignatures() : [];
    const text = this.doc(symbol);
    const tags = symbol.getJsDocTags(checker);
    if (calls.length && text !== '') {
      const head = calls.map((each) => signatures.signature(symbol.name, each));
      return compose(signatures, { head, text, tags, signatures: calls });
    }
    const declaration = symbol.valueDeclaration ?? symbol.declarations?.[0];
    let head = `${ownerOf(symbol)}${symbol.name}`;
    let typeText: string;
    if (declaration && own.isVariableDeclaration(declaration)) {
      const keyword = declaration.parent.flags & own.NodeFlags.Const ? 'const' : 'let';
      head = `${keyword} ${symbol.name}`;
      typeText = signatures.inferred(type);
    } else typeText = signatures.typeText(symbol, declaration);
    const optional = symbol.flags & own.SymbolFlags.Optional ? '?' : '';
    const isInstance = (type.symbol?.flags ?? 0) & own.SymbolFlags.Class && text === '';
    return compose(signatures, {
      head: [wrap(`${head}${optional}: ${typeText}`)],
      text: isInstance ? this.doc(type.symbol).split('\n\n')[0] : text,
      tags,
      lists: [
        ['Members', signatures.members(signatures.options(type))],
        ['Methods', isInstance ? this.methods(type) : []],
      ],
    });
  }

  private heritage(declaration: ts.ClassDeclaration | ts.InterfaceDeclaration): string[] {
    return (declaration.heritageClauses ?? []).map((clause) => this.signatures.source(clause));
  }

  private doc(symbol: ts.Symbol): string {
    return textOf(symbol.getDocumentationComment(this.checker)).trim();
  }

  private usersOf(symbol: ts.Symbol): Users {
    return usersOf(symbol.name, this.cursor.besides(symbol), this.checker);
  }

  /** The first example among some symbols. */
  private examplesOf(symbols: readonly ts.Symbol[]): ts.JSDocTagInfo[] {
    return symbols.flatMap((symbol) => this.tags(symbol).filter(isExample)).slice(0, 1);
  }

  /** The tags of a docstring; of a class, those of its constructor too. */
  private tags(symbol: ts.Symbol): ts.JSDocTagInfo[] {
    const isClass = symbol.flags & this.compiler.SymbolFlags.Class;
    const made = isClass ? this.constructors(symbol) : [];
    return [...symbol.getJsDocTags(this.checker), ...made.flatMap((each) => each.getJsDocTags())];
  }

  /** The constructors that anybody may call. */
  private constructors(symbol: ts.Symbol): ts.Signature[] {
    const all = this.checker.getTypeOfSymbol(symbol).getConstructSignatures();
    return all.filter(({ declaration }) => !this.isHidden(declaration as ts.Declaration));
  }

  private isHidden(declaration: ts.Declaration | undefined): boolean {
    const { Private, Protected } = this.compiler.ModifierFlags;
    return declaration !== undefined && has(declaration, Private | Protected);
  }

  private isPublicMethod({ flags, valueDeclaration }: ts.Symbol): boolean {
    return (flags & this.compiler.SymbolFlags.Method) !== 0 && !this.isHidden(valueDeclaration);
  }

  private statics(symbol: ts.Symbol): ts.Symbol[] {
    const members = this.checker.getPropertiesOfType(this.checker.getTypeOfSymbol(symbol));
    return members.filter(
      (each) => each.valueDeclaration && this.isPublicMethod(each) && this.doc(each) !== '',
    );
  }

  /** `Class.method(a, options?)` and the first sentence of its docstring. */
  private summary(symbol: ts.Symbol): string {
    const [signature] = this.checker.getTypeOfSymbol(symbol).getCallSignatures();
    const names = signature.getParameters().map((parameter) => {
      const { initializer } = (parameter.valueDeclaration ??
        {}) as Partial<ts.ParameterDeclaration>;
      return this.signatures.parameterName(parameter) + (initializer ? '?' : '');
    });
    const doc = this.doc(symbol).replace(/\s+/g, ' ');
    const [sentence] = /^.*?[.:;](?=\s|$)|^.*/.exec(doc) ?? [''];
    const head = `${ownerOf(symbol)}${symbol.name}(${names.join(', ')})`;
    return wrap(`${head}: ${sentence.replace(/[:;]$/, '.')}`, '', '    ');
  }

  /** The names of the methods of a class that anybody may call. */
  private methods(type: ts.Type): string[] {
    const methods = this.checker
      .getPropertiesOfType(type)
      .filter((each) => /^[a-z]/i.test(each.name) && this.isPublicMethod(each));
    return named([...new Set(methods.map(({ name }) => name))].sort());
  }
}

/** `Learner.`, for a member of a class or interface. */
function ownerOf(symbol: ts.Symbol): string {
  const parent = parentOf(symbol);
  return parent && !/^__/.test(parent.name) ? `${parent.name}.` : '';
}

const has = (declaration: ts.Declaration, flags: ts.ModifierFlags): boolean =>
  (compiler().getCombinedModifierFlags(declaration) & flags) !== 0;

/** Puts the parts of a tooltip one below the other, with an empty line between them. */
function compose(
  writer: Signatures,
  { head, text, tags, signatures = [], lists = [] }: Parts,
): string {
  const of = (name: string): string[] => {
    const texts = tags.filter((tag) => tag.name === name).map((tag) => textOf(tag.text).trim());
    return [...new Set(texts)];
  };
  const wrapped = (texts: string[]): string[] => texts.map((each) => wrap(each, '', '    '));
  const others = tags.filter(({ name }) => !known.has(name));
  const examples = of('example');
  const section = (title: string, items: readonly string[]): string[] =>
    items.length ? [`${title}\n${items.map((item) => indented(item, '  ')).join('\n')}`] : [];
  return [
    head.join('\n'),
    wrap(text),
    ...others.map((tag) => wrap(`@${tag.name} ${textOf(tag.text)}`)),
    ...section(examples.length > 1 ? 'Examples' : 'Example', examples),
    ...section('Parameters', writer.parameters(signatures, tags)),
    ...section('Returns', wrapped(of('returns'))),
    ...section('Throws', wrapped(of('throws'))),
    ...lists.flatMap(([title, items]) => section(title, items)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** A function or method that has a type in its signature. */
interface User {
  label: string;
  symbol: ts.Symbol;
  /** The class of a method, or the symbol itself. */
  owner: ts.Symbol;
}
interface Users {
  labels: string[];
  /** Their examples show the type in use, the closest first. */
  symbols: ts.Symbol[];
}

/**
 * What uses a type: functions and methods that take it, then those that return it; or else types
 * that have it as a part. A type has no example of its own; theirs show how it is used.
 * @param symbols what the module exports, no aliases
 */
function usersOf(name: string, symbols: readonly ts.Symbol[], checker: Checker): Users {
  const own = compiler();
  const examplesFrom = (users: User[]): ts.Symbol[] => [
    ...users.map(({ symbol }) => symbol),
    ...users.map(({ owner }) => owner),
  ];
  const users = callsWith(own, name, symbols);
  if (users.length)
    return { labels: [...new Set(users.map(({ label }) => label))], symbols: examplesFrom(users) };
  const isPart = (part: string, symbol: ts.Symbol): boolean => {
    if (!(symbol.flags & (own.SymbolFlags.Interface | own.SymbolFlags.TypeAlias))) return false;
    // The members too: the type of options is often that of an object of defaults.
    const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
    return [symbol, ...members].some(({ declarations = [] }) =>
      declarations.some((each) => mentions(part, each)),
    );
  };
  const wholesOf = (part: string): ts.Symbol[] =>
    symbols.filter((each) => each.name !== part && isPart(part, each));
  const wholes = wholesOf(name);
  // A part of a part is shown by what takes the whole.
  const all = new Set(wholes);
  for (const whole of all) for (const larger of wholesOf(whole.name)) all.add(larger);
  const further = [...all].flatMap((whole) => callsWith(own, whole.name, symbols));
  return { labels: wholes.map((whole) => whole.name), symbols: [...all, ...examplesFrom(further)] };
}

const mentions = (name: string, node: ts.Node | undefined): boolean =>
  node !== undefined && new RegExp(`\\b${name}\\b`).test(node.getText());

/** Functions, constructors and methods whose parameters, or else results, have a type. */
function callsWith(
  own: ReturnType<typeof compiler>,
  name: string,
  symbols: readonly ts.Symbol[],
): User[] {
  const takes: User[] = [];
  const returns: User[] = [];
  const look = (
    declaration: ts.FunctionDeclaration | ts.ConstructorDeclaration | ts.MethodDeclaration,
    user: User,
  ): void => {
    const { parameters, typeParameters = [], type } = declaration;
    const taken = [...parameters.map((each) => each.type), ...typeParameters];
    if (taken.some((node) => mentions(name, node))) takes.push(user);
    else if (mentions(name, type)) returns.push(user);
  };
  for (const owner of symbols) {
    for (const declaration of owner.declarations ?? []) {
      if (own.isFunctionDeclaration(declaration))
        look(declaration, { label: owner.name, symbol: owner, owner });
      if (!own.isClassDeclaration(declaration)) continue;
      for (const member of declaration.members) {
        if (has(member, own.ModifierFlags.NonPublicAccessibilityModifier)) continue;
        const symbol = (member as ts.ClassElement & { symbol?: ts.Symbol }).symbol;
        if (own.isConstructorDeclaration(member))
          look(member, { label: `new ${owner.name}`, symbol: owner, owner });
        else if (own.isMethodDeclaration(member) && symbol)
          look(member, { label: `${owner.name}.${symbol.name}`, symbol, owner });
      }
    }
  }
  return [...takes, ...returns];
}
