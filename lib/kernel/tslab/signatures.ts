// The parts of a tooltip: texts of docstrings, signatures, and the options that a function takes.
import { type Checker, compiler, type ts } from './tslab.js';

const WIDTH = 88; // of a tooltip in JupyterLab, which has a fixed-width font
const LONGEST = 60; // type among others in a line

/** Parts of a docstring as text: links give their words. */
export function textOf(parts: readonly ts.SymbolDisplayPart[] = []): string {
  return parts
    .filter(({ kind }) => kind !== 'link')
    .map(({ kind, text }) => (kind === 'linkName' || kind === 'linkText' ? text.trim() : text))
    .join('')
    .replace(/\*\*([^*\n]+)\*\*/g, '$1');
}

/** A point of a list, or a row of a table. */
const item = /^\s*([-*|>]|\d+\.)\s/;

/**
 * Joins the lines of each paragraph, which are broken as their source file is, and breaks them for
 * a tooltip.
 */
export function wrap(text: string, indent = '', hanging = indent): string {
  const lines: string[] = [];
  let isFenced = false;
  let isInItem = false; // where lines that are indented continue it; elsewhere they are code
  let line = ''; // that is being filled
  const flush = (): void => {
    if (line !== '') lines.push(line);
    line = '';
  };
  for (const source of text.trim().split('\n')) {
    if (source.trim() === '') {
      flush();
      isInItem = false;
      if (lines.length) lines.push('');
    } else if (isFenced || source.startsWith('```')) {
      flush();
      if (source.startsWith('```')) isFenced = !isFenced;
      lines.push(indent + source);
    } else {
      if (item.test(source) || (/^\s{2,}/.test(source) && !isInItem)) flush();
      isInItem ||= item.test(source);
      for (const word of source.trim().split(/\s+/)) {
        if (line !== '' && line.length + 1 + word.length > WIDTH) flush();
        if (line === '') line = (lines.length ? hanging : indent) + word;
        else line += ` ${word}`;
      }
    }
  }
  flush();
  return lines.join('\n');
}

/** Moves every line of a text to the right. */
export const indented = (text: string, indent: string): string => text.replace(/^(?=.)/gm, indent);

/** Writes signatures and members. */
export class Signatures {
  private readonly compiler = compiler();
  private readonly printer = this.compiler.createPrinter({ removeComments: true });

  constructor(private readonly checker: Checker) {}

  /**
   * The type of a declaration: as its author wrote it, else as the compiler infers it. A union of
   * texts is written out.
   */
  typeText(symbol: ts.Symbol, declaration: ts.Declaration | undefined): string {
    const written = (declaration as { type?: ts.TypeNode } | undefined)?.type;
    const type = this.typeOf(symbol, declaration);
    const isTexts =
      type.isUnion() && type.types.length > 1 && type.types.every((part) => part.isStringLiteral());
    return written && !(isTexts && this.compiler.isTypeReferenceNode(written))
      ? this.source(written)
      : this.inferred(type);
  }

  inferred(type: ts.Type): string {
    const flags = this.compiler.TypeFormatFlags;
    const format =
      flags.NoTruncation |
      flags.UseAliasDefinedOutsideCurrentScope |
      flags.UseSingleQuotesForStringLiteralType |
      (type.isUnion() ? flags.InTypeAlias : 0);
    return this.checker.typeToString(type, undefined, format).replace(/\s+/g, ' ');
  }

  private typeOf(symbol: ts.Symbol, declaration: ts.Declaration | undefined): ts.Type {
    return declaration
      ? this.checker.getTypeOfSymbolAtLocation(symbol, declaration)
      : this.checker.getTypeOfSymbol(symbol);
  }

  /** A node as its author wrote it, in one line. */
  source(node: ts.Node): string {
    const { Unspecified } = this.compiler.EmitHint;
    const text = this.printer.printNode(Unspecified, node, node.getSourceFile());
    return text.replace(/\s+/g, ' ').trim();
  }

