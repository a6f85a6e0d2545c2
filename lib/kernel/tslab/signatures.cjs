// How a tooltip writes signatures, and what it lists of the options that a function takes.
const { WIDTH, indented, textOf, wrap } = require('./doc-text.cjs');

const LONGEST = 60; // of a type among others in a line

/** Signatures and members for the program that a checker of TypeScript (`ts`) knows. */
class Signatures {
  constructor(ts, checker) {
    this.ts = ts;
    this.checker = checker;
    this.printer = ts.createPrinter({ removeComments: true });
  }

  /**
   * The type of a declaration: as its author wrote it, else as the compiler infers it; of a choice
   * of texts the texts.
   */
  typeText(symbol, declaration) {
    const written = declaration?.type;
    const type = this.typeOf(symbol, declaration);
    const texts =
      type.isUnion() && type.types.length > 1 && type.types.every((part) => part.isStringLiteral());
    if (written && !(texts && this.ts.isTypeReferenceNode(written))) return this.source(written);
    return this.inferred(type);
  }

  inferred(type) {
    const {
      NoTruncation,
      UseAliasDefinedOutsideCurrentScope,
      InTypeAlias,
      UseSingleQuotesForStringLiteralType,
    } = this.ts.TypeFormatFlags;
    const flags =
      NoTruncation |
      UseAliasDefinedOutsideCurrentScope |
      UseSingleQuotesForStringLiteralType |
      (type.isUnion() ? InTypeAlias : 0);
    return this.checker.typeToString(type, undefined, flags).replace(/\s+/g, ' ');
  }

  typeOf(symbol, declaration) {
    return declaration
      ? this.checker.getTypeOfSymbolAtLocation(symbol, declaration)
      : this.checker.getTypeOfSymbol(symbol);
  }

  source(node) {
    return this.printer
      .printNode(this.ts.EmitHint.Unspecified, node, node.getSourceFile())
      .replace(/\s+/g, ' ')
      .trim();
  }

  /** A type that fits into a line: of a longer one not the members, which are listed elsewhere. */
  short(text, longest = LONGEST) {
    return text.length > longest ? text.replace(/\{ .* \}/, '{ … }') : text;
  }

  /**
   * `name(a: string, options?: Options): Promise<Result>`, a parameter a line where one line is too
   * long.
   */
  signature(name, signature) {
    const { declaration } = signature;
    const generic = declaration?.typeParameters?.length
      ? `<${declaration.typeParameters.map((p) => this.source(p)).join(', ')}>`
      : '';
    const parameters = signature.getParameters().map((parameter) => this.parameter(parameter));
    const returned = name.startsWith('new ') ? '' : `: ${this.short(this.returned(signature))}`;
    const line = `${name}${generic}(${parameters.join(', ')})${returned}`;
    return line.length <= WIDTH
      ? line
      : `${name}${generic}(\n${parameters.map((p) => `  ${p},\n`).join('')})${returned}`;
  }

  returned(signature) {
    const written = signature.declaration?.type;
    return written ? this.source(written) : this.inferred(signature.getReturnType());
  }

  parameter(symbol) {
    const declaration = symbol.valueDeclaration;
    const type = this.short(this.typeText(symbol, declaration));
    const rest = declaration?.dotDotDotToken ? '...' : '';
    const value = declaration?.initializer && this.source(declaration.initializer);
    if (value === undefined)
      return `${rest}${this.parameterName(symbol)}${declaration?.questionToken ? '?' : ''}: ${type}`;
    return value === '{}' || value.length > 20
      ? `${this.parameterName(symbol)}?: ${type}`
      : `${this.parameterName(symbol)}: ${type} = ${value}`;
  }

  /** What a parameter is called; one that is taken apart at once has no name. */
  parameterName({ name, valueDeclaration }) {
    return valueDeclaration && this.ts.isObjectBindingPattern(valueDeclaration.name)
      ? 'options'
      : name;
  }

