import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildNative } from 'recital-native';

/** Why the native kernel cannot be built here, if it cannot. */
export function cannotBuild(): string | undefined {
  if (process.platform === 'win32') return 'it is for Linux and macOS';
  const compilers = process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang'];
  return compilers.some((cc) => spawnSync(cc, ['--version']).status === 0)
    ? undefined
    : 'there is no C compiler';
}

/** A new folder with a native kernel for each of some processors, each in a folder of that name. */
export function nativeFolder(targets: readonly string[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'recital-native-'));
  for (const target of targets) buildNative({ dir: join(dir, target), target });
  return dir;
}
