import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(__dirname, '../..');

/** What a command wrote and how it ended. */
export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a command, without what the checkout's own npm and Node have set. */
export function run(command: string, args: readonly string[], cwd: string): Ended {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(npm_(?!config_(registry|cache|cafile|.*proxy))|NODE_OPTIONS|INIT_CWD)/i.test(name),
    ),
  );
  const { status, stdout, stderr }: SpawnSyncReturns<string> = spawnSync(command, args, {
    cwd,
    env: { ...env, CI: '1', NEXT_TELEMETRY_DISABLED: '1', RECITAL_THREADS: '2' },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return { code: status, out: stdout ?? '', err: stderr ?? '' };
}

/** Runs a command that must succeed; its output. */
export function output(command: string, args: readonly string[], cwd: string): string {
  const { code, out, err } = run(command, args, cwd);
  if (code !== 0)
    throw new Error(
      `${command} ${args.join(' ')} ended with ${code}:\n${`${out}\n${err}`.slice(-4000)}`,
    );
  return out;
}

/** npm's install without scripts, as careful projects run it. */
export function install(packages: readonly string[], cwd: string): Ended {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages];
  return run('npm', args, cwd);
}

/**
 * The node_modules of a tool, installed once; undefined where npm does not serve it: the test is then
 * skipped.
 * @param packages with versions, so that a newer one is seen
 */
export function tool(name: string, ...packages: string[]): string | undefined {
  const folder = join(tools, name);
  const stamp = join(folder, 'installed');
  const wanted = packages.join('\n');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const { code, err } = install(packages, folder);
    if (code !== 0) {
      console.log(`      ${packages.join(', ')} cannot be installed here: ${lastLine(err)}`);
      return undefined;
    }
    writeFileSync(stamp, wanted);
  }
  return join(folder, 'node_modules');
}

/** The program of Deno; undefined where npm does not serve it. */
export function deno(): string | undefined {
  const modules = tool('deno', 'deno@latest');
  if (modules === undefined) return undefined;
  const folder = join(modules, '@deno');
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    for (const file of ['deno', 'deno.exe'].map((each) => join(folder, name, each)))
      if (existsSync(file)) return file;
  console.log('      npm has no deno for this machine');
  return undefined;
}

/** Outside of the checkout, whose packages a tool must not see. */
const tools = join(tmpdir(), 'recital-package-tools');

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** An empty folder of its own, with files; taken away by `clear`. */
export function project(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'recital-package-'));
  made.push(folder);
  put(folder, { 'package.json': '{ "name": "app", "private": true }\n', ...files });
  return folder;
}

/** Writes files into a folder. */
export function put(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const made: string[] = [];

/** Takes the folders of `project` away. */
export function clear(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}
