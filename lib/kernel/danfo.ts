/** Installs danfojs-node: `npm run danfo`. */
import { findOptional, optionalPackages } from '../recital/optional.js';
import { InstallError, installOptional, runCommand, tried } from './install-optional.js';

/**
 * What danfo.js asks for and cannot have everywhere: tfjs-node, whose installation downloads and
 * compiles, in the place of which plain TensorFlow.js does; and xlsx from an address of its own
 * instead of the registry.
 */
const manifest = {
  dependencies: { '@tensorflow/tfjs': '4.22.0' },
  overrides: { '@tensorflow/tfjs-node': 'npm:@tensorflow/tfjs@4.22.0', xlsx: '0.18.5' },
};

/** Installs the package and tries it. Returns what there is to say. */
export function run({ folder }: { folder?: string } = {}): string {
  return `${installOptional({ command: 'danfo', folder, manifest, check })}\ntoDanfo(table) and fromDanfo(frame) take it.`;
}

function check(folder: string): string {
  const { name, version } = optionalPackages.danfo;
  const file = findOptional('danfo', { folder });
  if (!file) throw new InstallError(`${name} is not in ${folder}.`);
  tried(
    `if (new (require(${JSON.stringify(file)}).DataFrame)([[1], [2]], { columns: ['a'] }).shape[0] !== 2) throw new Error('no table')`,
    name,
  );
  return `version ${version}`;
}

if (process.argv[1] === __filename) runCommand('danfo', run);