  private typeParameters(list: readonly ts.TypeParameterDeclaration[] | undefined): string {
    return list?.length ? `<${list.map((each) => this.source(each)).join(', ')}>` : '';
  }

  /** Of a type that is too long for a line, without the members: they are listed elsewhere. */
  private short(text: string, longest = LONGEST): string {
    return text.length > longest ? text.replace(/\{ .* \}/, '{ … }') : text;
  }

  /**
   * `name(a: string, options?: Options): Promise<Result>`, if that is too long in several lines.
   */
  signature(name: string, signature: ts.Signature): string {
    const { declaration } = signature;
    const head = name + this.typeParameters(typeParametersOf(declaration));
    const parameters = signature.getParameters().map((parameter) => this.parameter(parameter));
    const written = declaration?.type;
    const type =
      written && !this.compiler.isJSDocTypeExpression(written)
        ? this.source(written)
        : this.inferred(signature.getReturnType());
    const returned = name.startsWith('new ') ? '' : `: ${this.short(type)}`;
    const line = `${head}(${parameters.join(', ')})${returned}`;
    if (line.length <= WIDTH) return line;
    return `${head}(\n${parameters.map((p) => `  ${p},\n`).join('')})${returned}`;
  }

  private parameter(symbol: ts.Symbol): string {
    const declaration = symbol.valueDeclaration as ts.ParameterDeclaration | undefined;
    const type = this.short(this.typeText(symbol, declaration));
    const name = this.parameterName(symbol);
    const value = declaration?.initializer && this.source(declaration.initializer);
    if (value === undefined) {
      const rest = declaration?.dotDotDotToken ? '...' : '';
      return `${rest}${name}${declaration?.questionToken ? '?' : ''}: ${type}`;
    }
    return value === '{}' || value.length > 20
      ? `${name}?: ${type}`
      : `${name}: ${type} = ${value}`;
  }

  /** The name of a parameter; one that is destructured has none. */
  parameterName(symbol: ts.Symbol): string {
    return this.pattern(symbol) ? 'options' : symbol.name;
  }

  private pattern({ valueDeclaration }: ts.Symbol): ts.ObjectBindingPattern | undefined {
    const { name } = (valueDeclaration ?? {}) as Partial<ts.ParameterDeclaration>;
    return name && this.compiler.isObjectBindingPattern(name) ? name : undefined;
  }

  /** The members of a type that is an object of options, or has such a part; else none. */
  options(type: ts.Type): ts.Symbol[] {
    const { TypeFlags, SymbolFlags } = this.compiler;
    if (type.isUnion())
      return type.types.flatMap((part) => (isNamedOptions(part) ? this.options(part) : []));
    const isObject = type.flags & (TypeFlags.Object | TypeFlags.Intersection);
    if (!isObject || (type.symbol?.flags ?? 0) & SymbolFlags.Class) return [];
    if (type.getCallSignatures().length || type.getConstructSignatures().length) return [];
    if (type.getStringIndexType() || type.getNumberIndexType()) return [];
    const members = this.checker.getPropertiesOfType(type);
    const declared = members.flatMap(({ declarations = [] }) => declarations);
    if (declared.some((each) => builtIn.test(each.getSourceFile().fileName))) return [];
    const has = (flag: ts.SymbolFlags): boolean => members.some(({ flags }) => flags & flag);
    const isPlain = has(SymbolFlags.Optional) && !has(SymbolFlags.Method);
    return isPlain || isNamedOptions(type) ? members : [];
  }

  /** For each member of a type `name?: type`, with its docstring below. */
  members(
    symbols: readonly ts.Symbol[],
    { notes = new Map<string, string>(), defaults = new Map<string, string>() } = {},
  ): string[] {
    return symbols.map((symbol) => {
      const doc = textOf(symbol.getDocumentationComment(this.checker));
      const text = doc || notes.get(symbol.name) || '';
      const value = defaults.get(symbol.name) ?? this.givenTo(symbol);
      const shown = value !== undefined && !/default/i.test(text) ? ` = ${value}` : '';
      const head = `${this.member(symbol)}${shown}`;
      return text === '' ? head : `${head}\n${wrap(text, '    ')}`;
    });
  }