  /** The members of a type that is an object of options, or has some; none of any other. */
  options(type) {
    const { ts, checker } = this;
    if (type.isUnion())
      return type.types.flatMap((part) => (isNamedOptions(part) ? this.options(part) : []));
    if (
      !(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) ||
      type.symbol?.flags & ts.SymbolFlags.Class
    )
      return [];
    if (type.getCallSignatures().length || type.getConstructSignatures().length) return [];
    if (type.getStringIndexType() || type.getNumberIndexType()) return [];
    const members = checker.getPropertiesOfType(type);
    if (
      members.some(({ declarations = [] }) =>
        declarations.some((d) => isBuiltIn(d.getSourceFile())),
      )
    )
      return [];
    const plain =
      members.some(({ flags }) => flags & ts.SymbolFlags.Optional) &&
      !members.some(({ flags }) => flags & ts.SymbolFlags.Method);
    return plain || isNamedOptions(type) ? members : [];
  }

  /** A line for each member of a type, `name?: type`, with what its docstring says below. */
  members(symbols, { notes = new Map(), defaults = new Map() } = {}) {
    return symbols.map((symbol) => {
      const text =
        textOf(symbol.getDocumentationComment(this.checker)) || notes.get(symbol.name) || '';
      const value = defaults.get(symbol.name);
      const shown = value !== undefined && !/default/i.test(text) ? ` = ${value}` : '';
      const head = `${this.member(symbol)}${shown}`;
      return text === '' ? head : `${head}\n${wrap(text, '    ')}`;
    });
  }

  /** `name?: type`; a method as a signature. */
  member(symbol) {
    const [declaration] = symbol.declarations ?? [];
    if (symbol.flags & this.ts.SymbolFlags.Method) {
      return this.checker
        .getSignaturesOfType(this.checker.getTypeOfSymbol(symbol), this.ts.SignatureKind.Call)
        .map((s) => this.signature(symbol.name, s))
        .join('\n');
    }
    const optional = symbol.flags & this.ts.SymbolFlags.Optional ? '?' : '';
    return `${symbol.name}${optional}: ${this.short(this.typeText(symbol, declaration), WIDTH)}`;
  }

  /**
   * The values that options have unless they are given, where a parameter is taken apart:
   * `{ k = 10 }: AtK = {}`.
   */
  defaults(parameter) {
    const pattern = parameter.valueDeclaration?.name;
    if (!pattern || !this.ts.isObjectBindingPattern(pattern)) return new Map();
    return new Map(
      pattern.elements
        .filter((e) => e.initializer)
        .map((e) => [(e.propertyName ?? e.name).getText(), this.source(e.initializer)]),
    );
  }

  /**
   * What is said of the parameters of some signatures: the texts of `@param`, and below it the
   * options.
   */
  parameters(signatures, tags) {
    const notes = new Map(
      tags.filter(({ name }) => name === 'param').map(({ text }) => noteOf(text)),
    );
    const lines = new Map();
    for (const parameter of signatures.flatMap((s) => s.getParameters())) {
      const name = this.parameterName(parameter);
      if (lines.has(name)) continue;
      const note = notes.get(name) ?? notes.get(parameter.name) ?? '';
      const ofOptions = new Map(
        [...notes]
          .filter(([key]) => key.startsWith(`${name}.`))
          .map(([key, text]) => [key.slice(name.length + 1), text]),
      );
      const options = this.options(this.typeOf(parameter, parameter.valueDeclaration));
      const members = this.members(options, {
        notes: ofOptions,
        defaults: this.defaults(parameter),
      });
      if (note === '' && members.length === 0) continue;
      lines.set(
        name,
        [
          wrap(note === '' ? name : `${name}: ${note}`, '', '    '),
          ...members.map((m) => indented(m, '  ')),
        ].join('\n'),
      );
    }
    return [...lines.values()];
  }
}

/** Whether a type is called options or the like, or is written out where it is needed. */
function isNamedOptions(type) {
  return /(Options|Settings|Config|^__type)$/.test((type.aliasSymbol ?? type.symbol)?.name ?? '');
}

/** Name and text of `@param name text`. */
function noteOf(parts = []) {
  const [, name, text] = /^(\S+)\s*(?:-\s+)?([\s\S]*)$/.exec(textOf(parts)) ?? [undefined, '', ''];
  return [name, text];
}

/** Whether a file is one of TypeScript's own, or of Node's types. */
function isBuiltIn({ fileName }) {
  return /[\\/](typescript-for-tslab[\\/]lib|typescript[\\/]lib|@types[\\/]node)[\\/]/.test(
    fileName,
  );
}

module.exports = { Signatures };
