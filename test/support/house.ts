import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

export const root: string = resolve(__dirname, '..', '..');

/**
 * The rooms of lib/recital, in their order: a room imports only from those before it, and from the
 * files beside them.
 */
export const rooms: readonly string[] = [
  'compute',
  'data',
  'nn',
  'models',
  'learner',
  'decomposition',
  'recommend',
  'sequential',
  'evaluation',
  'hybrid',
  'files',
  'serve',
  'display',
  'browser',
];

/** An import of one source by another, both as paths from the root. */
export interface Import {
  readonly from: string;
  readonly to: string;
  /** Whether it brings types alone, which are gone when the program runs. */
  readonly typesOnly: boolean;
}

/**
 * The sources in a folder of the checkout, by their paths from the root: what is compiled or made
 * by a build is left out.
 */
export function sources(folder: string, endings: RegExp = /\.(ts|cjs|mjs|c|h)$/): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!['build', 'dist', 'node_modules'].includes(entry.name)) {
        found.push(...sources(path, endings));
      }
    } else if (endings.test(entry.name)) found.push(path);
  }
  return found;
}

/** Whether an import or export brings types alone. */
function bringsTypes(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    const names = node.exportClause;
    return (
      node.isTypeOnly ||
      (names !== undefined && ts.isNamedExports(names) && names.elements.every((e) => e.isTypeOnly))
    );
  }
  const clause = node.importClause;
  if (!clause) return false;
  const names = clause.namedBindings;
  return (
    clause.isTypeOnly ||
    (!clause.name &&
      names !== undefined &&
      ts.isNamedImports(names) &&
      names.elements.length > 0 &&
      names.elements.every((e) => e.isTypeOnly))
  );
}

/**
 * What a source imports by a relative path, as it is read: imports and exports at its top,
 * `require` and `import()` anywhere.
 */
export function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typesOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return;
    const to = relative(root, resolve(root, dirname(file), specifier.text)).replaceAll('\\', '/');
    const source = /\.\w+$/.test(to) ? to.replace(/\.js$/, '.ts') : `${to}.ts`;
    found.push({ from: file, to: source, typesOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, bringsTypes(node));
    } else if (ts.isCallExpression(node)) {
      const called = node.expression;
      if (called.kind === ts.SyntaxKind.ImportKeyword || called.getText() === 'require') {
        add(node.arguments[0], false);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

/**
 * The room of a source of lib/recital; undefined for the files beside the rooms, and for other
 * packages.
 */
export function roomOf(file: string): string | undefined {
  return /^lib\/recital\/([^/]+)\//.exec(file)?.[1];
}

/** Groups of sources that import each other in a circle. */
export function cycles(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const groups: string[][] = [];
  const [index, low] = [new Map<string, number>(), new Map<string, number>()];
  const path: string[] = [];
  // Tarjan's strongly connected components.
  const walk = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    path.push(file);
    for (const to of next.get(file) ?? []) {
      if (!index.has(to)) walk(to);
      if (path.includes(to)) low.set(file, Math.min(low.get(file)!, low.get(to)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = path.splice(path.indexOf(file));
    if (group.length > 1) groups.push(group.sort());
  };
  for (const file of next.keys()) if (!index.has(file)) walk(file);
  return groups;
}
