// Starts the kernel for Jupyter, and stays beside it: usage: node supervise.cjs CONNECTION_FILE A
// kernel that dies of its memory, or is killed, cannot say so: Jupyter would show a cell that never
// ends, and that the kernel has died. Here a process that does nothing else notices it, takes the
// kernel's place for a moment, and makes the reason the error of the cell that ran.
const { spawn } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { causeOfDeath } = require('./kernel-exit.cjs');
const { whenOrphaned } = require('./exit-with-parent.cjs');
const { address, pack } = require('./wire.cjs');

const CONNECT_MS = 2_000; // front ends connect again within tenths of a second
const LOG_CHARS = 20_000;
const deliberate = new Set(['SIGTERM', 'SIGHUP', 'SIGINT']);

const [connectionFile] = process.argv.slice(2);
if (!connectionFile) {
  console.error(
    'usage: node supervise.cjs CONNECTION_FILE   (Jupyter calls this; to open Jupyter: npm run lab)',
  );
  process.exit(2);
}

const child = spawn(
  process.execPath,
  [...process.execArgv, path.join(__dirname, 'launch.cjs'), connectionFile],
  {
    stdio: ['inherit', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, JPY_PARENT_PID: String(process.pid) },
  },
);
let log = '';
let running; // the request that the kernel works on: { identity, header }
child.stderr.on('data', (data) => {
  process.stderr.write(data);
  log = (log + data.toString()).slice(-LOG_CHARS);
});
child.on('message', (message) => {
  running = message.running;
});

process.on('SIGINT', () => {}); // means the kernel
for (const signal of ['SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    child.kill('SIGKILL');
    process.exit(0);
  });
}
whenOrphaned(() => {
  child.kill('SIGKILL');
  process.exit(1);
});

child.on('error', (error) => {
  console.error(`The kernel could not be started: ${error.message}`);
  process.exit(1);
});
child.on('close', async (code, signal) => {
  if (running && !deliberate.has(signal)) {
    const reason = causeOfDeath({ code, signal, log });
    await tell(reason).catch((error) =>
      console.error(`${reason}\n(Jupyter could not be told: ${error.message})`),
    );
  }
  process.exit(code ?? 1);
});

/** Sends the reason as the kernel would have sent an error. */
async function tell(reason) {
  const zmq = createRequire(require.resolve('tslab/package.json'))('zeromq');
  const connection = JSON.parse(readFileSync(connectionFile, 'utf8'));
  const { iopub_port, shell_port } = connection;
  const identity = running.identity.map((part) => Buffer.from(part, 'base64'));
  const message = (type, content, to = []) =>
    pack(connection, { identity: to, type, content, parent: running.header });
  const error = {
    ename: 'KernelDied',
    evalue: reason.split('\n')[0],
    traceback: reason.split('\n'),
  };
  const output = new zmq.XPublisher({ linger: 500 });
  const shell = new zmq.Router({ mandatory: true, linger: 500, sendTimeout: 0 });
  await output.bind(address(connection, iopub_port));
  await shell.bind(address(connection, shell_port));
  const end = performance.now() + CONNECT_MS;
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  await Promise.race([output.receive(), pause(CONNECT_MS)]); // somebody subscribes
  await pause(100); // and whoever else does
  await output.send(message('error', error));
  for (;;) {
    try {
      await shell.send(
        message('execute_reply', { status: 'error', execution_count: null, ...error }, identity),
      );
      break;
    } catch {
      if (performance.now() > end) break; // nobody waits for it
      await pause(50);
    }
  }
  await output.send(message('status', { execution_state: 'idle' }));
  await pause(200);
}
