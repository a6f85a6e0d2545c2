// What a compiler has to know of the library: its public names, and all that these are declared
// with, without the bodies of functions. In a notebook's first cell that is read in a third of the
// time that the sources take, which it would read otherwise. Kept in dist/types-HASH.
const fs = require('node:fs');
const path = require('node:path');
const { clear, hashOf, replaced } = require('./bundle.cjs');

/**
 * The file that declares the public names: made if the sources have changed since; index.ts itself
 * where it cannot be written.
 * @param {() => typeof import('typescript')} compiler asked for when there is something to make
 * @param {string} folder the package's
 */
function typesOf(compiler, folder = __dirname) {
  const hash = hashOf([folder]);
  const made = path.join(folder, 'dist', `types-${hash}`);
  const index = path.join(made, 'index.ts');
  if (fs.existsSync(index)) return index;
  const source = path.join(folder, 'index.ts');
  try {
    replaced(made, (partial) => {
      for (const [file, text] of new Declarations(compiler()).of(source)) {
        const target = path.join(partial, path.relative(folder, file));
        fs.mkdirSync(path.dirname(target), { recursive: true });
        fs.writeFileSync(target, text);
      }
    });
    clear(folder, 'types', hash);
    return index;
  } catch {
    return source;
  }
}

/** Finds the declarations that the exports of a file need, in whatever file they are. */
class Declarations {
  constructor(ts) {
    this.ts = ts;
    this.files = new Map(); // path → what `read` gives
    this.waiting = []; // [file, name] that are needed
  }

  /** The text of each file that is needed, by its path. */
  of(index) {
    this.need(index);
    for (let next = this.waiting.pop(); next; next = this.waiting.pop()) this.visit(...next);
    return [...this.files].map(([file, { kept, parts }]) => [
      file,
      [...kept]
        .sort((a, b) => a - b)
        .map((i) => parts[i].text)
        .join('\n'),
    ]);
  }

  /** What is wanted of a file: a name, or all that it exports. */
  need(file, name) {
    const { parts } = this.read(file);
    const names = name === undefined ? parts.flatMap(({ exported }) => exported) : [name];
    this.waiting.push(...names.map((each) => [file, each]));
  }

  visit(file, name) {
    const { parts, kept } = this.read(file);
    for (const [i, part] of parts.entries()) {
      if (kept.has(i) || !part.names.includes(name)) continue;
      kept.add(i);
      for (const [other, theirs] of part.from) this.need(other, theirs);
      for (const used of part.uses) this.waiting.push([file, used]);
    }
  }

  /** The statements of a file, import by import and name by name. */
  read(file) {
    if (!this.files.has(file)) {
      const { ts } = this;
      const text = fs.readFileSync(file, 'utf8');
      const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
      const parts = source.statements.flatMap((statement) => this.parts(statement, source));
      this.files.set(file, { parts, kept: new Set() });
    }
    return this.files.get(file);
  }

  /**
   * A statement as parts that can be left out: `names` that it gives this file, those of them that
   * it exports, names that it uses, and `from`, what it takes from other files.
   */
  parts(statement, source) {
    const { ts } = this;
    const specifier = statement.moduleSpecifier?.text;
    const other = specifier?.startsWith('.')
      ? path.resolve(path.dirname(source.fileName), specifier.replace(/\.js$/, '.ts'))
      : undefined;
    const taken = (name) => (other?.endsWith('.ts') ? [[other, name]] : []);
    if (ts.isImportDeclaration(statement)) {
      const { name, namedBindings, isTypeOnly } = statement.importClause ?? {};
      const type = isTypeOnly ? 'type ' : '';
      const part = (local, clause, wanted) => ({
        names: [local],
        exported: [],
        uses: [],
        from: taken(wanted),
        text: `import ${type}${clause} from '${specifier}';`,
      });
      const named = namedBindings?.elements ?? [];
      return [
        ...(name ? [part(name.text, name.text, 'default')] : []),
        ...(namedBindings?.name
          ? [part(namedBindings.name.text, `* as ${namedBindings.name.text}`)]
          : []),
        ...named.map((each) =>
          part(each.name.text, `{ ${text(each, source)} }`, (each.propertyName ?? each.name).text),
        ),
      ];
    }
    if (ts.isExportDeclaration(statement)) {
      const elements = statement.exportClause?.elements ?? [];
      const type = statement.isTypeOnly ? 'type ' : '';
      if (!statement.exportClause) return this.everythingOf(other, specifier);
      return elements.map((each) => ({
        names: [each.name.text],
        exported: [each.name.text],
        uses: other ? [] : [(each.propertyName ?? each.name).text],
        from: taken((each.propertyName ?? each.name).text),
        text: `export ${type}{ ${text(each, source)} }${specifier ? ` from '${specifier}'` : ''};`,
      }));
    }
    const names = this.namesOf(statement);
    const isExported = statement.modifiers?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
    const { edits, uses, files } = this.shortened(statement, source);
    return [
      {
        names,
        exported: isExported ? names : [],
        uses,
        from: files.map((each) => [each, undefined]),
        text: edited(source.text, statement, edits),
      },
    ];
  }

