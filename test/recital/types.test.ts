import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';

const { typesOf } = require('../../lib/recital/types.cjs') as {
  typesOf(compiler: () => typeof ts, folder?: string): string;
};
const library = resolve(__dirname, '../../lib/recital');

/** A program of a file of the library's; files that both have are parsed once. */
function programOf(file: string, before?: ts.Program): ts.Program {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    strict: true,
    esModuleInterop: true,
    skipLibCheck: true,
    types: ['node'],
    ignoreDeprecations: '5.0',
  };
  return ts.createProgram([file], options, undefined, before);
}

/** Each public name with its type; of a class, each public member's. */
function typesIn(program: ts.Program, file: string): Record<string, string> {
  const checker = program.getTypeChecker();
  const parsed = program.getSourceFile(file) as ts.SourceFile;
  const written = (type: ts.Type): string =>
    checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
  const found: Record<string, string> = {};
  for (const exported of checker.getExportsOfModule(
    checker.getSymbolAtLocation(parsed) as ts.Symbol,
  )) {
    const symbol =
      exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const types = symbol.flags & ts.SymbolFlags.Value ? [checker.getTypeOfSymbol(symbol)] : [];
    if (symbol.flags & ts.SymbolFlags.Type) types.push(checker.getDeclaredTypeOfSymbol(symbol));
    for (const type of types) {
      found[exported.name] = `${found[exported.name] ?? ''} ${written(type)}`;
      for (const member of checker.getPropertiesOfType(type)) {
        const [declaration] = member.declarations ?? [];
        const hidden =
          declaration && ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private;
        found[`${exported.name}.${member.name.replace(/@\d+$/, '')}`] = hidden
          ? 'private'
          : written(checker.getTypeOfSymbol(member));
      }
    }
  }
  return found;
}

describe('types.cjs', () => {
  const source = join(library, 'index.ts');
  const made = typesOf(() => ts);
  let program: ts.Program;
  before(() => {
    program = programOf(made);
  });

  it('declares every public name with the type that it has in the sources', () => {
    const found = typesIn(program, made);
    expect(Object.keys(found).length).to.be.above(1000);
    expect(found).to.deep.equal(typesIn(programOf(source, program), source));
  });

  it('declares all that these are declared with', () => {
    const missing = new Set([2304, 2305, 2307, 2552, 2503, 2694, 2614, 2724]);
    const faults = program
      .getSourceFiles()
      .filter(({ fileName }) => /[\\/]dist[\\/]types-/.test(fileName))
      .flatMap((file) => program.getSemanticDiagnostics(file))
      .filter(({ code }) => missing.has(code));
    expect(faults.map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'))).to.deep.equal(
      [],
    );
  });

  it('leaves out bodies, values, what is private and what no public name needs', () => {
    const root = mkdtempSync(join(tmpdir(), 'recital types '));
    try {
      const write = (name: string, text: string): void => {
        mkdirSync(dirname(join(root, name)), { recursive: true });
        writeFileSync(join(root, name), text);
      };
      write('index.ts', "export { A } from './a.js';\nexport type { Options } from './a.js';");
      write(
        'a.ts',
        `import { big, type Small } from './b.js';
import { readFileSync } from 'node:fs';
const DEFAULTS = {
  /** How many. */
  n: 10,
};
export type Options = Partial<typeof DEFAULTS>;
const unused = 3;
/** What it is. */
export class A {
  private readonly secret = big();
  kept: Small = { s: unused };
  constructor(private readonly file: string, { n = 10 }: Options = {}) { readFileSync(file); }
  /** Says so. */
  say(word = 'yes'): string { return word + this.secret; }
  private hidden(): void {}
}`,
      );
      write(
        'b.ts',
        'export function big(): number { return 1; }\nexport type Small = { s: number };',
      );
      const index = typesOf(() => ts, root);
      expect(readFileSync(join(dirname(index), 'a.ts'), 'utf8').trim()).to.equal(
        `import { type Small } from './b.js';

const DEFAULTS = {
  /** How many. */
  n: 10,
};

export type Options = Partial<typeof DEFAULTS>;

/** What it is. */
export class A {
  private readonly secret: any;
  kept: Small;
  constructor(private readonly file: string, { n = 10 }: Options = {}) {}
  /** Says so. */
  say(word = 'yes'): string {}
  private hidden: any;
}`,
      );
      expect(readFileSync(join(dirname(index), 'b.ts'), 'utf8').trim()).to.equal(
        'export type Small = { s: number };',
      );
      writeFileSync(join(root, 'b.ts'), 'export type Small = { s: string };');
      expect(readFileSync(join(dirname(typesOf(() => ts, root)), 'b.ts'), 'utf8').trim()).to.equal(
        'export type Small = { s: string };',
      );
      rmSync(join(root, 'dist'), { recursive: true });
      write('dist', ''); // nothing can be written there
      expect(typesOf(() => ts, root)).to.equal(join(root, 'index.ts'));
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
