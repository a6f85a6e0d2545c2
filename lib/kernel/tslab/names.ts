// What a name that TypeScript does not know may mean: a name of the library, of an earlier cell, or
// of Python.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { distance } from 'fastest-levenshtein';
import type { Compiler, ts } from './tslab.js';

const { nearest } = require('../../recital/nearest.cjs') as {
  nearest(name: string, known: readonly string[]): string[];
};
const library = path.resolve(__dirname, '../../recital');

/** A text in the place of TypeScript's, and hints below it. */
export interface Said {
  text?: string;
  hints?: string[];
}

/** Names of Python, pandas and NumPy, and what to write instead. Many readers come from fastai. */
const pythonNames: Record<string, string> = {
  None: 'null, or undefined for what is missing',
  True: 'true',
  False: 'false',
  self: 'this',
  print: 'console.log(…)',
  len: 'x.length',
  str: 'String(x)',
  int: 'Math.trunc(x); of a text Number(x)',
  float: 'Number(x)',
  bool: 'Boolean(x)',
  range: 'a loop for (let i = 0; i < n; i++), or Array.from({ length: n }, (_, i) => i)',
  enumerate: 'xs.entries(): for (const [i, x] of xs.entries())',
  zip: 'xs.map((x, i) => [x, ys[i]])',
  sorted: '[...xs].sort((a, b) => a - b)',
  reversed: '[...xs].reverse()',
  sum: 'xs.reduce((a, b) => a + b, 0)',
  min: 'Math.min(…)',
  max: 'Math.max(…)',
  abs: 'Math.abs(x)',
  round: 'Math.round(x), or x.toFixed(2) for a text',
  pow: 'x ** y',
  any: 'xs.some((x) => …)',
  all: 'xs.every((x) => …)',
  map: 'xs.map((x) => …)',
  filter: 'xs.filter((x) => …)',
  list: '[…], or Array.from(x)',
  tuple: '[a, b]',
  dict: '{ name: value }, or new Map()',
  set: 'new Set(x)',
  isinstance: 'x instanceof C, or typeof x',
  type: 'typeof x, or x.constructor.name',
  open: "readFileSync(file, 'utf8') of 'node:fs'",
  input: 'a variable at the top of the notebook: cells cannot ask',
  help: 'Shift-Tab on the name',
  dir: 'Tab after a dot',
  exit: 'Kernel → Shut Down',
  quit: 'Kernel → Shut Down',
  elif: 'else if',
  Exception: 'Error',
  ValueError: 'RangeError, or ArgumentError of recital',
  np: 'arrays, Math, and the functions of recital',
  pd: 'readTable, Table and sql of recital',
  plt: 'lineChart, barChart and the other charts of recital',
  tf: 'recital itself',
  torch: 'recital itself',
};

/** Python's modules, and what to use instead. */
const pythonModules: Record<string, string> = {
  numpy: pythonNames.np,
  pandas: pythonNames.pd,
  matplotlib: pythonNames.plt,
  seaborn: pythonNames.plt,
  torch: pythonNames.torch,
  fastai: "recital, with fastai's words: collabLearner, fitOneCycle, …",
  sklearn: 'PCA, TruncatedSVD and others of recital',
  os: "'node:os', 'node:fs', 'node:path'",
  random: 'Random of recital, or Math.random()',
};