  /** `export * from`, as a part for each name. */
  everythingOf(other, specifier) {
    const names = this.read(other).parts.flatMap(({ exported }) => exported);
    return names.map((name) => ({
      names: [name],
      exported: [name],
      uses: [],
      from: [[other, name]],
      text: `export { ${name} } from '${specifier}';`,
    }));
  }

  /** What a statement declares, or (`accuracy.greater = true`) adds to. */
  namesOf(statement) {
    const { ts } = this;
    if (statement.name) return [statement.name.text];
    const bound = (name) =>
      name.text ? [name.text] : name.elements.flatMap((e) => (e.name ? bound(e.name) : []));
    if (statement.declarationList)
      return statement.declarationList.declarations.flatMap(({ name }) => bound(name));
    const owner = statement.expression?.left?.expression;
    return owner && ts.isIdentifier(owner) ? [owner.text] : [];
  }

  /**
   * What of a declaration is of no concern to its type: bodies and values, where the type is
   * written down, and all of what is private but that it is there. Also the names that are left.
   */
  shortened(statement, source) {
    const { ts } = this;
    const edits = [];
    const uses = new Set();
    const files = [];
    const visit = (node) => {
      const skip = (part, by) => {
        edits.push([part.pos, part.end, by]);
        return part;
      };
      let skipped;
      if (this.isPrivate(node)) {
        const modifiers = node.modifiers.filter((m) => m.kind !== ts.SyntaxKind.AsyncKeyword);
        const head = [...modifiers.map((m) => text(m, source)), text(node.name, source)];
        edits.push([node.getStart(source), node.end, `${head.join(' ')}: any;`]);
        return;
      }
      if (node.body && (node.type || ts.isConstructorDeclaration(node) || ts.isSetAccessor(node)))
        skipped = skip(node.body, ts.isBlock(node.body) ? ' {}' : ' null!');
      else if (node.type && node.initializer && ts.isPropertyDeclaration(node)) {
        edits.push([node.type.end, node.end, ';']);
        skipped = node.initializer;
      } else if (node.type && node.initializer && ts.isVariableDeclaration(node))
        skipped = skip(node.initializer, ' null!');
      if (ts.isIdentifier(node)) uses.add(node.text);
      if (ts.isImportTypeNode(node) && node.argument.literal.text.startsWith('.'))
        files.push(
          path.resolve(
            path.dirname(source.fileName),
            node.argument.literal.text.replace(/\.js$/, '.ts'),
          ),
        );
      ts.forEachChild(node, (child) => {
        if (child !== skipped) visit(child);
      });
    };
    visit(statement);
    return { edits, uses: [...uses], files };
  }

  /** Whether it is a private member of a class, but for a constructor and its parameters. */
  isPrivate(node) {
    const { ts } = this;
    return (
      (ts.isPropertyDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node)) &&
      node.modifiers?.some((m) => m.kind === ts.SyntaxKind.PrivateKeyword)
    );
  }
}

const text = (node, source) => source.text.slice(node.getStart(source), node.end);

/** The text of a statement, with its docstrings, after some edits. */
function edited(whole, { pos, end }, edits) {
  let [result, from] = ['', pos];
  for (const [start, stop, by] of edits) {
    result += whole.slice(from, start) + by;
    from = stop;
  }
  return result + whole.slice(from, end);
}

module.exports = { typesOf };
