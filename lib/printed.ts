import { inspect } from 'node:util';

/**
 * Says how the instances of a class, and of those that extend it, print themselves: as the last value of a cell, in console.log, as text.
 * @param type the class
 * @param text what they print; without it, what their `toString` says
 * @example printed(Linear, ({ inputs, outputs }) => `Linear(${inputs}, ${outputs})`)
 */
export function printed<T extends object>(type: { readonly prototype: T }, text?: (it: T) => string): void {
  const define = (key: PropertyKey, value: (this: T) => string): unknown =>
    Object.defineProperty(type.prototype, key, { value, writable: true, configurable: true });
  if (text) {
    define('toString', function () {
      return text(this);
    });
  }
  define(inspect.custom, function () {
    return this.toString();
  });
}

/** How an object was made, `EarlyStopping({ patience: 3 })`: its class, and those of its fields that have these names. */
export function asMade(it: object, names: readonly string[] = []): string {
  const fields = Object.fromEntries(Object.entries(it).filter(([name, value]) => names.includes(name) && value !== undefined));
  return `${it.constructor.name}(${Object.keys(fields).length ? inspect(fields, { breakLength: Infinity }) : ''})`;
}

/** A tree as PyTorch prints modules: a line for each part, behind its name, and the parts of a part further in. */
export function tree(name: string, parts: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(parts).map(([key, part]) => `  (${key}): ${String(part).replaceAll('\n', '\n  ')}`);
  return lines.length ? [`${name}(`, ...lines, ')'].join('\n') : `${name}()`;
}

/** A count with its noun, `1 epoch`, `3,000 rows`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? noun : plural}`;
}