/** Lines that do not parse: what they are in Python, and what is written here. */
const pythonLines: readonly [pattern: RegExp, says: (...groups: string[]) => string][] = [
  [
    /^\s*from\s+[\w.]+\s+import\b/,
    () => "Python's import. TypeScript's: import { readPlays } from 'recital';",
  ],
  [/^\s*import\s+([\w.]+)(\s+as\s+\w+)?\s*;?\s*(#.*)?$/, (name) => importOf(name)],
  [
    /^\s*(?:async\s+)?def\s+(\w+)\s*\(([^)]*)\)/,
    (name, taken) => `Python's def. TypeScript's: function ${name}(${parameters(taken)}) { … }`,
  ],
  [
    /^\s*class\s+(\w+)\s*(?:\((\w+)?[^)]*\))?\s*:/,
    (name, base) =>
      `Python's class. TypeScript's: class ${name} ${base && base !== 'object' ? `extends ${base} ` : ''}{ … }`,
  ],
  [
    /^\s*for\s+(.+?)\s+in\s+(.+?):\s*(?:#.*)?$/,
    (each, of) => `Python's for. TypeScript's: ${loop(each, of)} { … }`,
  ],
  [
    /^\s*(if|while)\s+(.+?):\s*(?:#.*)?$/,
    (word, when) => `Python's ${word}. TypeScript's: ${word} (${operators(when)}) { … }`,
  ],
  [
    /^\s*elif\s+(.+?):/,
    (when) => `Python's elif. TypeScript's: else if (${operators(when)}) { … }`,
  ],
  [/^\s*(else|try|finally)\s*:/, (word) => `Python's ${word}. TypeScript's: ${word} { … }`],
  [/^\s*except\b/, () => "Python's except. TypeScript's: catch (error) { … }"],
  [
    /^\s*with\s+.*:\s*$/,
    () => "Python's with. TypeScript has none: open, and close in a finally { … }.",
  ],
  [/^\s*raise\b/, () => "Python's raise. TypeScript's: throw new Error('…');"],
  [/^\s*print\s+\S/, () => "Python's print. TypeScript's: console.log(…)"],
  [
    /^\s*(del|pass|assert|global|nonlocal)\b/,
    (word) =>
      `Python's ${word}, which TypeScript has not.${word === 'assert' ? " import assert from 'node:assert'; assert(…)" : ''}`,
  ],
  [/\blambda\s+([\w, ]*):/, (taken) => `Python's lambda. TypeScript's: (${taken.trim()}) => …`],
  [
    /^\s*[%!]{1,2}\w/,
    () =>
      "A command of IPython's, which this kernel does not have. Commands are given in a terminal.",
  ],
  [/^\s*#(?!\w+\s*[=(])/, () => 'A comment begins with //.'],
  [
    /\[\s*.+\sfor\s+\w+\s+in\s+.+\]/,
    () => "Python's comprehension. TypeScript's: xs.map((x) => …), xs.filter((x) => …)",
  ],
  [
    /[\w)\]]\[\s*[-\w.]*\s*:\s*[-\w.:]*\s*\]/,
    () => "Python's slice. TypeScript's: xs.slice(from, to)",
  ],
  [
    /(?:^|[\s(,=[])[rb]?f(['"])/,
    () =>
      "Python's f-string. TypeScript's text with values stands in backticks, each value in braces after a $",
  ],
  [
    /\s(and|or|is not|is|not in)\s|(?:^|[\s(])not\s/,
    () => "Python's and, or, not, is. TypeScript's: &&, ||, !, ===",
  ],
  [/\s#(\s|$)/, () => 'A comment begins with //.'],
];

const importOf = (name: string): string => {
  const instead = pythonModules[name.split('.')[0]];
  return instead
    ? `Python's ${name}. Here: ${instead}`
    : "Python's import. TypeScript's: import { readPlays } from 'recital';";
};

const words: Record<string, string> = {
  and: '&&',
  or: '||',
  'is not': '!==',
  is: '===',
  None: 'null',
  True: 'true',
  False: 'false',
};
const operators = (text: string): string =>
  text
    .replace(/^\((.*)\)$/, '$1')
    .replace(/\b(and|or|is not|is|None|True|False)\b/g, (word) => words[word])
    .replace(/\bnot\s+/g, '!');
/** The head of a loop. */
function loop(each: string, of: string): string {
  const [, from, to] = /^range\((?:([^,]+),\s*)?([^,]+)\)$/.exec(of) ?? [];
  if (to) return `for (let ${each} = ${from ?? 0}; ${each} < ${to}; ${each}++)`;
  return `for (const ${each.includes(',') ? `[${each}]` : each} of ${of})`;
}
const parameters = (text: string): string => text.replace(/^\s*self\s*,?\s*/, '').trim();

/** What a line that does not parse means, if it is Python. */
export function pythonLine(line: string): string | undefined {
  if (/"""|'''/.test(line)) return "Python's long text. TypeScript's stands in backticks: `…`";
  const code = line.replace(/(['"`])(?:\\.|(?!\1).)*\1/g, '$1$1').replace(/\/\/.*$/, ''); // without texts and comments
  const found = pythonLines.find(([pattern]) => pattern.test(code));
  return found?.[1](...(found[0].exec(code) ?? []).slice(1));
}

/** What a name is here, if it is one of Python's. */
export function pythonName(name: string): string | undefined {
  if (!Object.hasOwn(pythonNames, name)) return undefined;
  const instead = pythonNames[name];
  return `Python's ${name}. ${/recital/.test(instead) ? 'Here' : "TypeScript's"}: ${instead}`;
}

function pythonModule(name: string): string | undefined {
  const [first] = name.split(/[./]/);
  const isPython = Object.hasOwn(pythonModules, first);
  return isPython ? `Python's ${first}. Here: ${pythonModules[first]}` : undefined;
}

type Members = Record<string, (value: string) => string>;
/** A table by name: a key may list several. */
const byName = (members: Members): Members =>
  Object.fromEntries(
    Object.entries(members).flatMap(([keys, says]) => keys.split(', ').map((key) => [key, says])),
  );
/** Members of pandas' tables. */
const ofTable = byName({
  columns: (t) => `${t}.columnNames`,
  shape: (t) => `${t}.length, and ${t}.columnNames.length`,
  'dtypes, info, describe': (t) => `describe(${t})`,
  'iloc, loc': (t) => `${t}.row(0), or ${t}.take([0, 1]) for several`,
  tail: (t) => `${t}.take([…]) takes rows by number; ${t}.length is how many there are`,
  values: (t) => `${t}.rows(), or ${t}.column('…')`,
  'iterrows, itertuples': (t) => `for (const row of ${t}.rows()) …`,
  to_dict: (t) => `${t}.rows()`,
  to_csv: (t) => `${t}.save('file.csv')`,
  to_json: (t) => `${t}.save('file.json')`,
  'isnull, isna': (t) => `missingValues(${t})`,
  assign: (t) => `${t}.withColumn('name', values)`,
  'groupby, sort_values, value_counts, merge, join, query, drop_duplicates, dropna, agg, pivot_table':
    (t) => `Ask in SQL: await sql('select … from t', { tables: { t: ${t} } })`,
});
/** Members of Python's lists and NumPy's arrays. */
const ofList: Members = {
  append: (x) => `${x}.push(…)`,
  extend: (x) => `${x}.push(...ys)`,
  shape: (x) => `${x}.length`,
  size: (x) => `${x}.length`,
  sum: (x) => `${x}.reduce((a, b) => a + b, 0)`,
  mean: (x) => `${x}.reduce((a, b) => a + b, 0) / ${x}.length`,
  max: (x) => `Math.max(...${x})`,
  min: (x) => `Math.min(...${x})`,
  unique: (x) => `[...new Set(${x})]`,
  tolist: (x) => `Array.from(${x})`,
  head: (x) => `${x}.slice(0, 10)`,
};
/** Members of Python's texts. */
const ofText: Members = {
  upper: (x) => `${x}.toUpperCase()`,
  lower: (x) => `${x}.toLowerCase()`,
  strip: (x) => `${x}.trim()`,
  startswith: (x) => `${x}.startsWith(…)`,
  endswith: (x) => `${x}.endsWith(…)`,
};

/** What a member is here that a value does not have, if it is one of Python's. */
function pythonMember(
  name: string,
  of: { isTable: boolean; isList: boolean; isText: boolean },
  value: string,
): string | undefined {
  const tables = [of.isTable && ofTable, of.isText && ofText, of.isList && ofList];
  const found = tables.find((table) => table && Object.hasOwn(table, name));
  return found ? found[name](value) : undefined;
}

/** The known name that a name is likely to mean: Python's `n_factors` is nFactors. */
export function near(name: string, known: readonly string[]): string | undefined {
  const plain = name.replace(/(?<=.)_+(\w)/g, (_, letter: string) => letter.toUpperCase());
  return known.includes(plain) ? plain : nearest(plain, known)[0];
}

/** The same, but only if it is very near: for a name that may well be the reader's own. */
function veryNear(name: string, known: readonly string[]): string | undefined {
  const found = near(name, known);
  const same = (each: string): string => each.replace(/_/g, '').toLowerCase();
  const isNear = found && distance(same(name), same(found)) <= name.length / 5;
  return isNear ? found : undefined;
}

export const short = (text: string, otherwise: string): string =>
  text.length <= 40 && !text.includes('\n') ? text : otherwise;
export const isPromise = (type: ts.Type | undefined): boolean => type?.symbol?.name === 'Promise';
export const isLibrary = (file: string): boolean => !path.relative(library, file).startsWith('..');
/** Whether TypeScript means the library by the name of a module. */
export const isIndex = (module: string): boolean =>
  /^(dist[\\/]types-\w+[\\/])?index$/.test(path.relative(library, module));

let exported: string[] | undefined;
/** The names that the library exports, read from its index: a cell may have imported none. */
function libraryNames(own: Compiler): string[] {
  const namesIn = (file: string): string[] => {
    const text = readFileSync(file, 'utf8');
    const { statements } = own.createSourceFile(file, text, own.ScriptTarget.ES2022);
    return statements.flatMap((statement) => {
      if (own.isExportDeclaration(statement)) {
        const { exportClause, moduleSpecifier } = statement;
        if (exportClause && own.isNamedExports(exportClause))
          return exportClause.elements.map(({ name }) => name.text);
        const { text: from } = moduleSpecifier as ts.StringLiteral;
        return namesIn(path.resolve(path.dirname(file), from.replace(/\.js$/, '.ts')));
      }
      const { modifiers, declarationList, name } = statement as ts.Statement & {
        modifiers?: readonly ts.Modifier[];
        declarationList?: ts.VariableDeclarationList;
        name?: ts.Identifier;
      };
      if (!modifiers?.some(({ kind }) => kind === own.SyntaxKind.ExportKeyword)) return [];
      const declared = declarationList?.declarations.map((each) => each.name) ?? [name];
      return declared.flatMap((each) => (each && own.isIdentifier(each) ? [each.text] : []));
    });
  };
  exported ??= namesIn(path.join(library, 'index.ts'));
  return exported;
}

/** Hints on names, with what a checker knows. */
export class Names {
  /** @param declaring which earlier cell declares a variable of a name */
  constructor(
    private readonly compiler: Compiler,
    private readonly checker: ts.TypeChecker,
    private readonly declaring: (name: string) => number | undefined,
  ) {}

  /** A name that is not declared. */
  unknown(node: ts.Identifier, text: string, isOfBrowsers: boolean): Said {
    const own = this.compiler;
    const { text: name, parent } = node;
    const guess = /Did you mean '(.*)'/.exec(text)?.[1];
    const bare = `Cannot find name '${name}'.`;
    const plain = guess ? text : bare;
    const isSet =
      own.isBinaryExpression(parent) &&
      parent.left === node &&
      parent.operatorToken.kind === own.SyntaxKind.EqualsToken;
    if (isSet && own.isCallExpression(parent.parent) && parent.parent.arguments.includes(parent)) {
      const option = `{ ${name}: ${parent.right.getText()} }`;
      return { text: plain, hints: [`Options are given in braces: ${option}.`] };
    }
    if (isSet && own.isExpressionStatement(parent.parent)) {
      const [line] = parent.getText().split('\n');
      const hint = `A new variable begins with const, or with let if it changes: const ${line}`;
      return { text: plain, hints: [hint] };
    }
    const cell = this.declaring(name);
    if (cell !== undefined) {
      const hint = `Cell [${cell}] declares it, but has failed: mend it, and run it again.`;
      return { text: plain, hints: [hint] };
    }
    const names = libraryNames(own);
    const imported = (known: string): string => `import { ${known} } from 'recital';`;
    if (names.includes(name)) return { text: bare, hints: [`recital has it: ${imported(name)}`] };
    const inPython = pythonName(name);
    if (inPython) return { text: bare, hints: [inPython] };
    if (isOfBrowsers) return { text: bare, hints: ['Browsers have it; cells run in Node.'] };
    const like = veryNear(name, names);
    const hint =
      like && like !== guess
        ? `recital has ${like}: ${imported(like)}`
        : 'No cell that has run declares it.';
    return { text: plain, hints: [hint] };
  }

  /** A property or method that a value does not have. `isGuessed`: TypeScript has a suggestion. */
  member(node: ts.Node, isGuessed: boolean): string[] {
    const own = this.compiler;
    const { parent } = node;
    if (!own.isIdentifier(node) || !own.isPropertyAccessExpression(parent)) return [];
    const { text: name } = node;
    const type = this.checker.getTypeAtLocation(parent.expression);
    if (isPromise(type)) return [];
    const value = short(parent.expression.getText(), 'x');
    const outer = parent.parent;
    const isCalled = own.isCallExpression(outer) && outer.expression === parent;
    const given = isCalled ? outer.arguments.map((each) => each.getText()).join(', ') : '';
    const called = isCalled ? `(${short(given, '…')})` : '';
    const has = (member: string): boolean => this.has(type, member);
    const isTable = has('columnNames') && has('rows');
    const toTable = isTable ? undefined : this.conversion(type, 'columnNames');
    const kinds = {
      isTable: isTable || toTable !== undefined,
      isList: has('length') && has('map'),
      isText: has('charAt'),
    };
    const word = pythonMember(name, kinds, toTable ? `${value}.${toTable}()` : value);
    if (word) return [`Instead: ${word}`];
    const converted = this.conversion(type, name);
    if (converted) return [`Instead: ${value}.${converted}().${name}${called}`];
    const like = isGuessed ? undefined : near(name, this.membersOf(type));
    if (like) return [`Did you mean '${like}'?`];
    if (isTable && name in Array.prototype) return [`Instead: ${value}.rows().${name}${called}`];
    if (isTable && !isGuessed && !isCalled)
      return [`A column is ${value}.column('${name}'), the rows are ${value}.rows().`];
    const isFunction = isCalled && this.ofLibrary(type) && libraryNames(own).includes(name);
    return isFunction
      ? [`It is a function: import { ${name} } from 'recital'; ${name}(${value})`]
      : [];
  }

  /** A name that a module does not export. */
  export(node: ts.Node): string[] {
    const { text = '' } = node as Partial<ts.Identifier>;
    const statement = this.compiler.findAncestor(node, this.compiler.isImportDeclaration);
    const like = near(text, libraryNames(this.compiler));
    const isOfLibrary = /['"]recital['"]/.test(statement?.getText() ?? '');
    return like && isOfLibrary ? [`Did you mean '${like}'?`] : [];
  }

  /** A module that is not there. */
  module(node: ts.Node, text: string): Said {
    const plain = text.replace(' or its corresponding type declarations', '');
    const name = /'(.*)'/.exec(text)?.[1] ?? '';
    if (/^[./]/.test(name)) {
      const folder = path.dirname(path.resolve(path.dirname(node.getSourceFile().fileName), name));
      return { text: plain, hints: [`There is no such file in ${folder}.`] };
    }
    const like = veryNear(name, ['recital']);
    if (like) return { text: plain, hints: [`Did you mean '${like}'?`] };
    const install = `If it is a package: npm install ${name}, in the folder of the notebook or one above.`;
    return { text: plain, hints: [pythonModule(name) ?? install] };
  }

  has(type: ts.Type, member: string): boolean {
    return this.checker.getPropertyOfType(type, member) !== undefined;
  }

  /** A method without parameters, such as `toTable`, whose result has a member. */
  conversion(type: ts.Type, name: string): string | undefined {
    return this.membersOf(type).find((member) => {
      if (!/^to[A-Z]/.test(member) || member === 'toString') return false;
      const symbol = this.checker.getPropertyOfType(type, member);
      const [signature] = symbol ? this.checker.getTypeOfSymbol(symbol).getCallSignatures() : [];
      return signature?.parameters.length === 0 && this.has(signature.getReturnType(), name);
    });
  }

  /** The names of the members that anybody may use. */
  membersOf(type: ts.Type): string[] {
    const { getCombinedModifierFlags, ModifierFlags } = this.compiler;
    const hidden = ModifierFlags.NonPublicAccessibilityModifier;
    return this.checker
      .getPropertiesOfType(this.checker.getApparentType(type))
      .filter(
        ({ valueDeclaration: declared }) =>
          !declared || !(getCombinedModifierFlags(declared) & hidden),
      )
      .map(({ name }) => name);
  }

  ofLibrary(type: ts.Type): boolean {
    const declarations = type.symbol?.declarations ?? [];
    return declarations.some((each) => isLibrary(each.getSourceFile().fileName));
  }
}
