// Runs the examples of all docstrings in a process of its own, for some change how the library runs
// from then on. Prints one line of JSON each.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import ts from 'typescript';
import * as recital from '../public.js';
import { expectedOf, isExpected } from './expected.js';
import { makers, writeFiles } from './prelude.js';
import { type Example, readExamples } from './read.js';

/** What became of an example. */
export interface Outcome {
  where: string;
  ms: number;
  /** How many of its values are written beside it, and were compared. */
  compared: number;
  error?: string;
  /** Why it was not run. */
  skipped?: string;
}

/** Why an example cannot run here. */
function missing(code: string): string | undefined {
  if (/readHetRec/.test(code)) return 'HetRec is not part of the project';
  if (/userFactors/.test(code)) return "Spark's files are not part of the project";
  return undefined;
}

/**
 * JavaScript of an example, in which each value with a comment behind it is handed to `__check`.
 */
function compiled(code: string): string {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  let text = code;
  for (const statement of [...source.statements].reverse()) {
    const [comment] = ts.getTrailingCommentRanges(code, statement.end) ?? [];
    if (!comment || !ts.isExpressionStatement(statement)) continue;
    const said = JSON.stringify(code.slice(comment.pos + 2, comment.end));
    const from = statement.getStart(source);
    text = `${text.slice(0, from)}__check(${statement.expression.getText(source)}, ${said});${text.slice(statement.end)}`;
  }
  const wrapped = `async function __example() {\n${text}\n}`;
  return ts.transpileModule(wrapped, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  }).outputText;
}

async function run(
  { code, file, where }: Example,
  make: Record<string, (code: string) => unknown>,
): Promise<Outcome> {
  const outcome: Outcome = { where, ms: 0, compared: 0 };
  const skipped = missing(code);
  if (skipped) return { ...outcome, skipped };
  const start = performance.now();
  const names: Record<string, unknown> = {
    ...require(file),
    ...recital,
    __check(actual: unknown, said: string) {
      const expected = expectedOf(said);
      if (!expected) return;
      outcome.compared++;
      if (!isExpected(actual, expected.value, expected.tolerance))
        throw new Error(`The comment says ${said.trim()}, it is ${inspect(actual)}.`);
    },
  };
  const made = new Map<string, unknown>();
  const scope = new Proxy(names, {
    has: (_, name) => name in names || (typeof name === 'string' && name in make),
    get(_, name) {
      if (typeof name !== 'string') return undefined;
      if (name in make && !made.has(name)) made.set(name, make[name](code));
      return made.has(name) ? made.get(name) : names[name];
    },
  });
  try {
    await (new Function('__scope', `with (__scope) {\n${compiled(code)}\nreturn __example();\n}`)(
      scope,
    ) as Promise<void>);
  } catch (error) {
    if (error instanceof recital.DataError && / is not installed/.test(error.message))
      outcome.skipped = error.message;
    else outcome.error = inspect(error);
  }
  outcome.ms = performance.now() - start;
  return outcome;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'recital-examples-'));
  const report = (outcome: Outcome): unknown =>
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  const { log, warn, error } = console;
  try {
    mkdirSync(join(folder, 'notebooks'));
    await writeFiles(folder);
    process.chdir(join(folder, 'notebooks'));
    Object.assign(console, { log() {}, warn() {}, error() {} });
    const make = await makers();
    const only = process.argv[2];
    for (const example of readExamples()) {
      if (only && !example.where.includes(only)) continue;
      report(await recital.noBar(() => run(example, make)));
    }
  } finally {
    Object.assign(console, { log, warn, error });
    process.chdir(tmpdir());
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(0);
}

void main();
