import { join, resolve } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import { KernelClient, runCell } from '../../support/kernel.js';

/** A public name: how it is asked for, and the options that the call takes, if any. */
interface Export {
  name: string;
  isValue: boolean;
  /** The call up to the brace of its options, and their names. */
  calls: { code: string; options: readonly string[] }[];
}

/** The public names of the library, as the compiler knows them. */
function readExports(): Export[] {
  const index = resolve(__dirname, '../../../lib/recital/index.ts');
  const program = ts.createProgram([index], {
    target: ts.ScriptTarget.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    types: ['node'],
  });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(
    program.getSourceFile(index) as ts.SourceFile,
  ) as ts.Symbol;
  return checker.getExportsOfModule(module).map((exported) => {
    const symbol =
      exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const isValue =
      (symbol.flags & ts.SymbolFlags.Value) !== 0 &&
      !exported.declarations?.some(ts.isTypeOnlyExportDeclaration);
    return {
      name: exported.name,
      isValue,
      calls: isValue ? callsOf(checker, exported.name, checker.getTypeOfSymbol(symbol)) : [],
    };
  });
}

/**
 * The calls that take an object of options as a parameter of their own: of a function, a class, or
 * its static methods.
 */
function callsOf(checker: ts.TypeChecker, name: string, type: ts.Type): Export['calls'] {
  const isPublic = (node?: ts.Declaration): boolean =>
    !node || !(ts.getCombinedModifierFlags(node) & ts.ModifierFlags.NonPublicAccessibilityModifier);
  const makers = type.getConstructSignatures().filter((s) => isPublic(s.getDeclaration()));
  const isAbstract = Boolean(
    type.symbol?.valueDeclaration &&
      ts.getCombinedModifierFlags(type.symbol.valueDeclaration) & ts.ModifierFlags.Abstract,
  );
  const statics = type.getConstructSignatures().length
    ? checker
        .getPropertiesOfType(type)
        .filter((p) => p.valueDeclaration && isPublic(p.valueDeclaration))
    : [];
  const signatures: [string, readonly ts.Signature[]][] = [
    [`recital.${name}`, type.getCallSignatures()],
    [`new recital.${name}`, isAbstract ? [] : makers],
    ...statics.map((p): [string, readonly ts.Signature[]] => [
      `recital.${name}.${p.name}`,
      checker.getTypeOfSymbol(p).getCallSignatures(),
    ]),
  ];
  return signatures.flatMap(([called, all]) =>
    all.slice(0, 1).flatMap((signature) =>
      signature.getParameters().flatMap((parameter, i) => {
        const options = optionsOf(checker, parameter);
        return options.length
          ? [{ code: `${called}(${'undefined as any, '.repeat(i)}{ `, options }]
          : [];
      }),
    ),
  );
}

/** The names of the options that a parameter takes; none if it is something else. */
function optionsOf(checker: ts.TypeChecker, parameter: ts.Symbol): string[] {
  const type = checker.getTypeOfSymbol(parameter).getNonNullableType();
  const name = (type.aliasSymbol ?? type.symbol)?.name ?? '';
  const declared = parameter.valueDeclaration as ts.ParameterDeclaration;
  const isOptions =
    /(Options|Settings|Config)$/.test(name) ||
    /^options$/.test(parameter.name) ||
    ts.isObjectBindingPattern(declared.name);
  const names = isOptions ? checker.getPropertiesOfType(type).map((p) => p.name) : [];
  return names.filter((name) => !name.startsWith('__@')); // symbols, which nobody types
}

const isExample = (part: string): boolean => /^Examples?\n {2}\S/.test(part);
const isSentence = (text = ''): boolean => /[.:](?=\s|$)/.test(text);

