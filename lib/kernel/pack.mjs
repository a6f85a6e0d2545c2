// What the package `recital-kernel` holds, made by npm's `prepack`: content/, a checkout in which
// every program is a bundle, and which finds the library as the package `recital`. `postpack` takes
// it away again.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../recital/bundle.cjs';

const own = dirname(fileURLToPath(import.meta.url));
const root = join(own, '../..');
const content = join(own, 'content');
const library = createRequire(import.meta.url)('../recital/main.cjs');

/** Files of the checkout that the programs read as they are. */
const copied = [
  'LICENSE',
  'README.md',
  'data/README.md',
  'data/sample/Music Info.csv',
  'data/sample/User Listening History.csv',
  'docs',
  'notebooks/figures',
  'lib/kernel/usage.cjs',
  'lib/kernel/tslab/start.cjs',
  'lib/kernel/pages/draw.mjs',
  'lib/kernel/pages/reader.mjs',
  'lib/kernel/pages/start.cjs',
  'lib/recital/nearest.cjs',
];
const programs = [
  'tslab/supervise.ts',
  'tslab/kernel.ts',
  'tslab/interrupt-channel.ts',
  'run/run.ts',
  'lab/lab.ts',
  '../synthetic/data.ts',
];

rmSync(content, { recursive: true, force: true });
if (process.argv[2] !== 'undo') {
  const notebooks = readdirSync(join(root, 'notebooks')).filter((file) => file.endsWith('.ipynb'));
  for (const file of [...copied, ...notebooks.map((name) => `notebooks/${name}`)])
    cpSync(join(root, file), join(content, file), { recursive: true });
  const write = (file, text) => {
    mkdirSync(dirname(join(content, file)), { recursive: true });
    writeFileSync(join(content, file), text);
  };
  const { version } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'));
  write('package.json', `${JSON.stringify({ name: 'recital-content', version, private: true })}\n`);
  for (const program of programs) {
    const { file, code } = bundle(own, program, ['../recital', '../synthetic']);
    const text = code ?? readFileSync(file, 'utf8');
    const plain = text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
    write(`lib/kernel/dist/${basename(program, '.ts')}.cjs`, plain);
  }
  write('lib/recital/main.cjs', "module.exports = require('recital');\n");
  write(
    'lib/recital/index.ts',
    `export { ${Object.keys(library)
      .filter((name) => name[0] !== '$')
      .join(', ')} } from 'recital';\n`,
  );
  write(
    'lib/recital/bundle.cjs',
    `const { basename, join } = require('node:path');
exports.load = (folder, program) => require(join(folder, 'dist', basename(program, '.ts') + '.cjs'));
exports.located = () => undefined; // there are no sources
`,
  );
  write(
    'lib/recital/types.cjs',
    `const { dirname, join } = require('node:path');
exports.typesOf = () => join(dirname(require.resolve('recital/package.json')), 'dist/index.d.ts');
`,
  );
}
