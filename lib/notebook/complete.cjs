// What Tab offers: the compiler's completions, of which tslab hands on the names.

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

/**
 * Completions as Jupyter wants them.
 * @param answer tslab's: `candidates` for the stretch `start … end` of the code, and the compiler's own, `original`
 * @param prefix length of what tslab puts above each cell
 */
function completions({ start, end, candidates, original }, code, prefix) {
  const byName = new Map((original?.entries ?? []).map((entry) => [entry.name, entry]));
  // Between quotes tslab offers all texts at the cursor, so that what had been typed would stand twice.
  const span = [...byName.values()].find((entry) => entry.kind === 'string' && entry.replacementSpan)?.replacementSpan;
  const from = span && start === end ? span.start - prefix : start;
  const to = span && start === end ? from + span.length : end;
  const typed = code.slice(from, start).toLowerCase();
  const matches = candidates
    .filter((text) => start !== end || text.toLowerCase().startsWith(typed))
    .map((text) => ({ start: from, end: to, text: text.replace(/^"([^'"\\]*)"$/, "'$1'"), type: kindOf(byName.get(text)) }));
  return { start: from, end: to, matches };
}

function kindOf(entry) {
  const kind = entry?.kind ?? '';
  return kinds[kind] ?? kind;
}

module.exports = { completions };
