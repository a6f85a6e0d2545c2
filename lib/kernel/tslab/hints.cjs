// What is wrong with a cell, said so that its author knows what to do. TypeScript nests several
// messages in one, the outermost first, and keeps its best advice ("Did you forget to use
// 'await'?") apart from them; of names it knows the misspelt ones alone. Here each fault is one
// message, with hints below it.
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { distance } = require('fastest-levenshtein');
const { nearest } = require('../../recital/nearest.cjs');
const python = require('./python-words.cjs');

const lib = path.resolve(__dirname, '../../recital');
const MAX_FAULTS = 10; // shown of a cell
const MAX_LISTED = 16; // options, or choices
const MAX_HEAD = 200; // characters of a message before a shorter one in it is taken

/** Codes of TypeScript's. */
const AWAIT_OUTSIDE = 1308; // which tslab takes for what makes a cell asynchronous, where it stands outside of functions
const INVALID_CHARACTER = 1127;
const IMPLICIT_ANY = 7053; // TypeScript's for brackets in which nothing is, where it is strict
const OF_BROWSERS = 2584;
const EXPORTED_TWICE = 2323;
const unknownName = new Set([
  2304, 2503, 2552, 2580, 2581, 2582, 2583, 2584, 2591, 2592, 2593, 18004,
]);
const unknownMember = new Set([2339, 2550, 2551, 2568]);
const unknownExport = new Set([2305, 2614, 2724]);
const unknownModule = new Set([2307, 2792]);
const unknownOption = new Set([2353, 2561]);
const notIterable = new Set([2461, 2488, 2495]);
const typeAsValue = 2693;
const noOverload = 2769;
const nothingInCommon = 2559;
const missesMany = new Set([2739, 2740]);
/** "X is not assignable to Y", which one of the messages in it explains. */
const outer = new Set([2322, 2345, 2375, 2379, 2412]);
const AWAIT = "Did you forget to use 'await'?"; // TypeScript's words
const advice = /^(Did you|Do you|It is likely|An argument for|Arguments for)/;

/** The known name that a name is likely to mean: Python's `n_factors` is nFactors. */
function near(name, known) {
  const plain = name.replace(/(?<=.)_+(\w)/g, (_, letter) => letter.toUpperCase());
  return known.includes(plain) ? plain : nearest(plain, known)[0];
}

/** The same, but less far from it: for a name that may well be the reader's own. */
function veryNear(name, known) {
  const found = near(name, known);
  const same = (each) => each.replace(/_/g, '').toLowerCase();
  return found !== undefined && distance(same(name), same(found)) <= name.length / 5
    ? found
    : undefined;
}

const listed = (names) =>
  names.length <= MAX_LISTED
    ? `${names.join(', ')}.`
    : `${names.slice(0, MAX_LISTED).join(', ')}, … (${names.length}).`;

let exported;
/**
 * The names that the library exports, read from its index: a cell may have imported none of them.
 */
function libraryNames(ts) {
  const namesIn = (file) => {
    const { statements } = ts.createSourceFile(
      file,
      readFileSync(file, 'utf8'),
      ts.ScriptTarget.ES2022,
    );
    return statements.flatMap((statement) => {
      if (ts.isExportDeclaration(statement)) {
        if (statement.exportClause)
          return statement.exportClause.elements.map(({ name }) => name.text);
        return namesIn(
          path.resolve(path.dirname(file), statement.moduleSpecifier.text.replace(/\.js$/, '.ts')),
        );
      }
      const isExported = statement.modifiers?.some(
        ({ kind }) => kind === ts.SyntaxKind.ExportKeyword,
      );
      const declared = statement.declarationList?.declarations ?? [statement];
      return isExported ? declared.flatMap(({ name }) => (name ? [name.text] : [])) : [];
    });
  };
  exported ??= namesIn(path.join(lib, 'index.ts'));
  return exported;
}

/** Explains what TypeScript (`ts`) finds wrong with files of a program. */
class Hints {
  /**
   * @param {{ declaring(name: string): number | undefined }} cells which earlier cell has such a
   * variable
   */
  constructor(ts, program, cells) {
    Object.assign(this, { ts, program, cells });
    this.checker = program.getTypeChecker();
  }