  /** The default of an option whose type is that of an object of defaults. */
  private givenTo({ declarations }: ts.Symbol): string | undefined {
    const own = this.compiler;
    const declared = declarations?.[0];
    if (!declared || !own.isPropertyAssignment(declared)) return undefined;
    const { initializer } = declared;
    const value = this.source(
      own.isAsExpression(initializer) ? initializer.expression : initializer,
    );
    return value === 'undefined' || value.length > LONGEST ? undefined : value;
  }

  /** `name?: type`; for a method its signatures. */
  private member(symbol: ts.Symbol): string {
    const { SymbolFlags } = this.compiler;
    if (symbol.flags & SymbolFlags.Method) {
      const signatures = this.checker.getTypeOfSymbol(symbol).getCallSignatures();
      return signatures.map((each) => this.signature(symbol.name, each)).join('\n');
    }
    const optional = symbol.flags & SymbolFlags.Optional ? '?' : '';
    const type = this.typeText(symbol, symbol.declarations?.[0]);
    return `${symbol.name}${optional}: ${this.short(type, WIDTH)}`;
  }

  /** The defaults of a parameter that is destructured: `{ k = 10 }: AtK = {}`. */
  private defaults(parameter: ts.Symbol): Map<string, string> {
    const values = new Map<string, string>();
    for (const { name, propertyName, initializer } of this.pattern(parameter)?.elements ?? [])
      if (initializer) values.set((propertyName ?? name).getText(), this.source(initializer));
    return values;
  }

  /** For each parameter the text of its `@param`, with its options below. */
  parameters(signatures: readonly ts.Signature[], tags: readonly ts.JSDocTagInfo[]): string[] {
    const notes = new Map(
      tags.filter(({ name }) => name === 'param').map(({ text }) => noteOf(text)),
    );
    const lines = new Map<string, string>();
    for (const parameter of signatures.flatMap((each) => each.getParameters())) {
      const name = this.parameterName(parameter);
      if (lines.has(name)) continue;
      const note = notes.get(name) ?? notes.get(parameter.name) ?? '';
      const ofOptions = [...notes].filter(([key]) => key.startsWith(`${name}.`));
      const options = this.options(this.typeOf(parameter, parameter.valueDeclaration));
      const members = this.members(options, {
        notes: new Map(ofOptions.map(([key, text]) => [key.slice(name.length + 1), text])),
        defaults: this.defaults(parameter),
      });
      if (note === '' && members.length === 0) continue;
      const head = wrap(note === '' ? name : `${name}: ${note}`, '', '    ');
      lines.set(name, [head, ...members.map((each) => indented(each, '  '))].join('\n'));
    }
    return [...lines.values()];
  }
}

const typeParametersOf = (
  declaration: ts.Signature['declaration'],
): readonly ts.TypeParameterDeclaration[] | undefined =>
  (declaration as Partial<ts.SignatureDeclaration> | undefined)?.typeParameters as
    | readonly ts.TypeParameterDeclaration[]
    | undefined;

/** Whether a type is called options or the like, or is written out where it is needed. */
function isNamedOptions(type: ts.Type): boolean {
  const { name = '' } = type.aliasSymbol ?? type.symbol ?? {};
  return /(Options|Settings|Config|^__type)$/.test(name);
}

/** Name and text of `@param name text`. */
function noteOf(parts: readonly ts.SymbolDisplayPart[] = []): [string, string] {
  const [, name = '', text = ''] = /^(\S+)\s*(?:-\s+)?([\s\S]*)$/.exec(textOf(parts)) ?? [];
  return [name, text];
}

/** Files of TypeScript's own, and of Node's types. */
const builtIn = /[\\/](typescript-for-tslab[\\/]lib|typescript[\\/]lib|@types[\\/]node)[\\/]/;
