// A thread of the kernel for Jupyter's control channel, because an interrupt and a shutdown must be heard while the main thread computes. Messages go to the main
// thread and its answers come back. An interrupt is repeated by a signal if the main thread is in code that a signal ends; see control.cjs.
const { parentPort, workerData } = require('node:worker_threads');

const { zmqFile, address, state } = workerData;
const [SECTION, HEARD, CLOSING, ASKED] = [0, 1, 2, 3];
const LOOK_MS = 20;
const SHUTDOWN_MS = 1_500;

const zmq = require(zmqFile);
const socket = new zmq.Router({ sendTimeout: 0, sendHighWaterMark: 0 });

function interrupt() {
  const heard = Atomics.load(state, HEARD);
  Atomics.store(state, ASKED, heard + 1);
  parentPort.postMessage({ interrupt: heard });
  const look = () => {
    if (Atomics.load(state, HEARD) !== heard) return;
    // 2: a signal is on its way. Whoever leaves the section waits for it.
    if (Atomics.compareExchange(state, SECTION, 1, 2) === 1) process.kill(process.pid, 'SIGINT');
    else setTimeout(look, LOOK_MS);
  };
  look();
}

/** A kernel that computes does not hear that it is to end. */
function shutdown() {
  setTimeout(() => Atomics.load(state, CLOSING) === 0 && process.kill(process.pid, 'SIGTERM'), SHUTDOWN_MS);
}

parentPort.on('message', (frames) => {
  if (frames) {
    socket.send(frames.map((frame) => Buffer.from(frame)));
    return;
  }
  socket.close(); // which must be done before the process ends
  parentPort.close();
});

(async () => {
  await socket.bind(address);
  parentPort.postMessage('bound');
  for await (const frames of socket) {
    const type = JSON.parse(frames[frames.findIndex((part) => part.toString() === '<IDS|MSG>') + 2]).msg_type;
    parentPort.postMessage({ frames });
    if (type === 'interrupt_request') interrupt();
    else if (type === 'shutdown_request') shutdown();
  }
})();