  /**
   * The same diagnostics, fewer: each with a text, in whose first line is what is wrong, and in the
   * others what to do.
   */
  explain(file, diagnostics) {
    const unparsed = new Set(file.parseDiagnostics);
    const syntax = diagnostics.filter((d) => unparsed.has(d));
    if (syntax.length > 0) return limited(this.firstOfEachLine(file, syntax));
    const end = endOf(file);
    const placed = diagnostics.filter((d) => d.file && d.start <= end);
    const awaits = placed.filter(({ code }) => code === AWAIT_OUTSIDE);
    const faults = placed.filter(({ code }) => code !== AWAIT_OUTSIDE);
    const own = faults.filter(({ code }) => !ofDeclarations(code));
    return [
      ...awaits.map((d) => this.fault(d)),
      ...limited(distinct((own.length ? own : faults).map((d) => this.fault(d)))),
    ];
  }

  /** Of a line that does not parse the first fault: the others come of it. */
  firstOfEachLine(file, diagnostics) {
    const lines = new Set();
    return diagnostics.flatMap((d) => {
      const start = Math.min(d.start, endOf(file));
      const { line } = file.getLineAndCharacterOfPosition(start);
      if (lines.has(line)) return [];
      lines.add(line);
      const quotes = d.code === INVALID_CHARACTER && /[“”‘’]/.test(file.text[start]);
      const what = python.line(file.text.split('\n')[line]) ?? textOf(d.messageText);
      return [
        {
          ...d,
          start,
          messageText: [what, ...(quotes ? ['Quotes are straight ones: \' or ".'] : [])].join('\n'),
        },
      ];
    });
  }

  fault(d) {
    try {
      return { ...d, relatedInformation: undefined, messageText: this.explained(d) };
    } catch {
      return { ...d, messageText: this.ts.flattenDiagnosticMessageText(d.messageText, ' ') }; // the compiler has its failures with half a program
    }
  }

  explained(d) {
    const { file, start } = d;
    const token = this.ts.getTokenAtPosition(file, start);
    const node = this.outermost(token, d);
    const { text, code } = this.message(d.messageText, d.code);
    const said = this.say({ text, code, token, node });
    const related = (d.relatedInformation ?? [])
      .map((r) => textOf(r.messageText))
      .filter((line) => advice.test(line));
    const hints = [...related, ...(said.hints ?? [])];
    if (![text, ...hints].some((line) => /'await'\?/.test(line)) && this.isPromised(token, node))
      hints.unshift(AWAIT);
    return [said.text ?? text, ...new Set(hints)].join('\n');
  }

  /** The outermost node that begins with a token and that a diagnostic covers. */
  outermost(token, { file, start, length }) {
    let node = token;
    while (
      node.parent &&
      node.parent !== file &&
      node.parent.getStart(file) === start &&
      node.parent.end <= start + length
    )
      node = node.parent;
    return node;
  }

  /** The message in a chain of them that says most. */
  message(messageText, code) {
    if (typeof messageText === 'string') return { text: messageText, code };
    const chain = [];
    for (let each = messageText; each; [each] = each.next ?? []) {
      chain.push(each);
      if (each.code === noOverload) return this.overloads(each);
    }
    if (unknownMember.has(chain[0].code)) return pick(chain[0]);
    const inner = chain.findIndex((each) => !outer.has(each.code));
    if (inner < 0) return pick(chain[0].messageText.length <= MAX_HEAD ? chain[0] : chain.at(-1));
    const told = chain
      .slice(inner)
      .filter((each, i, all) => !outer.has(each.code) || i === all.length - 1);
    if (
      inner > 0 &&
      told.length === 1 &&
      missesMany.has(told[0].code) &&
      !told[0].messageText.startsWith("Type '{")
    )
      return pick(chain[0]);
    return { text: told.map((each) => each.messageText).join(' '), code: told.at(-1).code };
  }

  /** None of a function's signatures fits: what each of them lacks. */
  overloads({ messageText, next = [] }) {
    const each = next.map((one) => this.message(one.next?.[0] ?? one, one.code));
    const texts = [...new Set(each.map(({ text }) => text))];
    // Of an option that none of them has, what the last one takes is told: in TypeScript it is the
    // one that takes most.
    if (texts.length === 1 || each.every(({ code }) => unknownOption.has(code))) return each.at(-1);
    return { text: [messageText, ...texts.slice(-3)].join(' '), code: noOverload };
  }

