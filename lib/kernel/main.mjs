// npm start, npm run lab, data, native, tensorflow, danfo: node lib/kernel/main.mjs COMMAND
// ARGUMENTS … Prints help at once, else makes the checkout usable (ready.mjs) and runs the command.
// Plain Node: it must run before anything is installed.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const files = {
  start: 'run/run.ts',
  lab: 'lab/lab.ts',
  data: '../synthetic/data.ts',
  native: 'native.ts',
  tensorflow: 'tensorflow.ts',
  danfo: 'danfo.ts',
};
const [command, ...args] = process.argv.slice(2);

if (!Object.hasOwn(files, command)) {
  console.error(`usage: node lib/kernel/main.mjs ${Object.keys(files).join('|')} …`);
  process.exitCode = 2;
} else if (args.includes('--help') || args.includes('-h')) {
  console.log(require('./usage.cjs')[command]);
} else {
  await import('./ready.mjs');
  const file = join(dirname(fileURLToPath(import.meta.url)), files[command]);
  process.argv = [process.argv[0], file, ...args]; // as if Node had been started with it
  require('tsx/cjs');
  require(file);
}
