/** Installs @tensorflow/tfjs-node: `npm run tensorflow`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { findOptional, optionalPackages } from '../recital/optional.js';
import {
  InstallError,
  installOptional,
  lastLines,
  runCommand,
  say,
  tried,
} from './install-optional.js';

/**
 * Where TensorFlow's library comes from if the package cannot fetch its own: Python's package of it
 * has the same, under other names.
 */
const wheel = {
  name: 'tensorflow-cpu',
  version: '2.15.0',
  python: '3.11',
  platform: 'manylinux2014_x86_64',
  megabytes: 207,
};

/** Installs the package and tries it. Returns what there is to say. */
export function run({ folder }: { folder?: string } = {}): string {
  const said = installOptional({ command: 'tensorflow', folder, finish: addLibrary, check });
  return `${said}\nThe next \`tensorflow()\` takes it, in a notebook after a restart of its kernel.`;
}

/** Loads it and goes back through a lookup; returns the version of TensorFlow. */
function check(folder: string): string {
  const { name, version } = optionalPackages.tensorflow;
  const file = findOptional('tensorflow', { folder });
  if (!file) throw new InstallError(`${name} is not in ${folder}.`);
  const load = resolve(__dirname, '../recital/models/tensorflow-load.ts');
  const script = `
    const tf = require(${JSON.stringify(load)}).loadNative(${JSON.stringify(file)});
    const rows = tf.tensor1d([1, 1], 'int32');
    const [d] = tf.grads((x) => tf.square(tf.gather(x, rows)))([tf.tensor2d([[1, 2], [3, 4]])]);
    const found = [...d.dataSync()].join();
    if (found !== '0,0,12,16') throw new Error('a gradient is ' + found + ' where 0,0,12,16 is right');
    if (tf.getBackend() !== 'tensorflow') throw new Error('it computes by the backend ' + tf.getBackend());
    console.log(tf.backend().binding.TF_Version);`;
  return `version ${version}, on TensorFlow ${tried(script, name)}`;
}

/**
 * Gets TensorFlow's library and compiles what joins it to Node: by the package's own script or,
 * where that cannot download it, from Python's package.
 */
function addLibrary(folder: string): void {
  const home = join(folder, 'node_modules', ...optionalPackages.tensorflow.name.split('/'));
  say("Fetching TensorFlow's library, and compiling or fetching the addon …");
  const first = installScript(home, folder);
  if (first === undefined) return;
  if (existsSync(join(home, 'deps/lib/libtensorflow.so.2.9.1')))
    throw cannot(`the addon could not be compiled:\n${first}`);
  const reason = /Error: (.*)/.exec(first)?.[1] ?? lastLines(first, 1);
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw cannot(`the download of TensorFlow's library has failed (${reason}).`);
  say(
    `That download has failed (${reason}).\nTaking the library from Python's ${wheel.name} ${wheel.version} (${wheel.megabytes} MB) …`,
  );
  libraryFromWheel(home, reason);
  const second = installScript(home, folder);
  if (second !== undefined) throw cannot(`the addon could not be compiled:\n${second}`);
  rmSync(join(home, 'deps/include'), { recursive: true, force: true });
}

/** Runs the package's install script. Returns its complaint, or undefined if it has succeeded. */
function installScript(home: string, folder: string): string | undefined {
  const headers = [resolve(process.execPath, '../..'), '/usr', '/usr/local'].find((dir) =>
    existsSync(join(dir, 'include/node/node_api.h')),
  );
  const env = {
    ...(headers && { npm_config_nodedir: headers }), // else node-gyp downloads them
    ...process.env,
    PATH: `${join(folder, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
  };
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['scripts/install.js'], {
    cwd: home,
    env,
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  return error?.message ?? lastLines(stdout + stderr);
}

/** Puts the library and its headers where the install script looks for those that it downloads. */
function libraryFromWheel(home: string, reason: string): void {
  const python = process.env.PYTHON ?? 'python3';
  const temporary = join(home, 'wheel');
  const lib = join(home, 'deps/lib');
  const options = [
    '--no-deps',
    '--only-binary=:all:',
    `--platform=${wheel.platform}`,
    `--python-version=${wheel.python}`,
    '--no-cache-dir',
  ];
  const fetch = [
    '-m',
    'pip',
    'download',
    ...options,
    '--disable-pip-version-check',
    '--dest',
    temporary,
    `${wheel.name}==${wheel.version}`,
  ];
  const pip = spawnSync(python, fetch, { stdio: ['ignore', 2, 2] });
  if (pip.status !== 0) {
    const why = pip.error
      ? `${python} cannot be started, ${pip.error.message}`
      : 'its message is above';
    throw cannot(
      `the download of TensorFlow's library has failed (${reason}), and so has pip's of ${wheel.name} (${why}).`,
    );
  }
  const [file] = readdirSync(temporary);
  const unpack = `
import sys, zipfile
wanted = ('include/tensorflow/', 'include/tsl/', 'include/xla/', 'libtensorflow_')
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [n for n in wheel.namelist() if n.startswith(tuple('tensorflow/' + w for w in wanted))])`;
  const unzip = spawnSync(python, ['-c', unpack, join(temporary, file), temporary], {
    encoding: 'utf8',
  });
  if (unzip.status !== 0)
    throw cannot(`${file} could not be unpacked:\n${lastLines(unzip.stderr)}`);
  rmSync(join(home, 'deps'), { recursive: true, force: true });
  mkdirSync(lib, { recursive: true });
  renameSync(join(temporary, 'tensorflow/include'), join(home, 'deps/include'));
  for (const [from, to, endings] of [
    ['libtensorflow_cc.so.2', 'libtensorflow', ['so', 'so.2', 'so.2.9.1']],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework', ['so', 'so.2.9.1']],
  ] as const) {
    renameSync(join(temporary, 'tensorflow', from), join(lib, from));
    for (const ending of endings) symlinkSync(from, join(lib, `${to}.${ending}`));
  }
  rmSync(temporary, { recursive: true });
}

function cannot(what: string): InstallError {
  return new InstallError(
    `${optionalPackages.tensorflow.name} cannot be installed: ${what}\nNothing has changed: tensorflow() is plain TensorFlow.js. A library of your own can be named by TFJS_NODE_BASE_URI (\`npm run tensorflow -- --help\`).`,
  );
}

if (process.argv[1] === __filename) runCommand('tensorflow', run);
