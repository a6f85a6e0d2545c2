import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { isOfSequences, sequenceTypes, types } from './prelude.js';
import type { Example } from './read.js';

const root = resolve(__dirname, '../../..');

/** The compiler's settings in a cell, as tslab has them. */
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  module: ts.ModuleKind.CommonJS,
  moduleResolution: ts.ModuleResolutionKind.Node10,
  ignoreDeprecations: '5.0',
  esModuleInterop: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
};

/** The settings of a project that is as strict as `tsc --init` of TypeScript 5.9 makes it. */
export const strictest: ts.CompilerOptions = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
};

/**
 * What the compiler has against some examples, as `lib/x.ts:12: message`.
 * @param more settings, beside those of a cell
 */
export function checkExamples(
  examples: readonly Example[],
  more: ts.CompilerOptions = {},
): string[] {
  const settings = { ...options, ...more };
  const host = ts.createCompilerHost(settings);
  const index = join(root, 'test/support/public.ts');
  const files = new Map<string, { where: string; text: string }>();
  const publicNames = exportedNames(index, host);
  examples.forEach((example, i) => {
    files.set(join(root, `example-${i}.ts`), {
      where: example.where,
      text: moduleOf(example, publicNames, host),
    });
  });
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(resolve(name)) || fileExists(name);
  host.readFile = (name) => files.get(resolve(name))?.text ?? readFile(name);
  host.getSourceFile = (name, version) => {
    const file = files.get(resolve(name));
    return file ? ts.createSourceFile(name, file.text, version) : getSourceFile(name, version);
  };
  const program = ts.createProgram([index, ...files.keys()], settings, host);
  return [...files].flatMap(([name, { where }]) => {
    const source = program.getSourceFile(name);
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return found.map(
      ({ messageText }) => `${where}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  });
}

/** An example as a module that imports what it names, and declares what the prelude makes. */
function moduleOf(
  { code, file }: Example,
  publicNames: ReadonlySet<string>,
  host: ts.CompilerHost,
): string {
  const words = new Set(code.match(/[A-Za-z_$][\w$]*/g));
  const prelude = Object.entries(isOfSequences(code) ? sequenceTypes : types).filter(([name]) =>
    words.has(name),
  );
  for (const [, type] of prelude) for (const word of type.match(/\w+/g) ?? []) words.add(word);
  const made = new Set(prelude.map(([name]) => name));
  const imports = (names: Iterable<string>, from: string): string => {
    const used = [...names].filter((name) => words.has(name) && !made.has(name));
    return used.length ? `import { ${used.join(', ')} } from './${from}';` : '';
  };
  const own = [...exportedNames(file, host)].filter((name) => !publicNames.has(name));
  const from = join('lib', file.slice(join(root, 'lib').length + 1)).replace(/\.ts$/, '');
  const declared = prelude.map(([name, type]) => `declare const ${name}: ${type};`);
  return `${imports(publicNames, 'test/support/public')}\n${imports(own, from.replaceAll('\\', '/'))}\n${declared.join('\n')}\nasync function example() {\n${code}\n}\n`;
}

const known = new Map<string, ReadonlySet<string>>();

/** The names that a file exports, those of files that it passes on included. */
function exportedNames(file: string, host: ts.CompilerHost): ReadonlySet<string> {
  const before = known.get(file);
  if (before) return before;
  const names = new Set<string>();
  const source = ts.createSourceFile(file, host.readFile(file) ?? '', ts.ScriptTarget.ES2022);
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) {
      const from =
        statement.moduleSpecifier && ts.isStringLiteral(statement.moduleSpecifier)
          ? statement.moduleSpecifier.text
          : '';
      if (statement.exportClause && ts.isNamedExports(statement.exportClause))
        for (const { name } of statement.exportClause.elements) names.add(name.text);
      else
        for (const name of exportedNames(join(dirname(file), from.replace(/\.js$/, '.ts')), host))
          names.add(name);
    } else if (
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    ) {
      if (ts.isVariableStatement(statement))
        for (const { name } of statement.declarationList.declarations)
          names.add(name.getText(source));
      else if ('name' in statement && statement.name)
        names.add((statement.name as ts.Identifier).text);
    }
  }
  known.set(file, names);
  return names;
}
