import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { currentStamp, fileName, NativeError, nativeFolder, stampOf } from './stamp.js';

const FLAGS = '-std=gnu11 -O3 -fno-math-errno -fno-trapping-math -fvisibility=hidden -fPIC'.split(
  ' ',
);
const LINK =
  process.platform === 'darwin'
    ? ['-bundle', '-undefined', 'dynamic_lookup']
    : ['-shared', '-lm', '-lpthread', '-ldl'];

/** Options of buildNative. */
export interface BuildNativeOptions {
  /** Folder to put it in; default: where it is looked for. */
  dir?: string;
  /**
   * The C compiler; default: the environment variable CC, else the first of cc, gcc and clang that
   * there is.
   */
  compiler?: string;
  /**
   * The processor to compile for, as the compiler calls it (-march); default `native`, the one that
   * is there.
   */
  target?: string;
}

/** The kernel that was built: its file, and the compiler's name for itself. */
export interface NativeBuild {
  readonly file: string;
  readonly compiler: string;
}

/**
 * Compiles the native kernel for this machine, with GCC or Clang; takes seconds.
 * @throws NativeError without a compiler, or when it fails, or when the folder cannot be written
 */
export function buildNative({
  dir = nativeFolder(),
  compiler,
  target = 'native',
}: BuildNativeOptions = {}): NativeBuild {
  if (process.platform === 'win32')
    throw new NativeError('The native kernel is for Linux and macOS. On Windows it runs in WSL.');
  const cc = findCompiler(compiler ?? process.env.CC);
  const stamp = currentStamp();
  const name = fileName(stamp);
  const partial = join(dir, `${name}.${process.pid}.partial`);
  writing(dir, () => mkdirSync(dir, { recursive: true }));
  writing(dir, () => rmSync(partial, { force: true }));
  const args = [...FLAGS, `-march=${target}`, join(__dirname, 'recital.c'), '-o', partial, ...LINK];
  const { status, stderr, error } = spawnSync(cc.command, args, { encoding: 'utf8' });
  if (status !== 0) {
    rmSync(partial, { force: true });
    const why = (error?.message ?? stderr).trim();
    throw new NativeError(
      `The native kernel could not be compiled by ${cc.version} into ${dir}; is that folder writable?\n${why}`,
    );
  }
  writing(dir, () => renameSync(partial, join(dir, name)));
  for (const file of readdirSync(dir))
    if (file !== name && stampOf(file)?.machine === stamp.machine)
      rmSync(join(dir, file), { force: true });
  return { file: join(dir, name), compiler: cc.version };
}

function findCompiler(asked: string | undefined): { command: string; version: string } {
  const commands = asked ? [asked] : ['cc', 'gcc', 'clang'];
  for (const command of commands) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { command, version: stdout.split('\n', 1)[0] };
  }
  throw new NativeError(
    `A C compiler is needed for the native kernel, and ${commands.join(', ')} cannot be started. Install one (Debian, Ubuntu: \`apt install gcc\`; macOS: ` +
      '`xcode-select --install`) or name it in the environment variable CC. Without it everything works as before, by WebAssembly.',
  );
}

function writing(dir: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new NativeError(
      `The native kernel cannot be put into ${dir}: ${(error as Error).message}. Choose a folder that can be written, for building and for running alike: ` +
        'RECITAL_NATIVE=FOLDER.',
    );
  }
}