describe('tooltips and completion', () => {
  const exports = readExports();
  let kernel: KernelClient;
  const ask = (
    type: string,
    code: string,
    position = code.length,
  ): Promise<Record<string, unknown>> =>
    kernel.request(type, { code, cursor_pos: position, detail_level: 0 });
  const inspect = async (code: string, position?: number): Promise<string> =>
    ((await ask('inspect_request', code, position)).data as Record<string, string>)['text/plain'] ??
    '';
  const complete = async (code: string, position?: number): Promise<string[]> =>
    (await ask('complete_request', code, position)).matches as string[];

  /** Asks for every public value, or type: all in one cell, which is compiled once. */
  const inspectEach = async (
    line: (name: string) => string,
    { values }: { values: boolean },
  ): Promise<{ name: string; text: string }[]> => {
    const names = exports.filter(({ isValue }) => isValue === values).map(({ name }) => name);
    const code = names.map(line).join('\n');
    let at = 0;
    const found: { name: string; text: string }[] = [];
    for (const name of names) {
      found.push({ name, text: await inspect(code, at + line(name).replace(';', '').length) });
      at += line(name).length + 1;
    }
    return found;
  };

  before(async () => {
    kernel = await KernelClient.start({ cwd: join(__dirname) });
    const { stderr } = await runCell(
      kernel,
      "import * as recital from 'recital';\nimport { CollabDataLoaders, collabLearner, Plays } from 'recital';",
    );
    expect(stderr).to.equal('');
    await runCell(
      kernel,
      "const plays = Plays.fromRows([{ user: 'u', track: 'a' }, { user: 'u', track: 'b' }]);",
    );
  });
  after(() => kernel.stop());

  it('show signature, description and example of every function, class and constant', async () => {
    const poor: string[] = [];
    for (const { name, text } of await inspectEach((name) => `recital.${name};`, {
      values: true,
    })) {
      const [head, doc, ...rest] = text.split('\n\n');
      const isSignature = new RegExp(
        `^((abstract )?class ${name}\\b|${name}[<(]|const ${name}: )`,
      ).test(head);
      if (!isSignature || !isSentence(doc) || !rest.some(isExample)) poor.push(`${name}: ${head}`);
    }
    expect(poor).to.deep.equal([]);
  });

  it('show what every type is, and an example of its own or of what uses it', async () => {
    const poor: string[] = [];
    for (const { name, text } of await inspectEach((name) => `let x${name}: recital.${name}`, {
      values: false,
    })) {
      const [head, doc, ...rest] = text.split('\n\n');
      const isSignature = new RegExp(`^((abstract )?class|interface|type) ${name}\\b`).test(head);
      if (!isSignature || !isSentence(doc) || !rest.some(isExample)) poor.push(`${name}: ${head}`);
    }
    expect(poor).to.deep.equal([]);
  });

  it('offer every option after the brace', async () => {
    const poor: string[] = [];
    const calls = exports.flatMap((e) => e.calls);
    const cell = calls.map(({ code }) => `${code}});`).join('\n');
    let at = 0;
    for (const { code, options } of calls) {
      const offered = await complete(cell, at + code.length);
      at += code.length + 4;
      if (options.some((name) => !offered.includes(name)))
        poor.push(`${code}: ${options.join(', ')}, offered: ${offered.slice(0, 20).join(', ')}`);
    }
    expect(poor).to.deep.equal([]);
    expect(calls.length).to.be.greaterThan(100);
  });

  it('list each option with its default where the function is shown', async () => {
    const text = await inspect('collabLearner');
    expect(text).to.match(
      /\n {4}nFactors\?: number\n {8}Length of the factors of users and items; default 50\.\n/,
    );
    expect(text).to.match(/\n {4}wd\?: number\n {8}Weight decay of every run; default/);
    expect(await inspect('recital.checkGradients')).to.match(/\n {4}tolerance\?: number = 0\.01\n/);
    expect(await inspect('recital.precisionAtK')).to.match(
      /\n {4}k\?: number\n {8}Length of the list that counts; default 10\./,
    );
    expect(await inspect('recital.schedPoly')).to.match(
      /^schedPoly\(start: number, end: number, options: \{ power: number; \}\): Schedule\n/,
    );
  });

  it('show the function between whose parentheses the cursor stands, the innermost, and an option whose value is written', async () => {
    for (const code of [
      'collabLearner(',
      'collabLearner(dls, ',
      'collabLearner(dls, { ',
      'f(collabLearner(',
      'collabLearner(dls, { nFactors: 5, ',
    ]) {
      expect(await inspect(code), code).to.match(/^collabLearner</);
    }
    expect(await inspect('collabLearner(dls, { nFactors: 50 })', 22)).to.match(
      /^CollabLearnerOptions\.nFactors\?: number\n\nLength of/,
    );
    expect(await inspect('collabLearner(dls, { config: { ')).to.match(
      /^CollabNNOptions\.config\?: TabularConfig\n[\s\S]*\n {2}embedP\?: number\n/,
    );
    expect(await inspect('new recital.Random(')).to.match(/^class Random\nnew Random\(/);
    expect(await inspect('CollabDataLoaders.fromPlays(plays, ')).to.match(
      /^CollabDataLoaders\.fromPlays\(\s*plays: Plays/,
    );
    expect(await inspect('[1].map(() => { ')).to.equal('');
    for (const code of [
      'nothingOfThisName',
      'let x: recital.NoSuchType',
      'recital.noSuchValue',
      '',
      '(',
      'f({ ',
      '`${',
    ]) {
      expect(await inspect(code), code).to.equal('');
    }
  });

  it('show variables, methods, and public names that are not imported yet', async () => {
    expect(await inspect('plays')).to.match(
      /^const plays: Plays\n\nWho played what, how often:[\s\S]*\nMethods\n[\s\S]*kCore/,
    );
    expect(await inspect('plays.kCore')).to.match(
      /^Plays\.kCore\(k: number\): Plays\n\nThe largest part[\s\S]*\nExample\n {2}plays\.kCore\(2\)/,
    );
    expect(await inspect('barChart')).to.match(/^barChart</);
    expect(await inspect("'😀'; plays")).to.match(/^const plays: Plays/);
  });

  it('leave out options that are given, and offer the words of a choice, which replace what is typed', async () => {
    expect(await complete('collabLearner(dls, { nFactors: 5, })', 34))
      .to.include('wd')
      .and.not.to.include('nFactors');
    expect(
      await complete('collabLearner(dls, { lossFunc: new recital.BCEWithLogitsLossFlat({ '),
    ).to.deep.equal(['posWeight', 'thresh']);
    expect(await complete('CollabDataLoaders.fromPlays(plays, { target: ')).to.include("'binary'");
    expect(
      await ask('complete_request', "CollabDataLoaders.fromPlays(plays, { target: 'bi' })", 48),
    ).to.deep.include({
      matches: ['binary'],
      cursor_start: 46,
      cursor_end: 48,
    });
    expect(await ask('complete_request', "'😀'; plays.kC")).to.deep.include({
      matches: ['kCore'],
      cursor_start: 11,
      cursor_end: 13,
    });
    expect(await complete("import { read } from 'recital'", 13)).to.include.members([
      'readPlays',
      'readTable',
    ]);
  });

  it('offer the names of metrics between quotes, each in turn', async () => {
    expect(
      await complete("recital.evaluate({}, undefined as any, { metrics: ['"),
    ).to.include.members(['ndcg', 'recall']);
    const code = "recital.evaluate({}, undefined as any, { metrics: ['ndcg', 're'] })";
    expect(await complete(code, code.indexOf("re'") + 2)).to.deep.equal(['recall']);
  });

  it('answer at once', async () => {
    const times: number[] = [];
    for (const code of [
      'collabLearner(',
      'plays.',
      'collabLearner(undefined as any, { ',
      'recital.evaluate',
      'recital.',
    ]) {
      for (const ask of [inspect, complete]) {
        const start = performance.now();
        await ask(code);
        times.push(performance.now() - start);
      }
    }
    expect(times.sort((a, b) => a - b)[times.length >> 1]).to.be.below(300); // milliseconds: half of them, for the processor may be busy
  });
});
