import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DataError } from './errors.js';

/**
 * Packages that no installation brings along: each is large, and few need it. `npm run COMMAND`
 * puts it into a folder of its own in the checkout.
 */
export const optionalPackages = {
  tensorflow: { name: '@tensorflow/tfjs-node', version: '4.22.0' },
  danfo: { name: 'danfojs-node', version: '1.2.0' },
} as const;

/** The npm command that installs an optional package. */
export type OptionalCommand = keyof typeof optionalPackages;

/**
 * The folder that `npm run COMMAND` installs into: not node_modules, which belongs to
 * package-lock.json and is cleared by `npm ci`.
 */
export function optionalFolder(command: OptionalCommand): string {
  return join(__dirname, '../../.packages', command);
}

/**
 * The file of an optional package, where it is installed: in the project that is at work, beside
 * the library, or by `npm run COMMAND`.
 * @param options.folder looks there alone
 */
export function findOptional(
  command: OptionalCommand,
  { folder }: { folder?: string } = {},
): string | undefined {
  const { name } = optionalPackages[command];
  for (const from of folder ? [folder] : [process.cwd(), __dirname, optionalFolder(command)]) {
    try {
      return createRequire(join(from, 'x.js')).resolve(name);
    } catch {
      // not there
    }
  }
  return undefined;
}

/**
 * Loads an optional package that has copies of TensorFlow.js in it. All copies in a process share
 * one engine, and each warns of every kernel that another one has brought before: not here.
 */
export function loadQuietly<T>(load: () => T): T {
  const { env } = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');
  const before = env().getBool('PROD');
  env().set('PROD', true);
  try {
    return load();
  } finally {
    env().set('PROD', before);
  }
}

/** Loads the module of a file. */
export function requireFile<T>(file: string): T {
  return createRequire(file)(file) as T;
}

/** What to say where an optional package is needed and missing. */
export function notInstalled(command: OptionalCommand, what: string): DataError {
  const { name, version } = optionalPackages[command];
  return new DataError(
    `${what} needs the package ${name}, which is not installed. \`npm run ${command}\` installs it (version ${version}), once.`,
  );
}
