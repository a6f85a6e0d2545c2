// What Shift-Tab shows: signature, description, example, then parameters with every option and its
// default, what is returned and thrown. tslab shows the compiler's "quick info", which has no
// options, nothing for a class but its name, and nothing at all between the parentheses of a call.
const { indented, textOf, wrap } = require('./doc-text.cjs');
const { Signatures } = require('./signatures.cjs');
const { SubjectFinder } = require('./symbol-at-cursor.cjs');
const { usedBy } = require('./importers.cjs');

/** The tooltip for a position in the file of a cell; undefined where there is nothing to say. */
function tooltip(ts, { checker, file, position }) {
  const finder = new SubjectFinder(ts, checker, file);
  const subject = finder.at(position);
  return subject && new Writer(ts, checker, finder).write(subject);
}

const isExample = ({ name }) => name === 'example';

/** Writes what a symbol is. */
class Writer {
  constructor(ts, checker, finder) {
    Object.assign(this, { ts, checker, finder, signatures: new Signatures(ts, checker) });
  }

  write(symbol) {
    const { SymbolFlags } = this.ts;
    const is = (flags) => (symbol.flags & flags) !== 0;
    if (is(SymbolFlags.Class)) return this.class(symbol);
    if (is(SymbolFlags.Function | SymbolFlags.Method)) return this.callable(symbol);
    if (is(SymbolFlags.Interface | SymbolFlags.TypeAlias)) return this.type(symbol);
    if (is(SymbolFlags.Variable | SymbolFlags.Property | SymbolFlags.Accessor))
      return this.value(symbol);
    if (is(SymbolFlags.Module)) return this.module(symbol);
    return undefined;
  }

  module(symbol) {
    const { Alias, Value } = this.ts.SymbolFlags;
    const exported = this.checker.getExportsOfModule(symbol);
    const isValue = (s) => (s.flags & Alias ? this.checker.getAliasedSymbol(s) : s).flags & Value;
    const names = exported.filter(isValue).map(({ name }) => name);
    return this.compose({
      head: ['module'],
      text: '',
      tags: [],
      lists: [['Exports', [wrap(names.sort().join(', '))]]],
    });
  }

  /** A function or method, with all its signatures. */
  callable(symbol) {
    const owner = symbol.flags & this.ts.SymbolFlags.Method ? this.owner(symbol) : '';
    const signatures = this.checker.getTypeOfSymbol(symbol).getCallSignatures();
    return this.compose({
      head: signatures.map((s) => this.signatures.signature(`${owner}${symbol.name}`, s)),
      text: this.doc(symbol),
      tags: symbol.getJsDocTags(this.checker),
      signatures,
    });
  }

  class(symbol) {
    const { checker } = this;
    const [declaration] = symbol.declarations;
    const isAbstract =
      this.ts.getCombinedModifierFlags(declaration) & this.ts.ModifierFlags.Abstract;
    const signatures = checker
      .getTypeOfSymbol(symbol)
      .getConstructSignatures()
      .filter((s) => !isAbstract && !this.isHidden(s.declaration));
    const statics = this.statics(symbol);
    const tags = this.tags(symbol);
    const ofStatics = statics.flatMap((s) => s.getJsDocTags(checker)).filter(isExample);
    const heritage = (declaration.heritageClauses ?? []).map((clause) =>
      this.signatures.source(clause),
    );
    return this.compose({
      head: [
        [`${isAbstract ? 'abstract ' : ''}class ${symbol.name}`, ...heritage].join(' '),
        ...signatures.map((s) => this.signatures.signature(`new ${symbol.name}`, s)),
      ],
      text: [this.doc(symbol), ...signatures.map((s) => textOf(s.getDocumentationComment(checker)))]
        .filter(Boolean)
        .join('\n\n'),
      tags: tags.some(isExample)
        ? tags
        : [
            ...tags,
            ...(ofStatics.length ? ofStatics : this.examplesOf(this.usersOf(symbol).symbols)),
          ],
      signatures,
      lists: [
        ['Static methods', statics.map((s) => this.summary(s))],
        ['Methods', this.methods(checker.getDeclaredTypeOfSymbol(symbol))],
      ],
    });
  }

