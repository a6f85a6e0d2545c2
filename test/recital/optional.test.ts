import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'chai';
import { DataError } from '../../lib/recital/errors.js';
import {
  findOptional,
  loadQuietly,
  notInstalled,
  optionalFolder,
  requireFile,
} from '../../lib/recital/optional.js';

describe('optional packages', () => {
  it('are found in the project at work first, then by the library, else in the folder that is asked for alone', () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'recital optional ')));
    const before = process.cwd();
    try {
      const home = join(root, 'node_modules/danfojs-node');
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'index.js'), 'exports.answer = 42;');
      expect(findOptional('danfo', { folder: join(root, 'nowhere') })).to.equal(
        join(home, 'index.js'),
      ); // as Node does: folders above count
      process.chdir(root);
      expect(findOptional('danfo')).to.equal(join(home, 'index.js'));
      expect(requireFile(join(home, 'index.js'))).to.deep.equal({ answer: 42 });
      process.chdir(tmpdir());
      expect(findOptional('danfo', { folder: tmpdir() })).to.equal(undefined);
    } finally {
      process.chdir(before);
      rmSync(root, { recursive: true });
    }
    expect(optionalFolder('danfo')).to.equal(join(__dirname, '../../.packages/danfo'));
  });

  it('are asked for by the command that installs them', () => {
    expect(notInstalled('tensorflow', 'This')).to.be.instanceOf(DataError);
    expect(notInstalled('danfo', 'toDanfo').message).to.equal(
      'toDanfo needs the package danfojs-node, which is not installed. `npm run danfo` installs it (version 1.2.0), once.',
    );
  });

  it('are loaded without warnings of kernels that are there already, and others are warned of as before', () => {
    const before = tf.env().getBool('PROD');
    tf.env().set('PROD', false);
    try {
      expect(loadQuietly(() => tf.env().getBool('PROD'))).to.equal(true);
      expect(() =>
        loadQuietly(() => {
          throw new Error('no');
        }),
      ).to.throw('no');
      expect(tf.env().getBool('PROD')).to.equal(false);
    } finally {
      tf.env().set('PROD', before);
    }
  });
});
