import { fieldsText } from './compute/host.js';

/** The method of this name says how Node prints an object: `util.inspect.custom`, without Node. */
export const inspected: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /\u001b\[[\d;]*m|[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text made safe for a terminal: control characters (C0, DEL, C1) and those that change the
 * direction of writing are escaped, `\x1b`, `\u202e`. Otherwise a title could clear the screen.
 * @param keep control characters to keep, such as `'\n\t'`; `'\x1b'` keeps colours only
 */
export function visible(text: string, keep = ''): string {
  return text.replace(controls, (found) => {
    if (found.length > 1) return keep.includes('\u001b') ? found : `\\x1b${found.slice(1)}`;
    if (keep.includes(found) && found !== '\u001b') return found;
    const code = found.charCodeAt(0).toString(16);
    return named[found] ?? (code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`);
  });
}

/**
 * Defines how instances of a class print themselves: as the last value of a cell, in console.log,
 * as text.
 * @param text what they print; default: their `toString`
 * @example printed(Linear, ({ inputs, outputs }) => `Linear(${inputs}, ${outputs})`)
 */
export function printed<T extends object>(
  type: { readonly prototype: T },
  text?: (it: T) => string,
): void {
  const define = (key: PropertyKey, value: (this: T) => string): unknown =>
    Object.defineProperty(type.prototype, key, { value, writable: true, configurable: true });
  if (text)
    define('toString', function () {
      return text(this);
    });
  define(inspected, function () {
    return visible(this.toString(), '\n\t');
  });
}

/** An object as its constructor's call, `EarlyStopping({ patience: 3 })`, with these fields. */
export function asMade(it: object, names: readonly string[] = []): string {
  const fields = Object.fromEntries(
    Object.entries(it).filter(([name, value]) => names.includes(name) && value !== undefined),
  );
  return `${it.constructor.name}(${Object.keys(fields).length ? fieldsText(fields) : ''})`;
}

/**
 * A tree as PyTorch prints modules: a line for each part, behind its name, and the parts of a part
 * further in.
 */
export function tree(name: string, parts: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(parts).map(
    ([key, part]) => `  (${key}): ${String(part).replaceAll('\n', '\n  ')}`,
  );
  return lines.length ? [`${name}(`, ...lines, ')'].join('\n') : `${name}()`;
}

/** A count with its noun, `1 epoch`, `3,000 rows`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? noun : plural}`;
}

/** A value in a message: numbers, texts and lists of them as they are, else its kind. */
export function said(value: unknown): string {
  const plain = (it: unknown): boolean =>
    (typeof it !== 'object' && typeof it !== 'function' && typeof it !== 'symbol') || it === null;
  return plain(value) || (Array.isArray(value) && value.every(plain))
    ? String(value)
    : whatIs(value);
}

/** The kind of a value, for messages: `null`, `an array`, `a string`, `an object of Table`. */
export function whatIs(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `an object of ${value.constructor?.name || 'no class'}`;
  if (typeof value === 'function' && isClass(value)) return `the class ${value.name}`;
  return value === undefined ? 'nothing' : `a ${typeof value}`;
}

/** Whether a function is a class, which cannot be called without `new`. */
export function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}
