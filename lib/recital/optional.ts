import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DataError } from './errors.js';

/** Large packages that `npm run COMMAND` installs, each in a folder of its own. */
export const optionalPackages = {
  tensorflow: { name: '@tensorflow/tfjs-node', version: '4.22.0' },
  danfo: { name: 'danfojs-node', version: '1.2.0' },
} as const;

/** The npm command that installs an optional package. */
export type OptionalCommand = keyof typeof optionalPackages;

/** The folder that `npm run COMMAND` installs into; `npm ci` would clear node_modules. */
export function optionalFolder(command: OptionalCommand): string {
  return join(__dirname, '../../.packages', command);
}

/**
 * The file of an optional package: in the project, beside the library, or in its own folder;
 * undefined if there is none. `folder` is the only one to look in.
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
 * Loads an optional package with its own copy of TensorFlow.js. Copies share one engine and warn of
 * each kernel that another copy has registered; the warnings are suppressed.
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

/** The error for an optional package that is not installed. */
export function notInstalled(command: OptionalCommand, what: string): DataError {
  const { name, version } = optionalPackages[command];
  return new DataError(
    `${what} needs the package ${name}, which is not installed. \`npm run ${command}\` installs it (version ${version}), once.`,
  );
}
