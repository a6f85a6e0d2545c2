// Variables of a cell that fails. tslab forgets all that such a cell declares, so that a training
// stopped in the middle would take its learner along. Here those that have got a value stay, as in
// Python. What they were before the cell is gone in any case: its first statement sets them to
// undefined.
const { typescript } = require('./rewrite-declarations.cjs');

/** That statement: exports.a = exports.b = void 0; */
const first = /^exports\.[\w$]+ = (?:exports\.[\w$]+ = )*void 0;$/mu;

/** The names of the variables that a cell declares, in its compiled code. */
function declaredIn(output) {
  return Array.from(
    (first.exec(output)?.[0] ?? '').matchAll(/exports\.([\w$]+)/gu),
    ([, name]) => name,
  );
}

/** A declaration file without some names. */
function without(text, names) {
  const ts = typescript();
  const file = ts.createSourceFile('cells.d.ts', text, ts.ScriptTarget.ES2022, true);
  const kept = file.statements.flatMap((node) => {
    if (!ts.isVariableStatement(node)) {
      const type = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
      return type || !names.has(node.name?.text) ? [node.getText(file)] : [];
    }
    const { flags, declarations } = node.declarationList;
    const keyword = flags & ts.NodeFlags.Const ? 'const' : flags & ts.NodeFlags.Let ? 'let' : 'var';
    return declarations
      .filter(({ name }) => !names.has(name.getText(file)))
      .map((each) => `declare ${keyword} ${each.getText(file)};`);
  });
  return kept.join('\n');
}

/** Whether there is a `for await` outside of functions, which tslab overlooks. */
function awaitsInFor(source) {
  if (!/\bfor\s+await\b/.test(source)) return false;
  const ts = typescript();
  const visit = (node) => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false;
    return (
      (ts.isForOfStatement(node) && node.awaitModifier !== undefined) ||
      ts.forEachChild(node, visit) === true
    );
  };
  return visit(ts.createSourceFile('cell.ts', source, ts.ScriptTarget.ES2022, true));
}

/**
 * Stands between tslab's executor, which remembers only the declarations of cells that succeed, and
 * its compiler.
 */
class Declarations {
  /** @param {() => object[]} elsewhere what is wrong with files that the cell imports */
  constructor(elsewhere) {
    this.elsewhere = elsewhere;
    this.current = ''; // of all cells so far
    this.after = ''; // of these and the cell that runs
    this.declared = []; // names of its variables
    this.compiled = undefined;
    this.compiler = undefined;
  }

  /** The same compilers, given the declarations that are kept here. */
  wrap(converters) {
    this.compiler = (...args) => converters.node.convert(...args);
    const node = () => {
      const { inspect, complete, ...rest } = converters.node;
      return {
        ...rest,
        convert: (_declarations, source) => this.take(source),
        inspect: (_declarations, ...args) => inspect(this.current, ...args),
        complete: (_declarations, ...args) => complete(this.current, ...args),
      };
    };
    return {
      get node() {
        return node();
      },
      get browser() {
        return converters.browser;
      },
      close: () => converters.close(),
    };
  }

  /** A cell begins. */
  begin() {
    this.after = this.current;
    this.declared = [];
  }

  /** Compiles the cell before tslab asks for it. */
  compile(source) {
    const result = this.compiler(this.current, source);
    result.hasToplevelAwait ||= awaitsInFor(source);
    result.diagnostics.push(...this.elsewhere());
    this.compiled = { source, result };
  }

  take(source) {
    if (this.compiled?.source !== source) this.compile(source);
    const { result } = this.compiled;
    this.compiled = undefined;
    if (result.diagnostics.length === 0) {
      this.after = result.declOutput ?? '';
      this.declared = declaredIn(result.output ?? '');
    }
    return result;
  }

  /** It has ended, and its variables have these values. */
  end(ok, values) {
    const lost = ok ? [] : this.declared.filter((name) => values[name] === undefined);
    this.current = lost.length > 0 ? without(this.after, new Set(lost)) : this.after;
  }
}

module.exports = { Declarations };