  type(symbol) {
    const { ts, checker } = this;
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const declaration = symbol.declarations.find(
      (d) => ts.isInterfaceDeclaration(d) || ts.isTypeAliasDeclaration(d),
    );
    const parameters = declaration.typeParameters?.map((p) => this.signatures.source(p)).join(', ');
    const generic = parameters ? `<${parameters}>` : '';
    const isAlias = ts.isTypeAliasDeclaration(declaration);
    const heritage = isAlias
      ? []
      : (declaration.heritageClauses ?? []).map((clause) => this.signatures.source(clause));
    const members =
      type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)
        ? checker.getPropertiesOfType(type)
        : [];
    const listed =
      isAlias && !/^[{(]|&/.test(this.signatures.source(declaration.type)) ? [] : members;
    const head = isAlias
      ? `type ${symbol.name}${generic}${this.aliased(declaration)}`
      : [`interface ${symbol.name}${generic}`, ...heritage].join(' ');
    const users = this.usersOf(symbol);
    const tags = symbol.getJsDocTags(checker);
    return this.compose({
      head: [head],
      text: this.doc(symbol),
      tags: [...tags, ...(tags.some(isExample) ? [] : this.examplesOf(users.symbols))],
      lists: [
        ['Used by', users.labels.length ? [wrap(users.labels.slice(0, 10).join(', '))] : []],
        ['Members', this.signatures.members(listed)],
      ],
    });
  }

  aliased({ type }) {
    const text = this.signatures.source(type);
    return this.ts.isTypeLiteralNode(type) ? '' : ` = ${text}`;
  }

  /** A variable, property or constant: one that is called, as a function. */
  value(symbol) {
    const { ts, checker, signatures } = this;
    const type = checker.getTypeOfSymbol(symbol);
    const calls = symbol.flags & ts.SymbolFlags.Variable ? type.getCallSignatures() : [];
    const text = this.doc(symbol);
    if (calls.length && text !== '') {
      const head = calls.map((s) => signatures.signature(symbol.name, s));
      return this.compose({ head, text, tags: symbol.getJsDocTags(checker), signatures: calls });
    }
    const declaration = symbol.valueDeclaration ?? symbol.declarations?.[0];
    const isVariable = declaration && ts.isVariableDeclaration(declaration);
    const keyword = isVariable
      ? `${declaration.parent.flags & ts.NodeFlags.Const ? 'const' : 'let'} `
      : this.owner(symbol);
    const optional = symbol.flags & ts.SymbolFlags.Optional ? '?' : '';
    const made = type.symbol?.flags & ts.SymbolFlags.Class && text === '' ? type.symbol : undefined;
    return this.compose({
      head: [
        wrap(
          `${keyword}${symbol.name}${optional}: ${isVariable ? signatures.inferred(type) : signatures.typeText(symbol, declaration)}`,
        ),
      ],
      text: made ? this.doc(made).split('\n\n')[0] : text,
      tags: symbol.getJsDocTags(checker),
      lists: [
        ['Members', signatures.members(signatures.options(type))],
        ['Methods', made ? this.methods(type) : []],
      ],
    });
  }

  /** Puts the parts one below the other, with an empty line between them. */
  compose({ head, text, tags, signatures = [], lists = [] }) {
    const of = (name) =>
      tags.filter((tag) => tag.name === name).map((tag) => textOf(tag.text).trim());
    const wrapped = (texts) => [...new Set(texts)].map((t) => wrap(t, '', '    '));
    const known = ['param', 'example', 'returns', 'throws', 'typeParam'];
    const others = tags
      .filter(({ name }) => !known.includes(name))
      .map((tag) => wrap(`@${tag.name} ${textOf(tag.text)}`));
    const examples = [...new Set(of('example'))];
    const section = (title, items) =>
      items.length ? [`${title}\n${items.map((item) => indented(item, '  ')).join('\n')}`] : [];
    return [
      head.join('\n'),
      wrap(text),
      ...others,
      ...section(examples.length > 1 ? 'Examples' : 'Example', examples),
      ...section('Parameters', this.signatures.parameters(signatures, tags)),
      ...section('Returns', wrapped(of('returns'))),
      ...section('Throws', wrapped(of('throws'))),
      ...lists.flatMap(([title, items]) => section(title, items)),
    ]
      .filter((part) => part !== '')
      .join('\n\n');
  }

  doc(symbol) {
    return textOf(symbol.getDocumentationComment(this.checker)).trim();
  }

  usersOf(symbol) {
    return usedBy(this.ts, symbol.name, this.finder.besides(symbol));
  }

  /** The first example among some symbols. */
  examplesOf(symbols) {
    return symbols.flatMap((symbol) => this.tags(symbol).filter(isExample)).slice(0, 1);
  }

  /** The tags of a docstring; of a class, those of its constructor too. */
  tags(symbol) {
    const { ts, checker } = this;
    const made =
      symbol.flags & ts.SymbolFlags.Class
        ? checker.getTypeOfSymbol(symbol).getConstructSignatures()
        : [];
    return [
      ...symbol.getJsDocTags(checker),
      ...made.filter((s) => !this.isHidden(s.declaration)).flatMap((s) => s.getJsDocTags()),
    ];
  }

  /** `Learner.`, of what belongs to a class or interface. */
  owner({ parent }) {
    return parent && !/^__/.test(parent.name) ? `${parent.name}.` : '';
  }

  isHidden(declaration) {
    const { ModifierFlags, getCombinedModifierFlags } = this.ts;
    return Boolean(
      declaration &&
        getCombinedModifierFlags(declaration) & (ModifierFlags.Private | ModifierFlags.Protected),
    );
  }

  statics(symbol) {
    const { ts, checker } = this;
    const members = checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol));
    return members.filter(
      (m) =>
        m.flags & ts.SymbolFlags.Method &&
        m.valueDeclaration &&
        !this.isHidden(m.valueDeclaration) &&
        this.doc(m) !== '',
    );
  }

  /** `Class.method(a, options?)` and the first sentence of its docstring. */
  summary(symbol) {
    const [signature] = this.checker.getTypeOfSymbol(symbol).getCallSignatures();
    const names = signature
      .getParameters()
      .map((p) => this.signatures.parameterName(p) + (p.valueDeclaration?.initializer ? '?' : ''));
    const [sentence] = /^[\s\S]*?[.:;](?=\s|$)|^[\s\S]*/.exec(
      this.doc(symbol).replace(/\s+/g, ' '),
    );
    return wrap(
      `${this.owner(symbol)}${symbol.name}(${names.join(', ')}): ${sentence.replace(/[:;]$/, '.')}`,
      '',
      '    ',
    );
  }

  /** The names of the methods of a class that anybody may call. */
  methods(type) {
    const names = this.checker
      .getPropertiesOfType(type)
      .filter(
        (m) =>
          m.flags & this.ts.SymbolFlags.Method &&
          /^[a-z]/i.test(m.name) &&
          !this.isHidden(m.valueDeclaration),
      )
      .map(({ name }) => name);
    return names.length ? [wrap([...new Set(names)].sort().join(', '))] : [];
  }
}

module.exports = { tooltip };