  /** The text for a fault, if it should be another, and hints. */
  say({ text, code, token, node }) {
    if (unknownName.has(code) && this.ts.isIdentifier(token)) return this.name(token, text, code);
    if (code === EXPORTED_TWICE)
      return { hints: ['A cell exports nothing: leave `export` out. Other cells know its names.'] };
    if (
      code === AWAIT_OUTSIDE &&
      !isCell(token.getSourceFile()) &&
      !this.ts.findAncestor(token, this.ts.isFunctionLike)
    ) {
      return {
        text: 'Outside of functions `await` works in cells alone: export an async function.',
      };
    }
    if (code === typeAsValue) return { hints: known(python.name(token.text)) };
    if (unknownMember.has(code))
      return { text: ofModule(text), hints: this.member(token, !/Did you mean/.test(text)) };
    if (unknownExport.has(code))
      return { hints: /Did you mean/.test(text) ? [] : this.exportLike(token) };
    if (unknownModule.has(code)) return this.module(token, text);
    if (unknownOption.has(code) || code === nothingInCommon) return this.option(token, text);
    if (notIterable.has(code)) return { hints: this.rowsOf(node) };
    if (outer.has(code))
      return { hints: [...this.choices(token, text), ...this.extending(token, node)] };
    return missesMany.has(code) ? { hints: this.extending(token, node) } : {};
  }

  /** A name that nothing known has. */
  name(node, text, code) {
    const { ts } = this;
    const { text: name, parent } = node;
    const plain = /Did you mean/.test(text) ? text : `Cannot find name '${name}'.`;
    const isSet =
      ts.isBinaryExpression(parent) &&
      parent.left === node &&
      parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
    if (isSet && ts.isCallExpression(parent.parent) && parent.parent.arguments.includes(parent)) {
      return {
        text: plain,
        hints: [`Options are given in braces: { ${name}: ${parent.right.getText()} }.`],
      };
    }
    if (isSet && ts.isExpressionStatement(parent.parent)) {
      return {
        text: plain,
        hints: [
          `A new variable begins with const, or with let if it changes: const ${parent.getText().split('\n')[0]}`,
        ],
      };
    }
    const cell = this.cells.declaring(name);
    if (cell !== undefined)
      return {
        text: plain,
        hints: [`Cell [${cell}] declares it, but has failed: mend it, and run it again.`],
      };
    const names = libraryNames(ts);
    if (names.includes(name))
      return {
        text: `Cannot find name '${name}'.`,
        hints: [`recital has it: import { ${name} } from 'recital';`],
      };
    const inPython = python.name(name);
    if (inPython) return { text: `Cannot find name '${name}'.`, hints: [inPython] };
    if (code === OF_BROWSERS)
      return {
        text: `Cannot find name '${name}'.`,
        hints: ['Browsers have it; cells run in Node.'],
      };
    const like = veryNear(name, names);
    const meant = like && like !== /Did you mean '(.*)'/.exec(text)?.[1];
    if (meant)
      return { text: plain, hints: [`recital has ${like}: import { ${like} } from 'recital';`] };
    return { text: plain, hints: ['No cell that has run declares it.'] };
  }

  /** A property or method that a value does not have. */
  member(node, unguessed) {
    const { ts, checker } = this;
    if (!ts.isIdentifier(node)) return [];
    const { parent, text: name } = node;
    if (!ts.isPropertyAccessExpression(parent)) return [];
    const type = checker.getTypeAtLocation(parent.expression);
    if (isPromise(type)) return [];
    const value = short(parent.expression.getText(), 'x');
    const call =
      ts.isCallExpression(parent.parent) && parent.parent.expression === parent
        ? parent.parent
        : undefined;
    const called = call
      ? `(${short(call.arguments.map((each) => each.getText()).join(', '), '…')})`
      : '';
    const has = (member) => checker.getPropertyOfType(type, member) !== undefined;
    const isTable = has('columnNames') && has('rows');
    const toTable = isTable ? undefined : this.conversion(type, 'columnNames');
    const word = python.member(name, {
      isTable: isTable || toTable !== undefined,
      isList: has('length') && has('map'),
      isText: has('charAt'),
      value: toTable ? `${value}.${toTable}()` : value,
    });
    if (word) return [`Instead: ${word}`];
    const converted = this.conversion(type, name);
    if (converted) return [`Instead: ${value}.${converted}().${name}${called}`];
    const like = unguessed && near(name, this.membersOf(type));
    if (like) return [`Did you mean '${like}'?`];
    if (isTable) {
      if (name in Array.prototype) return [`Instead: ${value}.rows().${name}${called}`];
      if (unguessed && !called)
        return [`A column is ${value}.column('${name}'), the rows are ${value}.rows().`];
    }
    if (libraryNames(ts).includes(name) && called && this.ofLibrary(type))
      return [`It is a function: import { ${name} } from 'recital'; ${name}(${value})`];
    return [];
  }

