// What a cell leaves behind: its variables, and the value of its last expression.
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers'; // a cell may replace the global ones
import { inspect, types } from 'node:util';
import type { ErrorContent } from './failure.js';
import {
  type ConverterSet,
  type ConvertResult,
  compiler,
  DECLARED,
  type Diagnostic,
  type ts,
} from './tslab.js';

/**
 * Keeps the declarations of cells, between tslab's executor and its compiler. tslab forgets all
 * variables of a cell that fails: a training stopped in the middle would lose its learner. Here
 * those that have got a value stay, as in Python. Their values from before the cell are lost in any
 * case: its first statement sets them to undefined.
 */
export class Declarations {
  private current = ''; // of all cells so far
  private after = ''; // of these and the cell that runs
  private declared: string[] = []; // variables of that cell
  private compiled: { source: string; result: ConvertResult } | undefined;
  private converters: ConverterSet | undefined;

  /** @param elsewhere errors of files that the cell imports */
  constructor(private readonly elsewhere: () => Diagnostic[]) {}

  /** The same compilers, given the declarations that are kept here. */
  wrap(converters: ConverterSet): ConverterSet {
    this.converters = converters;
    const node = (): ConverterSet['node'] => ({
      ...converters.node,
      convert: (_declarations, source) => this.take(source),
      inspect: (_declarations, ...args) => converters.node.inspect(this.current, ...args),
      complete: (_declarations, ...args) => converters.node.complete(this.current, ...args),
    });
    return {
      get node() {
        return node();
      },
      get browser() {
        return converters.browser;
      },
      close: () => converters.close(),
    };
  }

  /** A cell begins. */
  begin(): void {
    this.after = this.current;
    this.declared = [];
  }

  /** Compiles the cell, before tslab asks for it. */
  compile(source: string): ConvertResult {
    if (!this.converters) throw new Error('The compiler is not there yet.');
    const result = this.converters.node.convert(this.current, source);
    result.hasToplevelAwait ||= awaitsInFor(source);
    result.diagnostics.push(...this.elsewhere());
    this.compiled = { source, result };
    return result;
  }

  private take(source: string): ConvertResult {
    const result = this.compiled?.source === source ? this.compiled.result : this.compile(source);
    this.compiled = undefined;
    if (result.diagnostics.length === 0) {
      this.after = result.declOutput ?? '';
      const [first = ''] = DECLARED.exec(result.output ?? '') ?? [];
      this.declared = Array.from(first.matchAll(/exports\.([\w$]+)/gu), ([, name]) => name);
    }
    return result;
  }

  /** The cell has ended, and its variables have these values. */
  end(ok: boolean, values: Record<string, unknown>): void {
    const lost = ok ? [] : this.declared.filter((name) => values[name] === undefined);
    this.current = lost.length > 0 ? without(this.after, new Set(lost)) : this.after;
  }
}

/** A declaration file without the variables, functions and classes of some names. */
function without(text: string, names: ReadonlySet<string>): string {
  const own = compiler();
  const file = own.createSourceFile('cells.d.ts', text, own.ScriptTarget.ES2022, true);
  const kept = file.statements.flatMap((node) => {
    if (!own.isVariableStatement(node)) {
      const { name } = node as ts.Statement & { name?: ts.Identifier };
      const isType = own.isInterfaceDeclaration(node) || own.isTypeAliasDeclaration(node);
      return isType || !name || !names.has(name.text) ? [node.getText(file)] : [];
    }
    const { flags, declarations } = node.declarationList;
    const { Const, Let } = own.NodeFlags;
    const keyword = flags & Const ? 'const' : flags & Let ? 'let' : 'var';
    return declarations
      .filter(({ name }) => !names.has(name.getText(file)))
      .map((each) => `declare ${keyword} ${each.getText(file)};`);
  });
  return kept.join('\n');
}

