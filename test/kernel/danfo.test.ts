import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { run } from '../../lib/kernel/danfo.js';
import { InstallError } from '../../lib/kernel/install-optional.js';
import { overheard, Stubs } from '../support/installed.js';

const root = resolve(__dirname, '../..');

describe('npm run danfo', () => {
  it('installs into a folder of its own, with plain TensorFlow.js in the place of tfjs-node', () => {
    const npm = `
      const asked = JSON.parse(fs.readFileSync('package.json', 'utf8'));
      const shape = asked.overrides['@tensorflow/tfjs-node'] === 'npm:@tensorflow/tfjs@4.22.0' && asked.overrides.xlsx === '0.18.5' ? '[data.length, 1]' : '[]';
      const home = 'node_modules/danfojs-node';
      fs.mkdirSync(home, { recursive: true });
      fs.writeFileSync(home + '/package.json', JSON.stringify({ version: asked.dependencies['danfojs-node'], main: 'index.js' }));
      fs.writeFileSync(home + '/index.js', 'exports.DataFrame = class { constructor(data) { this.shape = ' + shape + '; } };');`;
    const stubs = new Stubs({ npm });
    try {
      const install = () => overheard(() => run({ folder: stubs.path('danfo') }));
      expect(install().result).to.match(/^Installed danfojs-node: version 1\.2\.0\./);
      expect(install().result).to.contain('is installed already');
      expect(stubs.calls()).to.have.length(1);
      expect(readdirSync(stubs.path('danfo')).sort()).to.deep.equal([
        'node_modules',
        'package.json',
      ]);
    } finally {
      stubs.remove();
    }
  });

  it('says that npm has failed, and leaves nothing behind', () => {
    const stubs = new Stubs({ npm: 'process.exit(1);' });
    try {
      expect(overheard(() => run({ folder: stubs.path('danfo') })).error?.message).to.contain(
        'npm could not install danfojs-node 1.2.0',
      );
      expect(readdirSync(stubs.root).sort()).to.deep.equal(['calls', 'npm.js', 'python']);
      expect(overheard(() => run({ folder: stubs.path('npm.js', 'danfo') })).error)
        .to.be.instanceOf(InstallError)
        .with.property('message')
        .that.contains('npm.js cannot be written');
    } finally {
      stubs.remove();
    }
  });

  it('has a page of help', () => {
    const { stdout } = spawnSync(
      process.execPath,
      [resolve(root, 'lib/kernel/main.mjs'), 'danfo', '--help'],
      { encoding: 'utf8' },
    );
    expect(stdout).to.contain('usage: npm run danfo').and.to.contain('exit code');
  });
});
