// Makes a fresh clone usable: the right Node, the dependencies of package-lock.json, the compiled
// kernels. Says and does nothing when all is there. The development packages belong to it, whatever
// NODE_ENV or npm's omit say: notebooks find the library by its name through one of them. Every npm
// script runs it first, so that `git pull` needs no second command. Plain Node: it must run before
// anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const modules = join(root, 'node_modules');
const hidden = join(modules, '.package-lock.json'); // what npm says it installed
const stamp = join(modules, '.recital-lock'); // the lock file that node_modules was last seen to match, and when npm had changed that

function fail(message) {
  console.error(message);
  process.exit(1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(
    `recital needs Node 20.19 or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
      'Install a current one (https://nodejs.org, or `nvm install 22`) and run the command again.',
  );
}

/**
 * Whether what npm says it installed is what the lock file asks for. Packages for other platforms
 * may be absent, further ones present.
 */
function installed(lock) {
  if (!existsSync(hidden)) return false;
  const { packages } = JSON.parse(readFileSync(hidden, 'utf8'));
  return Object.entries(JSON.parse(lock).packages).every(([place, wanted]) => {
    if (place === '') return true;
    const found = packages[place];
    return found ? found.version === wanted.version : Boolean(wanted.optional || wanted.peer);
  });
}

function install() {
  console.error(
    `Installing the dependencies ${existsSync(modules) ? 'again (package-lock.json has changed, or packages are missing)' : '(once)'}: this takes a minute or two …`,
  );
  const npm = process.env.npm_execpath; // set inside `npm run`: the npm in use, wherever it is
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const args = ['ci', '--include=dev'];
  // npm's cache is used where there is one; where there is none, none is left in the home folder.
  const cache = process.env.npm_config_cache;
  const passing =
    cache && !existsSync(join(cache, '_cacache')) ? join(root, '.cache', 'npm') : undefined;
  if (passing) options.env = { ...process.env, npm_config_cache: passing };
  const run =
    npm && /\.[cm]?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...args], options)
      : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (passing) rmSync(passing, { recursive: true, force: true });
  if (run.error)
    fail(
      `npm could not be started (${run.error.message}). It comes with Node; run \`npm ci\` in ${root} by hand.`,
    );
  if (run.status !== 0)
    fail(
      `npm ci failed (exit code ${run.status ?? run.signal}); its message is above. It needs the network once.`,
    );
}

const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
const state = () =>
  `${createHash('sha256').update(lock).digest('hex')} ${statSync(hidden, { throwIfNoEntry: false })?.mtimeMs}`;
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state()) {
  if (!installed(lock)) install();
  try {
    writeFileSync(stamp, state());
  } catch {
    // A checkout of somebody else's: the next call looks again.
  }
}
try {
  rmdirSync(process.env.npm_config_cache ?? ''); // npm makes that folder before it calls us; an empty one goes again
} catch {
  // It is in use.
}

// Compiles what is missing or older than its source.
await import('../recital/build.mjs');