/** Whether code has a `for await` outside of functions, which tslab overlooks. */
function awaitsInFor(source: string): boolean {
  if (!/\bfor\s+await\b/.test(source)) return false;
  const own = compiler();
  const visit = (node: ts.Node): boolean => {
    if (own.isFunctionLike(node) || own.isClassLike(node)) return false;
    if (own.isForOfStatement(node) && node.awaitModifier) return true;
    return own.forEachChild(node, visit) === true;
  };
  return visit(own.createSourceFile('cell.ts', source, own.ScriptTarget.ES2022, true));
}

const STEP_MS = 20;
const PATIENCE_MS = 5_000; // for work that goes on
/** Resources of the compiler, and such as only wait. */
const idleResources =
  /^(FSEventWrap|StatWatcher|PipeWrap|TTYWrap|TCPSocketWrap|TCPServerWrap|MessagePort|Worker)$/;
const timeout = setTimeout(() => {});
const immediate = setImmediate(() => {});
clearTimeout(timeout);
clearImmediate(immediate);
const timers = new Set([timeout.constructor, immediate.constructor]);

function isTimer(value: unknown): boolean {
  try {
    return timers.has(Object.getPrototypeOf(value)?.constructor);
  } catch {
    return false; // a Proxy
  }
}

/**
 * The text for a cell's last value; undefined for a timer, which tells the reader nothing.
 * @param ofError the text for an error
 */
export function textOf(value: unknown, ofError: (error: Error) => string): string | undefined {
  if (typeof value === 'string') return value;
  if (types.isNativeError(value)) return ofError(value);
  return isTimer(value) ? undefined : inspect(value);
}

/**
 * Shows the value of a cell's last expression. A promise, as of `learn.fit(1)` without `await`,
 * belongs to the cell: it is awaited before the cell ends, its error is the cell's error, and its
 * value is shown. Rejections of other promises are kept until somebody asks for them.
 */
export class LastExpression {
  /** The library's part: draws a value and returns true, or leaves it to be printed. */
  draw: (value: unknown) => boolean = () => false;
  private promise: Promise<unknown> | undefined;
  private abandon: ((error: Error) => void) | undefined;
  private readonly rejections: ErrorContent[] = [];

  /**
   * @param print shows a value that the library does not draw
   * @param awaiting is told of a promise that is awaited
   */
  constructor(
    private readonly print: (value: unknown) => void,
    private readonly awaiting: (promise: Promise<unknown>) => void,
  ) {}

  /** Takes the place of the function by which tslab prints the value. */
  show(value: unknown): void {
    if (types.isPromise(value)) {
      this.promise = value;
      value.catch(() => {}); // it is awaited below
    } else if (!this.draw(value)) this.print(value);
  }

  /** A replacement of tslab's `interrupt` that abandons what is awaited here, too. */
  interrupter(interrupt: () => void): () => void {
    return () => {
      interrupt();
      this.abandon?.(new Error('Interrupted asynchronously')); // tslab's words
    };
  }

  /**
   * Waits for the promise that the cell has ended with, and shows its value. Rejects as it does.
   */
  async settle(): Promise<void> {
    for (let { promise } = this; promise; promise = this.promise) {
      this.promise = undefined;
      const abandoned = new Promise<never>((_, reject) => {
        this.abandon = reject;
      });
      this.awaiting(promise);
      const value = await Promise.race([promise, abandoned]).finally(() => {
        this.abandon = undefined;
      });
      if (value !== null && value !== undefined) this.show(value);
    }
  }

  /** A promise that nobody awaits was rejected. */
  rejected(content: ErrorContent): void {
    this.rejections.push(content);
  }

  /** The rejections since they were last asked for. */
  taken(): ErrorContent[] {
    return this.rejections.splice(0);
  }

  /**
   * Before the kernel stops: waits some seconds while timers or requests show that work goes on
   * that no cell awaits.
   * @returns the rejections, and whether work still goes on
   */
  async finish(): Promise<{ rejections: ErrorContent[]; running: boolean }> {
    const end = performance.now() + PATIENCE_MS;
    let running = true;
    for (let idle = 0; idle < 2 && performance.now() < end; idle = running ? 0 : idle + 1) {
      running = process.getActiveResourcesInfo().some((kind) => !idleResources.test(kind));
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
    return { rejections: this.taken(), running };
  }
}
