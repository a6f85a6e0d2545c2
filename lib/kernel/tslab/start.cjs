// Starts one of the kernel's programs, from its bundle: node start.cjs PROGRAM CONNECTION_FILE.
// - supervise, which Jupyter starts: the kernel, and a process beside it that reports its death;
// - kernel: the kernel alone;
// - interrupt-channel: the kernel's thread for three of Jupyter's channels.
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');
const { load } = require('../../recital/bundle.cjs');

const [program, connectionFile] = process.argv.slice(2);
if (isMainThread && !(['supervise', 'kernel'].includes(program) && connectionFile)) {
  console.error(
    'usage: node start.cjs supervise|kernel CONNECTION_FILE   (Jupyter calls this; to open Jupyter: npm run lab)',
  );
  process.exit(2);
}
load(path.resolve(__dirname, '..'), `tslab/${program}.ts`).main(connectionFile);
