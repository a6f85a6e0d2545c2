import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import { checkExamples, strictest } from './support/examples/check.js';
import { readExamples } from './support/examples/read.js';

const root = join(__dirname, '..');
const folder = join(__dirname, 'types');

const options: ts.CompilerOptions = {
  ...strictest,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  module: ts.ModuleKind.CommonJS,
  moduleResolution: ts.ModuleResolutionKind.Node10,
  ignoreDeprecations: '5.0',
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
};

/** What the compiler has against files, as `table.ts:3: message`, and not against the library. */
function faultsIn(
  files: readonly string[],
  texts: Readonly<Record<string, string>> = {},
): string[] {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, version) => {
    const text = texts[name];
    return text === undefined
      ? getSourceFile(name, version)
      : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram(files, options, host);
  return files.flatMap((file) => {
    const source = program.getSourceFile(file);
    return [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ].map(({ file: at, start = 0, messageText }) => {
      const line = at ? at.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `${file.slice(folder.length + 1)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

/** Pages whose code is one's own to copy; those on models and notebooks show mistakes and parts. */
const PAGES = [
  'README.md',
  ...['data', 'evaluation', 'fastai', 'recipes', 'scripts', 'serving'].map(
    (page) => `docs/${page}.md`,
  ),
];
/** What a block lacks that goes on from the one before it, or is a file of its own. */
const OF_A_BLOCK_ALONE =
  /Cannot find name|implicitly has an 'any' type|Duplicate function|default export/;

describe('types', () => {
  it('are what test/types says, in a project as strict as it can be', () => {
    const files = readdirSync(folder).map((name) => join(folder, name));
    const expected = files.map(
      (file) => readFileSync(file, 'utf8').split('@ts-expect-error').length - 1,
    );
    expect(expected.reduce((a, b) => a + b)).to.be.greaterThan(30);
    expect(faultsIn(files)).to.deep.equal([]);
  });

  it('say which column was meant', () => {
    const file = join(folder, 'wrong.ts');
    const text = `import { barChart, Table, topArtists, type Tracks } from '../../lib/recital/index.js';
const table = new Table({ artist: ['a'], playcount: [3] });
table.column('playcuont');
barChart(table, { x: 'playcuont', y: 'artist' });
declare const tracks: Tracks;
topArtists(tracks).row(0).artits;`;
    expect(faultsIn([file], { [file]: text })).to.deep.equal([
      'wrong.ts:3: Argument of type \'"playcuont"\' is not assignable to parameter of type \'"artist" | "playcount"\'.',
      'wrong.ts:4: Type \'"playcuont"\' is not assignable to type \'"artist" | "playcount"\'. Did you mean \'"playcount"\'?',
      "wrong.ts:6: Property 'artits' does not exist on type 'CountsBy<\"artist\", Tracks>'. Did you mean 'artist'?",
    ]);
  });

  it('let an editor offer the names of columns', () => {
    const file = join(folder, 'offered.ts');
    const head = `import { scatter, Table } from '../../lib/recital/index.js';
const table = new Table({ artist: ['a'], n: [1] });
`;
    let text = '';
    let version = 0;
    const { fileExists, readFile, directoryExists, getDirectories } = ts.sys;
    const service = ts.createLanguageService({
      fileExists,
      readFile,
      directoryExists,
      getDirectories,
      getCurrentDirectory: () => root,
      getCompilationSettings: () => options,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      getScriptFileNames: () => [file],
      getScriptVersion: (name) => (name === file ? String(version) : '0'),
      getScriptSnapshot: (name) => {
        const found = name === file ? text : readFile(name);
        return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found);
      },
    });
    for (const typed of [
      "table.column('",
      "table.select(['n', '",
      "scatter(table, { x: '",
      "scatter(table, { x: 'n', y: 'n', tooltip: ['",
    ]) {
      text = head + typed;
      version++;
      const offered = service.getCompletionsAtPosition(file, text.length, {})?.entries ?? [];
      expect(
        offered.map(({ name }) => name),
        typed,
      ).to.deep.equal(['artist', 'n']);
    }
    service.dispose();
  });

  it('fit the examples of docstrings and pages in a strict project', () => {
    expect(checkExamples(readExamples(), { strict: true })).to.deep.equal([]);
    const blocks = PAGES.flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
        ({ 1: code = '', index }) => ({
          where: `${page}, at character ${index}`,
          file: join(root, 'lib/recital/index.ts'),
          code: code.replace(/^import [^;]*;/gm, ''),
        }),
      ),
    );
    expect(blocks.length).to.be.greaterThan(20);
    const faults = checkExamples(blocks, { strict: true });
    expect(faults.filter((fault) => !OF_A_BLOCK_ALONE.test(fault))).to.deep.equal([]);
  });
});
