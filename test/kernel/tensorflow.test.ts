import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { InstallError } from '../../lib/kernel/install-optional.js';
import { run } from '../../lib/kernel/tensorflow.js';
import { findOptional } from '../../lib/recital/optional.js';
import { overheard, Stubs } from '../support/installed.js';

const root = resolve(__dirname, '../..');

/**
 * A package like @tensorflow/tfjs-node: its script needs a library that it can download or not, and
 * then compiles, if it can.
 */
const npm = `
  const home = 'node_modules/@tensorflow/tfjs-node';
  const say = require('path').join(process.cwd(), '../options.json');
  const { offline } = JSON.parse(fs.readFileSync(say, 'utf8'));
  if (offline) process.exit(1);
  fs.mkdirSync(home + '/scripts', { recursive: true });
  fs.writeFileSync(home + '/package.json', '{"name":"@tensorflow/tfjs-node","version":"4.22.0","main":"index.js"}');
  fs.writeFileSync(home + '/scripts/install.js', \`
    const fs = require('fs');
    const { blocked, compiler } = JSON.parse(fs.readFileSync(\${JSON.stringify(say)}, 'utf8'));
    const library = 'deps/lib/libtensorflow.so.2.9.1';
    if (!fs.existsSync(library) && blocked) throw new Error('getaddrinfo ENOTFOUND library.example');
    if (!fs.existsSync(library)) { fs.mkdirSync('deps/lib', { recursive: true }); fs.writeFileSync(library, 'its own'); }
    if (compiler === false) { console.log('gyp ERR! not found: make'); process.exit(1); }
    fs.writeFileSync('addon.js', 'module.exports = ' + JSON.stringify(fs.readFileSync(library, 'utf8')));\`);
  fs.writeFileSync(home + '/index.js', \`
    const library = require('./addon.js');
    const none = () => ({});
    Object.assign(exports, { tensor1d: none, tensor2d: none, getBackend: () => 'tensorflow', backend: () => ({ binding: { TF_Version: library } }) });
    exports.grads = () => () => [{ dataSync: () => Float32Array.of(0, 0, 12, library === 'wrong' ? 17 : 16) }];\`);`;

/** A Python whose pip finds the package, and which unpacks it. */
const python = `
[ -e "$(dirname "$0")/no-pip" ] && exit 1
if [ "$2" = pip ]; then for a in "$@"; do [ "$last" = --dest ] && mkdir -p "$a" && echo zip > "$a/it.whl"; last="$a"; done
else mkdir -p "$4/tensorflow/include/tsl"; printf "Python's" > "$4/tensorflow/libtensorflow_cc.so.2"; echo f > "$4/tensorflow/libtensorflow_framework.so.2"; fi`;

