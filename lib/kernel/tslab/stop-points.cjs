// Places in the code of a cell at which it hears that it is to stop. After an `await`: `await x`
// becomes `resumed(await x)`, so that a loop of a cell that was stopped does not run on in the
// background. In the rounds of loops that await: `round()`, and of others:
// `if ((rounds = rounds + 1 & 63) === 0 && asked()) round();`, so that one that gives no turns
// ends. That takes 4 ns, and loops that count, and call nothing, do without: they are the ones that
// must be fast, and soon over. After a statement with an `await`, outside of functions: `ended()`,
// so that what follows a training that was stopped is not run, and what it returned is kept. What
// stands in a `finally` is left as it is: it is to be done in any case.
const ASKED = Symbol.for('recital.asked');
const ROUND = Symbol.for('recital.round');
const RESUMED = Symbol.for('recital.resumed');
const ENDED = Symbol.for('recital.ended');
const EVERY = 64; // a power of two

/** Whether a loop counts, and neither calls anything nor holds another loop or an await. */
function soonOver(ts, loop) {
  if (!ts.isForStatement(loop) || !loop.condition || !loop.incrementor) return false;
  const takesLong = (node) =>
    ts.isCallExpression(node) ||
    ts.isNewExpression(node) ||
    ts.isTaggedTemplateExpression(node) ||
    ts.isAwaitExpression(node) ||
    ts.isYieldExpression(node) ||
    ts.isIterationStatement(node, false) ||
    ts.forEachChild(node, takesLong) === true;
  return ts.forEachChild(loop, takesLong) !== true;
}

/** Whether there is an await in it that is not inside of a function. */
function awaits(ts, node) {
  if (ts.isAwaitExpression(node)) return true;
  return (
    !ts.isFunctionLike(node) &&
    !ts.isClassLike(node) &&
    ts.forEachChild(node, (child) => awaits(ts, child)) === true
  );
}

/** Whether there is a loop in it, or a `try`, which may swallow what its loops throw. */
function holdsMore(ts, node) {
  return (
    ts.isIterationStatement(node, false) ||
    ts.isTryStatement(node) ||
    ts.forEachChild(node, (child) => holdsMore(ts, child)) === true
  );
}

/** Whether this is an expression, or a declaration of variables, that awaits. */
function waits(ts, statement) {
  return (
    (ts.isExpressionStatement(statement) || ts.isVariableStatement(statement)) &&
    awaits(ts, statement)
  );
}

/**
 * A transformation of a cell's code, for the compiler `ts`. Positions stay as they are, for the
 * source maps.
 */
function addStopPoints(ts) {
  return (context) => {
    const { factory } = context;
    const [asked, round, resumed, ended] = [ASKED, ROUND, RESUMED, ENDED].map((key) => [
      Symbol.keyFor(key),
      factory.createUniqueName(Symbol.keyFor(key).replace('.', '_')),
    ]);
    const rounds = factory.createUniqueName('recital_rounds');
    const call = ([, name], args = []) => factory.createCallExpression(name, undefined, args);
    const known = ([key, name]) => {
      const found = factory.createCallExpression(
        factory.createIdentifier('Symbol.for'),
        undefined,
        [factory.createStringLiteral(key)],
      );
      const value = factory.createElementAccessExpression(
        factory.createIdentifier('globalThis'),
        found,
      );
      return factory.createVariableDeclaration(name, undefined, undefined, value);
    };
    const due = () => {
      const next = factory.createBitwiseAnd(
        factory.createAdd(rounds, factory.createNumericLiteral(1)),
        factory.createNumericLiteral(EVERY - 1),
      );
      return factory.createStrictEquality(
        factory.createParenthesizedExpression(factory.createAssignment(rounds, next)),
        factory.createNumericLiteral(0),
      );
    };
    let used = false;
    let depth = 0; // functions around
    const stops = (before, after) =>
      after.flatMap((each, i) =>
        depth === 0 && waits(ts, before[i])
          ? [each, factory.createExpressionStatement(call(ended))]
          : [each],
      );
    const visit = (node) => {
      if (ts.isTryStatement(node) && node.finallyBlock) {
        const [tried, caught] = [node.tryBlock, node.catchClause].map(
          (part) => part && visit(part),
        );
        return factory.updateTryStatement(node, tried, caught, node.finallyBlock);
      }
      const deeper = ts.isFunctionLike(node) || ts.isClassLike(node);
      if (deeper) depth++;
      const own = inside(node, ts.visitEachChild(node, visit, context));
      if (deeper) depth--;
      return own;
    };
    const inside = (node, own) => {
      if (ts.isBlock(own)) return factory.updateBlock(own, stops(node.statements, own.statements));
      const loop = ts.isIterationStatement(own, false) && !soonOver(ts, node);
      if (!loop && !ts.isAwaitExpression(own)) return own;
      used = true;
      if (!loop) return ts.setTextRange(call(resumed, [own]), node);
      const heard = factory.createExpressionStatement(call(round));
      const few = ts.isForOfStatement(own) || holdsMore(ts, node.statement); // rounds, which may be long
      const whether = few ? call(asked) : factory.createLogicalAnd(due(), call(asked));
      const eachRound = own.awaitModifier || awaits(ts, node.statement);
      const check = eachRound ? heard : factory.createIfStatement(whether, heard);
      return withBody(own, factory.createBlock([check, own.statement]));
    };
    const withBody = (loop, body) => {
      if (ts.isForStatement(loop))
        return factory.updateForStatement(
          loop,
          loop.initializer,
          loop.condition,
          loop.incrementor,
          body,
        );
      if (ts.isForInStatement(loop))
        return factory.updateForInStatement(loop, loop.initializer, loop.expression, body);
      if (ts.isForOfStatement(loop))
        return factory.updateForOfStatement(
          loop,
          loop.awaitModifier,
          loop.initializer,
          loop.expression,
          body,
        );
      if (ts.isWhileStatement(loop))
        return factory.updateWhileStatement(loop, loop.expression, body);
      return factory.updateDoStatement(loop, body, loop.expression);
    };
    return (file) => {
      const own = ts.visitNode(file, visit);
      if (!used) return own;
      const count = factory.createVariableDeclaration(
        rounds,
        undefined,
        undefined,
        factory.createNumericLiteral(0),
      );
      const names = factory.createVariableDeclarationList(
        [...[asked, round, resumed, ended].map(known), count],
        ts.NodeFlags.Let,
      );
      return factory.updateSourceFile(own, [
        factory.createVariableStatement(undefined, names),
        ...stops(file.statements, own.statements),
      ]);
    };
  };
}

/**
 * Says what is called from these places.
 * @param {{ asked: () => boolean, round: () => void, resumed: <T>(value: T) => T, ended: () => void
 *   }} places `asked`: whether `round` has something to do; `round`, `ended`: throw if the cell was
 *   stopped; `resumed`: throws, or returns what it is given
 */
function onStopPoint({ asked, round, resumed, ended }) {
  Object.assign(globalThis, { [ASKED]: asked, [ROUND]: round, [RESUMED]: resumed, [ENDED]: ended });
}

module.exports = { onStopPoint, addStopPoints };
