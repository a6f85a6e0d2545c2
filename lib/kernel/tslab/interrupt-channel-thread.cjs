// A thread of the kernel for three of Jupyter's channels: control, because an interrupt and a
// shutdown must be heard while the main thread computes, iopub, because then somebody must be able
// to say that a cell does not stop, and hb, on which whatever comes is sent back to say that the
// kernel lives. Messages go to the main thread, and its answers and outputs come back. An interrupt
// is repeated by a signal if the main thread is in code that a signal ends; see interrupt-channel.cjs.
const { parentPort, workerData } = require('node:worker_threads');
const { pack, unpack, Refused } = require('./wire.cjs');

const { zmqFile, state, slots } = workerData;
const { SECTION, HEARD, CLOSING, ASKED } = slots;
const LOOK_MS = 20;
const SHUTDOWN_MS = 1_500;
const STALL_MS = 5_000; // what stops has stopped by then, see interrupts.cjs
const STALLED = 'The cell does not stop. Kernel → Restart ends it; variables are lost.\n';

const zmq = require(zmqFile);
const unlimited = { sendTimeout: 0, sendHighWaterMark: 0 }; // a slow front end gets its messages late rather than not at all
const sockets = {
  control: new zmq.Router(unlimited),
  iopub: new zmq.Publisher(unlimited),
  hb: new zmq.Router(unlimited),
}; // a Reply ends by a message that is none
const refused = new Refused('control');
let connection;
let running; // the request whose cell runs

function interrupt() {
  const heard = Atomics.load(state, HEARD);
  Atomics.store(state, ASKED, heard + 1);
  parentPort.postMessage({ interrupt: heard });
  const look = () => {
    if (Atomics.load(state, HEARD) !== heard) return;
    // 2: a signal is on its way, 3: it has been sent. Whoever leaves the section waits for it.
    if (Atomics.compareExchange(state, SECTION, 1, 2) === 1) {
      process.kill(process.pid, 'SIGINT');
      Atomics.compareExchange(state, SECTION, 2, 3);
    } else setTimeout(look, LOOK_MS);
  };
  look();
  const cell = running;
  if (cell) setTimeout(() => stalled(cell), STALL_MS);
}

/** Some time has passed since a cell was asked to stop. */
function stalled(cell) {
  if (running !== cell || cell.told) return;
  cell.told = true;
  send(
    'iopub',
    pack(connection, {
      type: 'stream',
      content: { name: 'stderr', text: STALLED },
      parent: cell.header,
    }),
  );
}

/** A kernel that computes does not hear that it is to end. */
function shutdown() {
  setTimeout(
    () => Atomics.load(state, CLOSING) === 0 && process.kill(process.pid, 'SIGTERM'),
    SHUTDOWN_MS,
  );
}

async function send(channel, frames) {
  try {
    await sockets[channel].send(frames);
  } catch {} // to somebody who has gone
}

/** At once: a socket that is being bound sends nothing. */
function bind({ channel, address, connection: given }) {
  connection = given;
  try {
    sockets[channel].bindSync(address);
    if (channel === 'control') void listen();
    if (channel === 'hb') void echo();
    parentPort.postMessage({ bound: channel });
  } catch (error) {
    parentPort.postMessage({ bound: channel, failed: error.message });
  }
}

async function listen() {
  for await (const frames of sockets.control) {
    try {
      const { header } = unpack(connection, frames);
      parentPort.postMessage({ frames });
      if (header.msg_type === 'interrupt_request') interrupt();
      else if (header.msg_type === 'shutdown_request') shutdown();
    } catch (error) {
      refused.add(error);
    }
  }
}

async function echo() {
  for await (const frames of sockets.hb) void send('hb', frames);
}

/** Must be done before the thread ends: sockets that are open would take the process along. */
function close() {
  for (const socket of Object.values(sockets)) socket.close();
}

/** A defect of this file: the kernel starts another thread like this one. */
process.on('uncaughtException', (error) => {
  parentPort.postMessage({ dying: error.message });
  close();
  process.exit(1);
});

parentPort.on('message', (message) => {
  if (message.frames) send(message.channel, message.frames);
  else if (message.bind) bind(message.bind);
  else if (message.close) {
    close();
    process.exit();
  } else running = message.running && { header: message.running, told: false };
});
