import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { ArgumentError } from '../../../lib/recital/errors.js';
import { isPath, modelFile } from '../../../lib/recital/learner/model-file.js';

describe('modelFile', () => {
  it('puts names into the folder, and adds the extension once', () => {
    expect(modelFile('best', '/m/models')).to.equal('/m/models/best.safetensors');
    expect(modelFile('run-3/best', '/m/models')).to.equal('/m/models/run-3/best.safetensors');
    expect(modelFile('v1.5.safetensors', '/m/models')).to.equal('/m/models/v1.5.safetensors');
    expect(modelFile('v1.5', 'models')).to.equal(path.resolve('models/v1.5.safetensors'));
    expect(modelFile('..best', '/m')).to.equal('/m/..best.safetensors');
  });

  it('takes paths as they are', () => {
    expect(modelFile('/tmp/x', '/m')).to.equal('/tmp/x.safetensors');
    expect(modelFile('./x', '/m')).to.equal(path.resolve('x.safetensors'));
    expect(modelFile('./../x', '/m')).to.equal(path.resolve('../x.safetensors'));
  });

  it('refuses names that would leave the folder, and says how to give a path', () => {
    for (const name of [
      '..',
      '../x',
      'a/../../x',
      'a\\..\\..\\x',
      'a//x',
      'a/./x',
      '.',
      '~/../x',
    ]) {
      expect(() => modelFile(name, '/m'), name).to.throw(ArgumentError, 'begins with "./"');
    }
    for (const name of ['', 'a\0b', 'a/', 'models\\', undefined as unknown as string])
      expect(() => modelFile(name, '/m')).to.throw(ArgumentError);
  });

  it('never leaves the folder by a name (property)', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'a', '...', '/', '\\', ' '), fc.string());
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.constantFrom('/', '\\', ''),
        (parts, separator) => {
          const name = parts.join(separator);
          let file: string;
          try {
            file = modelFile(name, '/m/models');
          } catch (error) {
            expect(error).to.be.instanceOf(ArgumentError);
            return;
          }
          if (!isPath(name)) expect(file.startsWith('/m/models/'), name).to.equal(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
