// What Tab offers: the compiler's completions, of which tslab hands on the names. And whether a
// cell can be run as it stands, for consoles.

/** What JupyterLab calls the kinds of TypeScript; it draws a sign for each. */
const kinds = {
  const: 'variable',
  let: 'variable',
  var: 'variable',
  'local var': 'variable',
  alias: 'variable',
  string: 'value',
  getter: 'property',
  setter: 'property',
  'local function': 'function',
};
const GLOBAL = '15'; // what the compiler sorts global names by
/**
 * Where global types are declared that a program for Node is written with: those of a browser,
 * which some package brings along, are not among them.
 */
const inNode =
  /[\\/]lib\.(es|decorators)[^\\/]*\.d\.ts$|[\\/]@types[\\/]node[\\/]|^(?!.*[\\/]node_modules[\\/])/;
/** Where tslab keeps the declarations of all cells that have run. */
const ofCells = /(^|[\\/])__prev__\.d\.ts$/;

/**
 * Completions as Jupyter wants them.
 * @param answer tslab's: `candidates` for the stretch `start … end` of the code, and the compiler's
 *   own, `original`
 * @param prefix length of what tslab puts above each cell
 * @param seen `ts`, and the `file` and `checker` that the compiler has looked with, if they are
 *   known
 */
function completions({ start, end, candidates, original }, code, prefix, seen) {
  const byName = new Map((original?.entries ?? []).map((entry) => [entry.name, entry]));
  // Between quotes tslab offers all texts at the cursor, so that what had been typed would stand
  // twice.
  const span = [...byName.values()].find(
    (entry) => entry.kind === 'string' && entry.replacementSpan,
  )?.replacementSpan;
  const from = span && start === end ? span.start - prefix : start;
  const to = span && start === end ? from + span.length : end;
  const typed = code.slice(from, start).toLowerCase();
  const matches = candidates
    .filter(
      (text) =>
        (start !== end || text.toLowerCase().startsWith(typed)) && exists(byName.get(text), seen),
    )
    .map((text) => ({
      text: text.replace(/^"([^'"\\]*)"$/, "'$1'"),
      type: kindOf(byName.get(text)),
    }));
  return { start: from, end: to, matches };
}

/** Whether a name is there when the cell runs; of a type, whether it is one of Node's. */
function exists(entry, { ts, file, checker }) {
  if (entry?.sortText !== GLOBAL || entry.kind === 'keyword' || entry.name in globalThis)
    return true;
  const symbol = checker?.resolveName(
    entry.name,
    file,
    ts.SymbolFlags.Value | ts.SymbolFlags.Type | ts.SymbolFlags.Namespace,
    false,
  );
  if (!symbol) return true;
  const files = (symbol.declarations ?? []).map(
    (declaration) => declaration.getSourceFile().fileName,
  );
  // Values that Node had would be in globalThis. Others of that name are there if a cell has
  // declared them.
  if (symbol.flags & ts.SymbolFlags.Value && !(symbol.flags & ts.SymbolFlags.Namespace))
    return files.some((file) => ofCells.test(file));
  return files.some((file) => inNode.test(file));
}

function kindOf(entry) {
  const kind = entry?.kind ?? '';
  return kinds[kind] ?? kind;
}

/** What a text that ends too early lacks: the end of a template string, or of a comment. */
const unterminated = new Set([1160, 1010]);
/**
 * A string or a regular expression that does not end in its line, which nothing on the next one can
 * mend.
 */
const broken = new Set([1002, 1161]);
/** Puts the compiler's mind at `await` outside of functions. */
const MODULE = 'export {};\n';

/**
 * The content of a reply to is_complete_request: `incomplete` where more must follow, `invalid`
 * where nothing that follows can help.
 * @param ts the compiler
 */
function isComplete(ts, code) {
  if (/(^|\n)\s*\n\s*$/.test(code)) return { status: 'complete' }; // two empty lines: it is to be run, whatever it is
  const { parseDiagnostics } = ts.createSourceFile(
    'cell.ts',
    MODULE + code,
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TS,
  );
  const [first] = parseDiagnostics;
  if (!first) return { status: 'complete' };
  const atEnd =
    first.start >= MODULE.length + code.trimEnd().length || unterminated.has(first.code);
  return atEnd && !broken.has(first.code)
    ? { status: 'incomplete', indent: indentAfter(code) }
    : { status: 'invalid' };
}

/** The blanks that the next line begins with. */
function indentAfter(code) {
  const line = code.slice(code.lastIndexOf('\n') + 1);
  const [indent] = /^\s*/.exec(line);
  return /[{([]\s*(\/\/.*)?$/.test(line) ? `${indent}  ` : indent;
}

module.exports = { completions, isComplete };
