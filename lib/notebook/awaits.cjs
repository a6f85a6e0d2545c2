// Tells the kernel whenever the code of a cell goes on after an `await`, so that a loop of a cell that was stopped does not run on in the background:
// `await x` becomes `resumed(await x)`, and the body of `for await` begins with `resumed()`.
const RESUMED = Symbol.for('recital.resumed');
const text = Symbol.keyFor(RESUMED);

/** A transformation of a cell's code, for the compiler `ts`. Positions stay as they are, for the source maps. */
function tellOfAwaits(ts) {
  return (context) => {
    const { factory } = context;
    const resumed = (...args) => {
      const key = factory.createCallExpression(factory.createIdentifier('Symbol.for'), undefined, [factory.createStringLiteral(text)]);
      const target = factory.createElementAccessExpression(factory.createIdentifier('globalThis'), key);
      return factory.createCallExpression(target, undefined, args);
    };
    const visit = (node) => {
      const own = ts.visitEachChild(node, visit, context);
      if (ts.isAwaitExpression(own)) return ts.setTextRange(resumed(own), node);
      if (!ts.isForOfStatement(own) || !own.awaitModifier) return own;
      const body = factory.createBlock([factory.createExpressionStatement(resumed()), own.statement]);
      return factory.updateForOfStatement(own, own.awaitModifier, own.initializer, own.expression, body);
    };
    return (file) => ts.visitNode(file, visit);
  };
}

/** Has this function called with what each await gives. It returns it, or throws. */
function onAwait(resumed) {
  globalThis[RESUMED] = resumed;
}

module.exports = { onAwait, tellOfAwaits };
