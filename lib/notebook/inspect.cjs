// What Shift-Tab shows. tslab writes the texts of @returns, @throws, @example and so on without their names, one below the other, so that the condition
// of an error reads like a part of the example, and leaves out tags without a text, such as @deprecated. Here each tag keeps its name.

const joined = (parts = []) => parts.map(({ text }) => text).join('');

/** One tag of a docstring: its name and its text, an example of several lines below it. */
function tagText({ name, text }) {
  const content = joined(text).trim();
  if (content === '') return `@${name}`;
  return `@${name}${name === 'example' && content.includes('\n') ? '\n' : ' '}${content}`;
}

/** The text of TypeScript's "quick info": signature, description, tags, with an empty line between the three. */
function quickInfoText({ displayParts, documentation, tags = [] }) {
  return [joined(displayParts), joined(documentation), tags.map(tagText).join('\n')].filter((part) => part !== '').join('\n\n');
}

/** Makes tslab's kernel (its module `dist/jupyter`) answer with the whole docstring. */
function repairInspect(jupyter) {
  jupyter.JupyterHandlerImpl.prototype.handleInspect = function ({ code, cursor_pos }) {
    const info = this.executor.inspect(code, cursor_pos);
    return { status: 'ok', found: Boolean(info), data: info ? { 'text/plain': quickInfoText(info) } : {}, metadata: {} };
  };
}

module.exports = { quickInfoText, repairInspect };
