import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { complaint } from '../recital/data/files/atomic-write.js';
import { RecitalError } from '../recital/errors.js';
import { type OptionalCommand, optionalFolder, optionalPackages } from '../recital/optional.js';

/**
 * An optional package cannot be installed. The message says why; what was there before is there
 * still.
 */
export class InstallError extends RecitalError {}

/** How to install an optional package. */
export interface Installation {
  command: OptionalCommand;
  /** Where; default: the folder where the library looks for it. */
  folder?: string;
  /** What its package.json asks for beside the package itself. */
  manifest?: { dependencies?: Record<string, string>; overrides?: Record<string, string> };
  /**
   * What is left to do once npm has unpacked the packages into a folder. Their own install scripts
   * have not run.
   */
  finish?: (folder: string) => void;
  /** Tries what is in a folder, and says what it is. Throws InstallError if it does not work. */
  check: (folder: string) => string;
}

/**
 * Installs an optional package into a folder of its own, with a package.json of its own: those of
 * the checkout, its package-lock.json and node_modules are as before. It is put together beside
 * that folder and takes its place only if it works.
 * @returns what there is to say
 */
export function installOptional({
  command,
  folder = optionalFolder(command),
  manifest = {},
  finish,
  check,
}: Installation): string {
  const { name, version } = optionalPackages[command];
  if (existsSync(folder)) {
    try {
      return `${name} is installed already: ${check(folder)}.\nTo install it anew, remove ${folder} first.`;
    } catch (error) {
      if (!(error instanceof InstallError)) throw error;
      say(
        `What is in ${folder} does not work here and is replaced (${error.message.split('\n')[0]})`,
      );
    }
  }
  const made = `${folder}.new`;
  try {
    mkdirSync(dirname(folder), { recursive: true });
  } catch (error) {
    throw new InstallError(`${dirname(folder)} cannot be written: ${(error as Error).message}.`);
  }
  try {
    say(`Installing ${name} ${version} into ${folder} …`);
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made);
    const { dependencies, overrides } = manifest;
    writeFileSync(
      `${made}/package.json`,
      JSON.stringify(
        { private: true, dependencies: { [name]: version, ...dependencies }, overrides },
        null,
        2,
      ),
    );
    npmInstall(made, `${name} ${version}`);
    finish?.(made);
    const found = check(made);
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
    return `Installed ${name}: ${found}.`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw error instanceof InstallError || code === undefined
      ? error
      : new InstallError(`${dirname(folder)} cannot be written: ${message}.`);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** A command without arguments: runs it, prints what it says, and sets the exit code. */
export function runCommand(command: OptionalCommand, run: () => string): void {
  const args = process.argv.slice(2);
  const usage = (require('./usage.cjs') as Record<OptionalCommand, string>)[command];
  if (args.length) {
    process.stderr.write(
      `npm run ${command} takes no arguments, got "${args.join(' ')}".\n\n${usage}\n`,
    );
    process.exitCode = 2;
    return;
  }
  try {
    process.stdout.write(`${run()}\n`);
  } catch (error) {
    const said = complaint(error);
    if (said === undefined) throw error;
    say(said);
    process.exitCode = 1;
  }
}

/** Tells on the error stream what is going on. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a script in a process of its own, with TypeScript, and returns what it prints. */
export function tried(script: string, what: string): string {
  const { status, stdout, stderr, signal } = spawnSync(
    process.execPath,
    ['--require', require.resolve('tsx/cjs'), '-e', script],
    {
      encoding: 'utf8',
    },
  );
  if (status === 0) return stdout.trim();
  const reason =
    /^\w*Error: .*/m.exec(stderr)?.[0] ??
    (lastLines(stderr) || `its process ended by ${signal ?? status}`);
  throw new InstallError(`${what} does not work: ${reason}`);
}

/** The end of what a program has printed, without the stack of an error. */
export function lastLines(output: string, n = 12): string {
  const lines = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  return lines.slice(-n).join('\n');
}

function npmInstall(folder: string, what: string): void {
  const options = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--loglevel=error',
  ];
  const npm = process.env.npm_execpath; // set inside `npm run`: the npm in use, wherever it is
  const stdio = { cwd: folder, stdio: ['ignore', 2, 2] as ('ignore' | number)[] };
  const run =
    npm && /\.[cm]?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...options], stdio)
      : spawnSync('npm', options, { ...stdio, shell: process.platform === 'win32' });
  if (run.error)
    throw new InstallError(`npm could not be started (${run.error.message}). It comes with Node.`);
  if (run.status !== 0)
    throw new InstallError(
      `npm could not install ${what}; its message is above. It needs the network.`,
    );
}
