/**
 * What has been found out of arrays, so that it need not be found out again: a file is checked and
 * prepared in slices, between which the event loop has its turns, and then read in one go by code
 * that knows nothing of that. It holds only within {@link Findings.use}: arrays can change later.
 */
export class Findings {
  private readonly all = new WeakMap<object, Map<string, unknown>>();

  /** Keeps a finding on an object, under a name. */
  add(of: object, what: string, finding: unknown): void {
    const known = this.all.get(of) ?? new Map<string, unknown>();
    this.all.set(of, known.set(what, finding));
  }

  /** What was found of an object under a name. */
  get(of: object, what: string): unknown {
    return this.all.get(of)?.get(what);
  }

  /** Runs work that may rely on these findings; it awaits nothing. */
  use<T>(work: () => T): T {
    const before = current;
    current = this;
    try {
      return work();
    } finally {
      current = before;
    }
  }
}

let current: Findings | undefined;

/** What is known of an object under a name; undefined if nothing is, or it was not looked for. */
export function found<T>(of: object, what: string): T | undefined {
  return current?.get(of, what) as T | undefined;
}
