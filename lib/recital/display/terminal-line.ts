let length = 0;

/**
 * Rewrites the last line of the terminal; an empty text takes it away. Nothing happens where the
 * output is not a terminal (a file, a notebook).
 */
export function writeLine(text: string): void {
  if (!process.stdout.isTTY || (text === '' && length === 0)) return;
  const shown = text.slice(0, Math.max(10, (process.stdout.columns || 80) - 1));
  process.stdout.write(`\r${shown.padEnd(length)}${text === '' ? '\r' : ''}`);
  length = shown.length;
}