  /** A method without parameters, `toTable`, that gives something with such a member. */
  conversion(type, name) {
    const { checker } = this;
    return this.membersOf(type).find((member) => {
      if (!/^to[A-Z]/.test(member) || member === 'toString') return false;
      const [signature] = checker
        .getTypeOfSymbol(checker.getPropertyOfType(type, member))
        .getCallSignatures();
      return (
        signature?.parameters.length === 0 &&
        checker.getPropertyOfType(signature.getReturnType(), name) !== undefined
      );
    });
  }

  membersOf(type) {
    const hidden = this.ts.ModifierFlags.NonPublicAccessibilityModifier;
    const isPublic = ({ valueDeclaration: declared }) =>
      !declared || !(this.ts.getCombinedModifierFlags(declared) & hidden);
    const members = this.checker.getPropertiesOfType(this.checker.getApparentType(type));
    return members.filter(isPublic).map(({ name }) => name);
  }

  exportLike(node) {
    const like = near(node.text ?? '', libraryNames(this.ts));
    return like && /['"]recital['"]/.test(node.parent?.parent?.parent?.parent?.getText() ?? '')
      ? [`Did you mean '${like}'?`]
      : [];
  }

  /** A module that is not there. */
  module(node, text) {
    const plain = text.replace(' or its corresponding type declarations', '');
    const name = /'(.*)'/.exec(text)?.[1] ?? '';
    if (/^[./]/.test(name)) {
      const folder = path.dirname(path.resolve(path.dirname(node.getSourceFile().fileName), name));
      return { text: plain, hints: [`There is no such file in ${folder}.`] };
    }
    const like = veryNear(name, ['recital']);
    if (like) return { text: plain, hints: [`Did you mean '${like}'?`] };
    const inPython = python.module(name);
    return {
      text: plain,
      hints: [
        inPython ??
          `If it is a package: npm install ${name}, in the folder of the notebook or one above.`,
      ],
    };
  }

  /** A name in an object that has no such option. */
  option(node, text) {
    const { ts, checker } = this;
    const object = ts.findAncestor(node, ts.isObjectLiteralExpression);
    const name = (ts.isIdentifier(node) || ts.isStringLiteral(node)) && node.text;
    const plain = text
      .replace('Object literal may only specify known properties, ', '')
      .replace(/^(and|but) (?=')/, '')
      .replace('mean to write', 'mean');
    const type = object && checker.getContextualType(object);
    if (!type || !name || /Did you mean/.test(plain)) return { text: plain };
    const types = type.isUnion() ? type.types : [type];
    const names = [...new Set(types.flatMap((each) => this.membersOf(each)))].filter(
      (each) => !/^__/.test(each),
    );
    const like = near(name, names);
    if (like) return { text: `${plain} Did you mean '${like}'?` };
    return { text: plain, hints: names.length ? [`There are: ${listed(names)}`] : [] };
  }

  /** The texts that may stand here, where one is none of them. */
  choices(node, text) {
    const { ts, checker } = this;
    const literal = ts.isPropertyAssignment(node.parent ?? node) ? node.parent.initializer : node;
    if (!literal || !ts.isExpression(literal) || /Did you mean/.test(text)) return [];
    const wanted = checker.getContextualType(literal);
    const type = wanted?.isUnion()
      ? wanted
      : wanted && checker.getIndexTypeOfType(wanted, ts.IndexKind.Number);
    const texts = (type?.isUnion() ? type.types : [])
      .filter((each) => each.isStringLiteral())
      .map(({ value }) => value);
    if (texts.length === 0) return [];
    if (ts.isIdentifier(literal))
      return /^(Type|Argument of type) 'string(\[\])?'/.test(text)
        ? [`The texts of ${literal.text} may be any. Declare it with \`as const\` at the end.`]
        : [];
    if (!ts.isStringLiteralLike(literal)) return [];
    const like = near(literal.text, texts);
    return [
      like ? `Did you mean '${like}'?` : `There are: ${listed(texts.map((each) => `'${each}'`))}`,
    ];
  }

  /** An object in the place of an instance of a class that is there to be extended. */
  extending(token, node) {
    const { ts, checker } = this;
    const property =
      ts.isPropertyAssignment(token.parent) && token.parent.name === token
        ? token.parent.initializer
        : undefined;
    const given =
      property ??
      ts.findAncestor(token, ts.isObjectLiteralExpression) ??
      (ts.isExpression(node) ? node : undefined);
    const wanted = given && checker.getContextualType(given);
    const isAbstract = ({ symbol }) => {
      const declared = symbol?.valueDeclaration;
      return (
        declared &&
        ts.isClassDeclaration(declared) &&
        ts.getCombinedModifierFlags(declared) & ts.ModifierFlags.Abstract
      );
    };
    const base = (wanted?.isUnion() ? wanted.types : [wanted]).find(
      (each) => each && isAbstract(each),
    );
    if (!base) return [];
    const { name } = base.symbol;
    return [
      `It must be of a class that extends ${name}: class Mine extends ${name} { … }. Shift-Tab on ${name} shows an example.`,
    ];
  }

  /** What to loop over instead of a value of the library that is no list. */
  rowsOf(node) {
    const type = this.checker.getTypeAtLocation(node);
    if (this.checker.getPropertyOfType(type, 'rows'))
      return [`Its rows are ${node.getText()}.rows().`];
    const converted = this.conversion(type, 'rows');
    return converted ? [`Its rows are ${node.getText()}.${converted}().rows().`] : [];
  }

  /**
   * Whether a promise is what is complained of: it, what it initializes, or what has no such
   * member.
   */
  isPromised(token, node) {
    const { ts, checker } = this;
    const { parent } = token;
    const values = [node];
    if (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent))
      values.push(parent.expression);
    if (parent.initializer && parent.name === token) values.push(parent.initializer);
    if (ts.isBindingElement(parent))
      values.push(ts.findAncestor(token, ts.isVariableDeclaration)?.initializer);
    return values.some(
      (value) =>
        value &&
        ts.isExpression(value) &&
        !ts.isStringLiteral(value) &&
        isPromise(checker.getTypeAtLocation(value)),
    );
  }

  ofLibrary(type) {
    return (
      type.symbol?.declarations?.some(
        (each) => !path.relative(lib, each.getSourceFile().fileName).startsWith('..'),
      ) ?? false
    );
  }

  /**
   * What TypeScript lets pass without a word: `plays[0]` and `table['artist']`, which are
   * undefined, and promises as texts and as conditions.
   */
  unsaid(file) {
    const { ts, checker } = this;
    if (file.parseDiagnostics.length > 0) return [];
    const found = [];
    const isPromiseAt = (node) => isPromise(checker.getTypeAtLocation(node));
    const report = (node, messageText) => {
      if (!messageText) return;
      const start = node.getStart(file);
      found.push({
        file,
        start,
        length: node.end - start,
        category: ts.DiagnosticCategory.Error,
        code: IMPLICIT_ANY,
        messageText,
      });
    };
    const asText = (node) =>
      isPromiseAt(node) && report(node, `A promise has no text but "[object Promise]".\n${AWAIT}`);
    // Of a variable one may well ask whether there is a promise in it.
    const asCondition = (node) =>
      ts.isCallExpression(node) &&
      isPromiseAt(node) &&
      report(node, `A promise is true, whatever comes of it.\n${AWAIT}`);
    const visit = (node) => {
      if (ts.isElementAccessExpression(node) && !isTarget(ts, node))
        report(node, this.brackets(node, checker.getTypeAtLocation(node.expression)));
      if (ts.isTemplateSpan(node)) asText(node.expression);
      if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
        const isText = (side) =>
          (checker.getTypeAtLocation(side).flags & ts.TypeFlags.StringLike) !== 0;
        if (isText(node.left)) asText(node.right);
        if (isText(node.right)) asText(node.left);
      }
      if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node))
        asCondition(node.expression);
      if (ts.isConditionalExpression(node)) asCondition(node.condition);
      if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
        asCondition(node.operand);
      ts.forEachChild(node, visit);
    };
    try {
      visit(file);
    } catch {
      return []; // see fault
    }
    return found;
  }

  brackets({ expression, argumentExpression: key }, type) {
    const { ts, checker } = this;
    const name = ts.isStringLiteralLike(key) ? key.text : undefined;
    const isNumber = (checker.getTypeAtLocation(key).flags & ts.TypeFlags.NumberLike) !== 0;
    if (
      (name === undefined && !isNumber) ||
      (name !== undefined && checker.getPropertyOfType(type, name))
    )
      return undefined;
    const value = expression.getText();
    if (isPromise(type)) return `A promise has no [${key.getText()}].\n${AWAIT}`;
    if (
      !(type.flags & ts.TypeFlags.Object) ||
      !this.ofLibrary(type) ||
      checker.getIndexInfosOfType(type).length > 0
    )
      return undefined;
    const has = (member) => checker.getPropertyOfType(type, member) !== undefined;
    const wanted = isNumber ? 'row' : 'column';
    const converted = has(wanted) ? '' : this.conversion(type, wanted);
    const like = name && near(name, this.membersOf(type));
    const hint = like
      ? [`Did you mean ${value}.${like}?`]
      : converted === undefined
        ? []
        : [`Instead: ${value}${converted && `.${converted}()`}.${wanted}(${key.getText()})`];
    return [
      `${checker.typeToString(type)} has nothing in brackets: no [${key.getText()}].`,
      ...hint,
    ].join('\n');
  }
}

