import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A place for installations, with an npm and a python that the test put in place. */
export class Stubs {
  readonly root = mkdtempSync(join(tmpdir(), 'recital install '));
  private readonly before = { ...process.env };

  /**
   * @param npm what npm does in the folder it is called in: JavaScript
   * @param python what Python does: lines of sh
   */
  constructor({ npm, python = 'exit 1' }: { npm: string; python?: string }) {
    const note = (what: string): string =>
      `fs.appendFileSync(${JSON.stringify(join(this.root, 'calls'))}, ${what} + '\\n');`;
    writeFileSync(
      this.path('npm.js'),
      `const fs = require('fs'); ${note("'npm ' + process.argv.slice(2).join(' ')")} ${npm}`,
    );
    writeFileSync(
      this.path('python'),
      `#!/bin/sh\necho "python $*" >> "${this.path('calls')}"\n${python}\n`,
    );
    chmodSync(this.path('python'), 0o755);
    Object.assign(process.env, { npm_execpath: this.path('npm.js'), PYTHON: this.path('python') });
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** What npm and Python were called with. */
  calls(): string[] {
    return existsSync(this.path('calls'))
      ? readFileSync(this.path('calls'), 'utf8').trim().split('\n')
      : [];
  }

  remove(): void {
    for (const name of ['npm_execpath', 'PYTHON']) {
      if (this.before[name] === undefined) delete process.env[name];
      else process.env[name] = this.before[name];
    }
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Runs some work; what it says on the error stream comes back beside its result. */
export function overheard<T>(work: () => T): { result?: T; error?: Error; said: string } {
  const { write } = process.stderr;
  let said = '';
  process.stderr.write = (text: string | Uint8Array) => {
    said += text;
    return true;
  };
  try {
    return { result: work(), said };
  } catch (error) {
    return { error: error as Error, said };
  } finally {
    process.stderr.write = write;
  }
}
