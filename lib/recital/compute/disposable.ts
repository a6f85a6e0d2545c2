import { ArgumentError } from '../errors.js';
import { inspected } from '../printed.js';
import { dispose, onMemory } from './memory.js';

/** JavaScript's `Symbol.dispose`, where the types of the project that compiles this know it. */
type DisposeSymbol = SymbolConstructor extends { readonly dispose: infer S extends symbol }
  ? S
  : never;

/** What `using` gives back at the end of a block, as TypeScript's `Disposable`. */
export type GivenBack = { [Name in DisposeSymbol]: () => void };

/** How many learners or recommenders compute with an object or array, if more than one could. */
const holders = new WeakMap<object, number>();
const gone = new WeakSet<object>();

/** Says that one more learner or recommender computes with something that was made elsewhere. */
export function hold(shared: object): void {
  holders.set(shared, (holders.get(shared) ?? 0) + 1);
}

/** Makes a class work with `using`: its `dispose` is called by the name of `Symbol.dispose`, too. */
export function usable(type: { readonly prototype: { dispose(): void } }): void {
  const symbol = (Symbol as { readonly dispose?: symbol }).dispose;
  if (symbol === undefined) return; // an old runtime: it has no `using`
  Object.defineProperty(type.prototype, symbol, {
    configurable: true,
    value(this: { dispose(): void }) {
      this.dispose();
    },
  });
}

/** Properties that remain of what was given back. */
const REMAINS: readonly string[] = ['constructor', 'name', 'dispose'];

/**
 * Gives the shared memory that an object holds back at once, by itself or by what its fields lead
 * to, and makes every further use of it an error. Recommenders and learners that it leads to are
 * given back with it. A second time nothing happens.
 * @param leave what belongs to others too, and is not looked into; it may throw
 */
export function giveBack(
  it: object & { readonly name?: string },
  leave: () => readonly unknown[],
): void {
  if (gone.has(it)) return;
  const visited = new Set<unknown>(leave());
  gone.add(it);
  const name = Object.hasOwn(it, 'name') ? String(it.name) : it.constructor.name;
  const use = (): never => {
    throw new ArgumentError(
      `${name} has been disposed: its memory was given back. Load it, or train it, again.`,
    );
  };
  visited.add(it);
  const waiting: object[] = [it];
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    for (const [key, value] of entriesOf(at)) {
      if (typeof value !== 'object' || value === null || visited.has(value)) continue;
      const others = (holders.get(value) ?? 1) - 1;
      if (others > 0) {
        holders.set(value, others);
        visited.add(value);
      } else if (ArrayBuffer.isView(value)) {
        if (!onMemory(value)) continue;
        dispose(value as Float32Array);
        if (at instanceof Map) at.delete(key);
        else forbid(at, key, use);
      } else {
        visited.add(value);
        if (isDisposable(value)) value.dispose();
        else waiting.push(value);
      }
    }
  }
  for (let at = it; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const key of Reflect.ownKeys(at))
      if (typeof key === 'string' && !REMAINS.includes(key)) forbid(it, key, use);
  Object.defineProperty(it, 'name', { value: name, configurable: true });
  const said = { value: () => `${name}, disposed`, configurable: true };
  for (const key of ['toString', inspected]) Object.defineProperty(it, key, said);
}

/** Makes a property throw where it is read, unless it cannot be changed. */
function forbid(at: object, key: PropertyKey, get: () => never): void {
  if (Object.getOwnPropertyDescriptor(at, key)?.configurable !== false)
    Object.defineProperty(at, key, { get, configurable: true });
}

/** What an object holds, by field, position or key. */
function entriesOf(at: object): Iterable<[PropertyKey, unknown]> {
  if (at instanceof Map) return [...at] as [PropertyKey, unknown][];
  if (at instanceof Set) return [...at].map((value) => ['', value]);
  if (Array.isArray(at) && typeof at[0] !== 'object') return []; // texts or numbers, many of them
  return Object.entries(Object.getOwnPropertyDescriptors(at)).map(([key, { value }]) => [
    key,
    value as unknown,
  ]);
}

/** Whether it is a recommender or a learner: they look after what is theirs. */
function isDisposable(value: object): value is { dispose(): void } {
  const { dispose: own, scores, fit } = value as Record<string, unknown>;
  return typeof own === 'function' && (typeof scores === 'function' || typeof fit === 'function');
}
