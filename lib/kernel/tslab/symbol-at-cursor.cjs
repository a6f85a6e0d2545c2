// What a position in a cell is about: the name that it touches, or else the call, or the option of
// a call, that it stands in.

/** Finds symbols in the file of a cell, with the compiler (`ts`) and its checker. */
class SubjectFinder {
  constructor(ts, checker, file) {
    Object.assign(this, { ts, checker, file });
  }

  at(position) {
    const { ts, file } = this;
    const token = ts.getTouchingPropertyName(file, position);
    const named =
      token !== file &&
      (ts.isIdentifier(token) ||
        (ts.isStringLiteral(token) && ts.isPropertyAssignment(token.parent)));
    return named ? this.symbolOf(token) : this.around(position);
  }

  /** The symbol that a name stands for, or that it would if it were imported. */
  symbolOf(name) {
    const { ts, checker } = this;
    const known = (symbol) => symbol && !checker.isUnknownSymbol(symbol) && this.resolved(symbol);
    const isProperty = ts.isPropertyAccessExpression(name.parent) && name.parent.name === name;
    return (
      known(this.option(name)) ||
      known(checker.getSymbolAtLocation(name)) ||
      (isProperty
        ? undefined
        : known(checker.resolveName(name.text, name, ts.SymbolFlags.Type, false)) ||
          known(this.exported(name.text)))
    );
  }

  resolved(symbol) {
    const aliased =
      symbol.flags & this.ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
    return this.checker.isUnknownSymbol(aliased) || !aliased.declarations?.length
      ? undefined
      : aliased;
  }

  /** The declared option that a name in an object literal gives a value to. */
  option(name) {
    const { ts, checker } = this;
    const element = ts.getContainingObjectLiteralElement(name);
    const type = element && checker.getContextualType(element.parent);
    return type && ts.getPropertySymbolsFromContextualType(element, checker, type, false)[0];
  }

  /** What the modules that the notebook imports from export by a name. */
  exported(name) {
    for (const exported of this.modules()) {
      const found = exported.find((symbol) => symbol.name === name);
      if (found) return found;
    }
    return undefined;
  }

  /** The exports of each module that this cell and the earlier ones import from. */
  *modules() {
    const { ts, checker, file } = this;
    const seen = new Set();
    for (const statement of [file, file.parent].flatMap((f) => f?.statements ?? [])) {
      const module =
        ts.isImportDeclaration(statement) && checker.getSymbolAtLocation(statement.moduleSpecifier);
      if (!module || seen.has(module)) continue;
      seen.add(module);
      yield checker.getExportsOfModule(module);
    }
  }

  /** Everything that the module of a public symbol exports; nothing for other symbols. */
  besides(symbol) {
    for (const exported of this.modules()) {
      const all = exported.map((s) => this.resolved(s)).filter(Boolean);
      if (all.includes(symbol)) return all;
    }
    return [];
  }

  /**
   * What is called, or the option whose value is written, around a position that touches no name.
   */
  around(position) {
    const { ts, checker, file } = this;
    for (
      let node = ts.findPrecedingToken(position, file);
      node && node !== file;
      node = node.parent
    ) {
      if (ts.isBlock(node) && (position < node.end || file.text[node.end - 1] !== '}'))
        return undefined; // in the body of a function
      if (ts.isPropertyAssignment(node) && position > node.name.end) {
        const option = this.option(node.name);
        if (option) return option;
      }
      const calls =
        (ts.isCallExpression(node) || ts.isNewExpression(node)) &&
        node.arguments &&
        position > node.expression.end;
      if (!calls) continue;
      const called = ts.isPropertyAccessExpression(node.expression)
        ? node.expression.name
        : node.expression;
      const symbol = checker.getSymbolAtLocation(called);
      return symbol && this.resolved(symbol);
    }
    return undefined;
  }
}

module.exports = { SubjectFinder };