describe('npm run tensorflow', () => {
  let stubs: Stubs;
  const options = (what: object): void =>
    writeFileSync(stubs.path('options.json'), JSON.stringify(what));
  const install = () => overheard(() => run({ folder: stubs.path('tensorflow') }));
  const file = (...parts: string[]): string =>
    stubs.path('tensorflow/node_modules/@tensorflow/tfjs-node', ...parts);

  beforeEach(() => {
    stubs = new Stubs({ npm, python });
    options({});
  });
  afterEach(() => stubs.remove());

  it('installs into a folder of its own, by its own script, and only once', () => {
    const before = ['package.json', 'package-lock.json'].map((name) =>
      readFileSync(resolve(root, name), 'utf8'),
    );
    const { result, said } = install();
    expect(result).to.match(
      /^Installed @tensorflow\/tfjs-node: version 4\.22\.0, on TensorFlow its own\./,
    );
    expect(said).to.contain('Installing @tensorflow/tfjs-node 4.22.0 into');
    expect(stubs.calls()).to.deep.equal([
      'npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error',
    ]);
    expect(readdirSync(stubs.root)).not.to.include('tensorflow.new');
    expect(findOptional('tensorflow', { folder: stubs.path('tensorflow') })).to.equal(
      file('index.js'),
    );
    expect(install().result).to.match(
      /is installed already: version 4\.22\.0, on TensorFlow its own\.\nTo install it anew, remove/,
    );
    expect(stubs.calls()).to.have.length(1);
    expect(
      ['package.json', 'package-lock.json'].map((name) =>
        readFileSync(resolve(root, name), 'utf8'),
      ),
    ).to.deep.equal(before);
  });

  it("takes the library of Python's package where its own cannot be downloaded", function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') this.skip(); // there is such a package for Linux on x64 alone
    options({ blocked: true });
    const { result, said } = install();
    expect(said)
      .to.contain('That download has failed (getaddrinfo ENOTFOUND library.example)')
      .and.to.contain('tensorflow-cpu 2.15.0 (207 MB)');
    expect(result).to.contain("on TensorFlow Python's.");
    expect(stubs.calls()[1]).to.match(
      /^python -m pip download --no-deps .*--python-version=3\.11 .*tensorflow-cpu==2\.15\.0$/,
    );
    expect(readdirSync(file('deps'))).to.deep.equal(['lib']);
    expect(readdirSync(file('deps/lib')).sort()).to.deep.equal(
      [
        '_cc.so.2',
        '.so',
        '.so.2',
        '.so.2.9.1',
        '_framework.so',
        '_framework.so.2',
        '_framework.so.2.9.1',
      ]
        .map((end) => `libtensorflow${end}`)
        .sort(),
    );
  });

  it('says what has failed, and leaves what was there', () => {
    mkdirSync(file(), { recursive: true });
    writeFileSync(file('index.js'), 'throw new Error("of another machine");');
    writeFileSync(file('package.json'), '{}');
    const failed = (what: object): string => {
      options(what);
      const { error, said } = install();
      expect(error).to.be.instanceOf(InstallError);
      expect(said).to.match(/does not work here and is replaced.*of another machine/);
      expect(existsSync(file('index.js'))).to.equal(true);
      expect(readdirSync(stubs.root)).not.to.include('tensorflow.new');
      return error!.message;
    };
    expect(failed({ offline: true })).to.contain(
      'npm could not install @tensorflow/tfjs-node 4.22.0',
    );
    expect(failed({ compiler: false })).to.contain(
      'the addon could not be compiled:\ngyp ERR! not found: make\nNothing has changed',
    );
    if (process.platform !== 'linux' || process.arch !== 'x64') return;
    writeFileSync(stubs.path('no-pip'), '');
    expect(failed({ blocked: true })).to.match(
      /has failed \(getaddrinfo ENOTFOUND library\.example\), and so has pip's.*TFJS_NODE_BASE_URI/s,
    );
  });

  it('does not keep what computes wrong gradients', () => {
    mkdirSync(stubs.path('tensorflow.new/node_modules'), { recursive: true }); // what an installation that was stopped has left
    writeFileSync(
      stubs.path('npm.js'),
      readFileSync(stubs.path('npm.js'), 'utf8').replace("'its own'", "'wrong'"),
    );
    expect(install().error?.message).to.contain(
      '@tensorflow/tfjs-node does not work: Error: a gradient is 0,0,12,17 where 0,0,12,16 is right',
    );
    expect(readdirSync(stubs.root)).not.to.include('tensorflow');
  });

  it('takes no arguments, and has a page of help', () => {
    const call = (...args: string[]) =>
      spawnSync(process.execPath, [resolve(root, 'lib/kernel/main.mjs'), 'tensorflow', ...args], {
        encoding: 'utf8',
      });
    expect(call('--help').stdout)
      .to.contain('usage: npm run tensorflow')
      .and.to.contain('exit code');
    const { status, stderr } = call('gpu');
    expect([status, stderr.split('\n')[0]]).to.deep.equal([
      2,
      'npm run tensorflow takes no arguments, got "gpu".',
    ]);
  });
});
