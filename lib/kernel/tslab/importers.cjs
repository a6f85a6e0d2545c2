// Where a type is met with: which public functions and methods take it or return it, or else which
// types have it as a part. A type has no example of its own; theirs shows how it is used.

/**
 * What names a type in its signature: functions and methods that take it, then those that return
 * it; else types with such a member, or that extend it.
 * @param name of the type
 * @param symbols what the module exports, no aliases
 * @returns labels, and the symbols whose examples show the type in use, the closest first
 */
function usedBy(ts, name, symbols) {
  const users = callsWith(ts, name, symbols);
  if (users.length) return { labels: labelsOf(users), symbols: examplesFrom(users) };
  const wholesOf = (part) =>
    symbols.filter((s) => s.name !== part && typesOf(ts, s).some((d) => names(part, d)));
  const wholes = wholesOf(name);
  // A part of a part is shown by what takes the whole.
  const all = new Set(wholes);
  for (const whole of all) for (const larger of wholesOf(whole.name)) all.add(larger);
  const further = [...all].flatMap((whole) => callsWith(ts, whole.name, symbols));
  return { labels: wholes.map((whole) => whole.name), symbols: [...all, ...examplesFrom(further)] };
}

const names = (name, node) =>
  node !== undefined && new RegExp(`\\b${name}\\b`).test(node.getText());
const labelsOf = (users) => [...new Set(users.map(({ label }) => label))];
const examplesFrom = (users) => [
  ...users.map(({ symbol }) => symbol),
  ...users.map(({ owner }) => owner),
];
const typesOf = (ts, { declarations = [] }) =>
  declarations.filter((d) => ts.isInterfaceDeclaration(d) || ts.isTypeAliasDeclaration(d));

/** Functions, constructors and methods whose parameters, or else what they return, name a type. */
function callsWith(ts, name, symbols) {
  const takes = [];
  const returns = [];
  const look = (declaration, user) => {
    const taken = [
      ...declaration.parameters.map((p) => p.type),
      ...(declaration.typeParameters ?? []),
    ];
    if (taken.some((node) => names(name, node))) takes.push(user);
    else if (names(name, declaration.type)) returns.push(user);
  };
  for (const owner of symbols) {
    for (const declaration of owner.declarations ?? []) {
      if (ts.isFunctionDeclaration(declaration))
        look(declaration, { label: owner.name, symbol: owner, owner });
      if (!ts.isClassDeclaration(declaration)) continue;
      for (const member of declaration.members) {
        if (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.NonPublicAccessibilityModifier)
          continue;
        if (ts.isConstructorDeclaration(member))
          look(member, { label: `new ${owner.name}`, symbol: owner, owner });
        else if (ts.isMethodDeclaration(member) && member.symbol) {
          look(member, {
            label: `${owner.name}.${member.symbol.name}`,
            symbol: member.symbol,
            owner,
          });
        }
      }
    }
  }
  return [...takes, ...returns];
}

module.exports = { usedBy };
