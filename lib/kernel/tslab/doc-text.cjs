// The text of docstrings, as a tooltip in a fixed-width font shows it.

const WIDTH = 88; // of a tooltip of JupyterLab

/** Parts of a docstring, as TypeScript gives them, as text: of a link its words. */
function textOf(parts = []) {
  return parts
    .filter(({ kind }) => kind !== 'link')
    .map(({ kind, text }) => (kind === 'linkName' || kind === 'linkText' ? text.trim() : text))
    .join('')
    .replace(/\*\*([^*\n]+)\*\*/g, '$1');
}

/**
 * Whether the line of a docstring begins something of its own: a point of a list, a row of a table,
 * code that is indented.
 */
const standsAlone = (line) => /^(\s{2,}|\s*([-*|>]|\d+\.)\s)/.test(line);

/**
 * Breaks a text into lines of at most 88 characters. Docstrings are broken where their file is
 * wide, which is not where a tooltip is.
 */
function wrap(text, indent = '', hanging = indent) {
  const lines = [];
  let fenced = false;
  let line = ''; // that is being filled
  const flush = () => {
    if (line !== '') lines.push(line);
    line = '';
  };
  for (const source of text.trim().split('\n')) {
    if (source.trim() === '') {
      flush();
      if (lines.length) lines.push('');
    } else if (fenced || source.startsWith('```')) {
      flush();
      if (source.startsWith('```')) fenced = !fenced;
      lines.push(indent + source);
    } else {
      if (standsAlone(source)) flush();
      for (const word of source.trim().split(/\s+/)) {
        if (line !== '' && line.length + 1 + word.length > WIDTH) flush();
        if (line === '') line = (lines.length ? hanging : indent) + word;
        else line += ` ${word}`;
      }
    }
  }
  flush();
  return lines.join('\n');
}

/** Moves every line of a text to the right. */
const indented = (text, indent) => text.replace(/^(?=.)/gm, indent);

module.exports = { WIDTH, indented, textOf, wrap };
