// Writes { plays } out as { plays: plays } before tslab compiles a cell: it takes names of earlier cells for members of `exports`, but misses those that
// stand as a shorthand property, which then fail with "plays is not defined". Lines stay where they are.
const { createRequire } = require('node:module');

let ts;

/** tslab's own TypeScript: loaded already, in a kernel. */
function typescript() {
  ts ??= createRequire(require.resolve('tslab/package.json'))('@tslab/typescript-for-tslab');
  return ts;
}

/** The same code without shorthand properties; the code itself if it has none. */
function expandShorthand(code) {
  if (!code.includes('{')) return code;
  const { createSourceFile, forEachChild, isShorthandPropertyAssignment, ScriptTarget } = typescript();
  const names = [];
  const visit = (node) => {
    if (isShorthandPropertyAssignment(node)) names.push(node.name);
    forEachChild(node, visit);
  };
  const file = createSourceFile('cell.ts', code, ScriptTarget.ES2022, true);
  visit(file);
  return names.reduceRight((text, name) => {
    const start = name.getStart(file);
    return `${text.slice(0, start)}${name.text}: ${text.slice(start)}`;
  }, code);
}

module.exports = { expandShorthand, typescript };