/** Where the reader's own text ends: tslab puts a line below a cell. */
function endOf({ text }) {
  const end = text.search(/\nexport \{[^\n]*\}$/);
  return end < 0 ? text.length : end;
}
/** Whether a code is about the types that other cells are told of. */
const ofDeclarations = (code) => code >= 4000 && code < 4130;
/**
 * Without those at the same place, which come of the same fault, or that say again that a name is
 * unknown.
 */
function distinct(faults) {
  const said = new Set();
  return faults.filter(({ code, start, messageText }) => {
    const keys = [start, ...(unknownName.has(code) ? [messageText] : [])];
    const isNew = !keys.some((key) => said.has(key));
    for (const key of keys) said.add(key);
    return isNew;
  });
}
/** The first of them; the last one says how many there are besides. */
function limited(faults) {
  if (faults.length <= MAX_FAULTS) return faults;
  const last = faults[MAX_FAULTS - 1];
  const more = faults.length - MAX_FAULTS;
  return [
    ...faults.slice(0, MAX_FAULTS - 1),
    { ...last, messageText: `${last.messageText}\n(${more} more below.)` },
  ];
}
const short = (text, otherwise) => (text.length <= 40 && !text.includes('\n') ? text : otherwise);
const known = (hint) => (hint ? [hint] : []);
const isCell = ({ fileName }) => /__tslab__\.[jt]s$/.test(fileName);
const isPromise = (type) => type?.symbol?.name === 'Promise';
/** A module is called as in an import, not by the path of its file. */
const ofModule = (text) =>
  text.replace(
    /^Property ('.*?') does not exist on type 'typeof import\("(.*)"\)'/,
    (_, name, file) => {
      const isLibrary = /^(dist[\\/]types-\w+[\\/])?index$/.test(path.relative(lib, file));
      return `'${isLibrary ? 'recital' : path.basename(file)}' has no ${name}`;
    },
  );
const pick = ({ messageText, code }) => ({ text: messageText, code });
const textOf = (message) => (typeof message === 'string' ? message : message.messageText);

/** Whether something is assigned to it. */
function isTarget(ts, { parent }) {
  return ts.isBinaryExpression(parent) && ts.isAssignmentOperator(parent.operatorToken.kind);
}

module.exports = { Hints };
