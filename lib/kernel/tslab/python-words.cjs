// Python's words, and pandas' and NumPy's, in a cell of TypeScript: what they are called here. Many
// readers come from fastai.

/** Names, and what to write instead. */
const names = {
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

/** Modules. */
const modules = {
  numpy: names.np,
  pandas: names.pd,
  matplotlib: names.plt,
  seaborn: names.plt,
  torch: names.torch,
  fastai: "recital, with fastai's words: collabLearner, fitOneCycle, …",
  sklearn: 'PCA, TruncatedSVD and others of recital',
  os: "'node:os', 'node:fs', 'node:path'",
  random: 'Random of recital, or Math.random()',
};

/** Lines that do not parse: what they are in Python, and what is written here. */
const lines = [
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

function importOf(name) {
  const instead = modules[name.split('.')[0]];
  return instead
    ? `Python's ${name}. Here: ${instead}`
    : "Python's import. TypeScript's: import { readPlays } from 'recital';";
}

const words = {
  and: '&&',
  or: '||',
  'is not': '!==',
  is: '===',
  None: 'null',
  True: 'true',
  False: 'false',
};
const operators = (text) =>
  text
    .replace(/^\((.*)\)$/, '$1')
    .replace(/\b(and|or|is not|is|None|True|False)\b/g, (word) => words[word])
    .replace(/\bnot\s+/g, '!');
/** The head of a loop. */
function loop(each, of) {
  const [, from, to] = /^range\((?:([^,]+),\s*)?([^,]+)\)$/.exec(of) ?? [];
  if (to) return `for (let ${each} = ${from ?? 0}; ${each} < ${to}; ${each}++)`;
  return `for (const ${each.includes(',') ? `[${each}]` : each} of ${of})`;
}
const parameters = (text) => text.replace(/^\s*self\s*,?\s*/, '').trim();

/** What a line means that does not parse, if it is Python. */
function line(text = '') {
  if (/"""|'''/.test(text)) return "Python's long text. TypeScript's stands in backticks: `…`";
  const code = text.replace(/(['"`])(?:\\.|(?!\1).)*\1/g, '$1$1').replace(/\/\/.*$/, ''); // without texts and comments
  for (const [pattern, say] of lines) {
    const found = pattern.exec(code);
    if (found) return say(...found.slice(1));
  }
  return undefined;
}

/** What a name is here, if it is one of Python's. */
function name(word) {
  if (!Object.hasOwn(names, word)) return undefined;
  return `Python's ${word}. ${/recital/.test(names[word]) ? 'Here' : "TypeScript's"}: ${names[word]}`;
}

function module_(word) {
  const [first] = word.split(/[./]/);
  return Object.hasOwn(modules, first) ? `Python's ${first}. Here: ${modules[first]}` : undefined;
}

const query = (value) => `Ask in SQL: await sql('select … from t', { tables: { t: ${value} } })`;
/** Of a table, as of pandas. */
const ofTable = {
  columns: (t) => `${t}.columnNames`,
  shape: (t) => `${t}.length, and ${t}.columnNames.length`,
  dtypes: (t) => `describe(${t})`,
  info: (t) => `describe(${t})`,
  describe: (t) => `describe(${t})`,
  iloc: (t) => `${t}.row(0), or ${t}.take([0, 1]) for several`,
  loc: (t) => `${t}.row(0), or ${t}.take([0, 1]) for several`,
  tail: (t) => `${t}.take([…]) takes rows by number; ${t}.length is how many there are`,
  values: (t) => `${t}.rows(), or ${t}.column('…')`,
  iterrows: (t) => `for (const row of ${t}.rows()) …`,
  itertuples: (t) => `for (const row of ${t}.rows()) …`,
  to_dict: (t) => `${t}.rows()`,
  to_csv: (t) => `${t}.save('file.csv')`,
  to_json: (t) => `${t}.save('file.json')`,
  isnull: (t) => `missingValues(${t})`,
  isna: (t) => `missingValues(${t})`,
  assign: (t) => `${t}.withColumn('name', values)`,
  ...Object.fromEntries(
    [
      'groupby',
      'sort_values',
      'value_counts',
      'merge',
      'join',
      'query',
      'drop_duplicates',
      'dropna',
      'agg',
      'pivot_table',
    ].map((w) => [w, query]),
  ),
};
/** Of arrays, as of Python's lists and NumPy's arrays. */
const ofList = {
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
const ofText = {
  upper: 'toUpperCase()',
  lower: 'toLowerCase()',
  strip: 'trim()',
  startswith: 'startsWith(…)',
  endswith: 'endsWith(…)',
};

/** What a member is here that a value does not have, if it is one of Python's. */
function member(word, { isTable, isList, isText, value }) {
  if (isTable && Object.hasOwn(ofTable, word)) return ofTable[word](value);
  if (isText && Object.hasOwn(ofText, word)) return `${value}.${ofText[word]}`;
  return isList && Object.hasOwn(ofList, word) ? ofList[word](value) : undefined;
}

module.exports = { line, member, module: module_, name };
