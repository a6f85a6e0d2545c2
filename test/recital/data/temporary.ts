import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder for one file of tests, made before and removed after them. */
export class TemporaryFolder {
  path = '';

  /** Call it inside `describe`. */
  constructor() {
    before(() => {
      this.path = mkdtempSync(path.join(tmpdir(), 'recital-test-'));
    });
    after(() => rmSync(this.path, { recursive: true, force: true }));
  }

  /** Writes a file, with its folders, and returns its path. */
  write(name: string, content: string | Uint8Array): string {
    const file = path.join(this.path, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }
}

/** The error that a promise ends in. Fails if it ends well. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('An error was expected, but none was raised.');
}
