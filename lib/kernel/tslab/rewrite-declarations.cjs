// Writes out in the code of a cell what tslab cannot compile. Lines stay where they are.
// - { plays } as { plays: plays }: it takes names of earlier cells for members of `exports`, but
// misses those that stand as a shorthand property, which then fail
//   with "plays is not defined".
// - const fs = await import('node:fs') with the type of the module, `typeof import('node:fs')`: the
// one that the compiler finds for later cells has names in it
//   that cannot be written there.
const { createRequire } = require('node:module');

let ts;

/** tslab's own TypeScript: loaded already, in a kernel. */
function typescript() {
  ts ??= createRequire(require.resolve('tslab/package.json'))('@tslab/typescript-for-tslab');
  return ts;
}

/** The same code, written out; the code itself if there is nothing to write out. */
function writeOut(code) {
  if (!/\{|\bimport\b/.test(code)) return code;
  const { createSourceFile, forEachChild, isShorthandPropertyAssignment, ScriptTarget } =
    typescript();
  const insertions = [];
  const visit = (node) => {
    if (isShorthandPropertyAssignment(node))
      insertions.push([node.name.getStart(file), `${node.name.text}: `]);
    const module = importedBy(node);
    if (module) insertions.push([node.name.end, `: typeof import(${module.getText(file)})`]);
    forEachChild(node, visit);
  };
  const file = createSourceFile('cell.ts', code, ScriptTarget.ES2022, true);
  visit(file);
  return insertions.reduceRight(
    (text, [at, inserted]) => text.slice(0, at) + inserted + text.slice(at),
    code,
  );
}

/** The name of the module, if this is a declaration `fs = await import('node:fs')`. */
function importedBy(node) {
  const {
    isAwaitExpression,
    isCallExpression,
    isIdentifier,
    isStringLiteral,
    isVariableDeclaration,
    SyntaxKind,
  } = typescript();
  if (
    !isVariableDeclaration(node) ||
    !isIdentifier(node.name) ||
    node.type ||
    !node.initializer ||
    !isAwaitExpression(node.initializer)
  )
    return undefined;
  const call = node.initializer.expression;
  const module =
    isCallExpression(call) && call.expression.kind === SyntaxKind.ImportKeyword
      ? call.arguments[0]
      : undefined;
  return module && isStringLiteral(module) ? module : undefined;
}

module.exports = { writeOut, typescript };
