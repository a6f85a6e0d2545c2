// Starts the tslab kernel with its defects repaired from the start: usage: node launch.cjs CONNECTION_FILE
// Against the stock kernel: no output is lost, consecutive prints are one message, a failing cell sends a Jupyter `error` with the lines of the cell
// and of lib/, cells are numbered (execute_input), busy and idle come in order under "Run All", an interrupt reaches a training loop.
const { createRequire } = require('node:module');
const path = require('node:path');
const { format } = require('node:util');
const { address } = require('./address.cjs');
const { onStopPoint } = require('./stop-points.cjs');
const { CellCode } = require('./cell-code.cjs');
const { Control } = require('./control.cjs');
const { Output } = require('./output.cjs');
const { Declarations } = require('./declarations.cjs');
const { Exit } = require('./exit.cjs');
const { repairInspect } = require('./inspect.cjs');
const { Stopped, heard, Interrupts } = require('./interrupts.cjs');
const { LastValue } = require('./last-value.cjs');
const failure = require('./failure.cjs');
const { writeOut } = require('./write-out.cjs');
const { whenOrphaned } = require('./orphan.cjs');
const { mark } = require('./repair.cjs');

Error.stackTraceLimit = 50; // as deep as a training goes, so that the cell's own line is there

const [connectionFile] = process.argv.slice(2);
if (!connectionFile) {
  console.error('usage: node launch.cjs CONNECTION_FILE   (Jupyter calls this; to open Jupyter: npm run lab)');
  process.exit(2);
}

const dist = path.join(path.dirname(require.resolve('tslab/package.json')), 'dist');
const tslabRequire = createRequire(path.join(dist, 'main.js'));
const control = new Control();
const code = new CellCode();
code.patchTypeScript(tslabRequire.resolve('@tslab/typescript-for-tslab'));
code.patchVm((work) => control.section(work));

// What tslab would print about a failing cell is kept for its `error` message.
let reported = [];
const executorModule = tslabRequire('./executor.js');
const { createExecutor } = executorModule;
const last = new LastValue();
const declarations = new Declarations();
executorModule.createExecutor = (dir, converters, { log }) => {
  const executor = createExecutor(dir, declarations.wrap(converters), { log: last.printer(log), error: (...args) => reported.push(args) });
  return { ...executor, interrupt: last.interrupter(executor.interrupt) };
};

const { getCodeMetadata } = tslabRequire('./metadata.js');
const jupyter = tslabRequire('./jupyter.js');
const interrupts = new Interrupts(control);
jupyter[mark] = interrupts;
onStopPoint({
  asked: () => interrupts.asked(),
  round: () => interrupts.round(),
  resumed: (value) => interrupts.resumed(value),
  ended: () => interrupts.ended(),
});
repairInspect(jupyter);
const server = jupyter.ZmqServer.prototype;
const { handleKernelInfo, handleShellMessage, handleShutdown } = server;
const leaving = new Exit(
  () => interrupts.endCell(),
  () => control.close(),
);
const exit = leaving.install();
let received = 0; // execute requests so far
let abortedUpTo = 0; // requests up to this one were queued behind a cell that failed
let queue = Promise.resolve();
let running; // the execute request in progress
let ending = false; // sockets are closed
let Message; // tslab's class of messages, which it does not export

server.bindSocket = async function (socket, port) {
  const where = address(this.connInfo, port);
  try {
    if (socket === this.control) {
      const message = (answering, frames) => this.handleShellMessage(answering, ...frames);
      await control.bind(where, tslabRequire.resolve('zeromq'), { message, interrupt: () => interrupts.signal() });
    } else {
      socket.sendTimeout = 0; // see repair.cjs
      socket.sendHighWaterMark = 0; // a slow front end gets its messages late rather than not at all
      await socket.bind(where);
    }
  } catch (error) {
    console.error(`The kernel cannot listen on ${where}: ${error.message}. Shut it down, and start a new one, for which Jupyter chooses others.`);
    exit(1);
  }
};

server.handleKernelInfo = function (socket, message) {
  Message ??= message.constructor;
  return handleKernelInfo.call(this, socket, message);
};

server.handleShutdown = function (socket, message) {
  ending = true;
  setTimeout(() => exit(0), 100); // whatever a cell left running must not keep the kernel alive
  return handleShutdown.call(this, socket, message);
};

function reply(connection, socket, message, type, content) {
  const answer = message.createReply();
  answer.header.msg_type = type;
  answer.content = content;
  answer.signAndSend(connection.key, socket);
}

const simpleReplies = {
  history_request: ['history_reply', { status: 'ok', history: [] }],
  comm_info_request: ['comm_info_reply', { status: 'ok', comms: {} }],
  interrupt_request: ['interrupt_reply', { status: 'ok' }], // what it asks for has been done: see control.cjs
};
/** Asked by those who run a whole notebook, before they stop the kernel: no request of Jupyter's. */
const FINISH = 'recital_finish_request';
const ignored = new Set(['comm_open', 'comm_msg', 'comm_close']);

server.handleShellMessage = async function (socket, ...frames) {
  const delimiter = frames.findIndex((part) => part.equals(Buffer.from('<IDS|MSG>')));
  const type = Message && JSON.parse(frames[delimiter + 2]).msg_type;
  if (type === 'execute_request') {
    const message = Message.fromRaw(this.connInfo.key, frames);
    const number = ++received;
    queue = queue.then(() => execute(this, socket, message, number)).catch((error) => ending || process._rawDebug(error)); // the next cell runs, whatever happens
    return;
  }
  if (type in simpleReplies || ignored.has(type) || type === FINISH) {
    const message = Message.fromRaw(this.connInfo.key, frames);
    this.publishStatus('busy', message);
    if (type === FINISH) reply(this.connInfo, socket, message, 'recital_finish_reply', await last.finish());
    else if (type in simpleReplies) reply(this.connInfo, socket, message, ...simpleReplies[type]);
    this.publishStatus('idle', message);
  } else {
    await handleShellMessage.call(this, socket, ...frames);
  }
  if (running) this.publishStatus('busy', running); // the kernel is not idle because a completion was answered
};

/** Runs one cell. Never rejects. */
async function execute(zmq, socket, message, number) {
  const publish = (type, content) => reply(zmq.connInfo, zmq.iopub, message, type, content);
  const request = message.content;
  const { handler } = zmq;
  zmq.publishStatus('busy', message);
  let content;
  if (number <= abortedUpTo || leaving.error) {
    content = { status: 'aborted' };
  } else {
    running = message;
    process.send?.({ running: { identity: message.identity.map((part) => part.toString('base64')), header: message.header } }); // see supervise.cjs
    if (!request.silent) handler.execCount++;
    content = await run(handler, request, publish);
    if (content.status === 'error' && request.stop_on_error !== false) {
      await new Promise((resolve) => setTimeout(resolve, 20)); // reads what was sent while the cell kept the event loop busy
      abortedUpTo = received;
    }
    running = undefined;
    process.send?.({ running: undefined });
  }
  reply(zmq.connInfo, socket, message, 'execute_reply', content);
  zmq.publishStatus('idle', message);
  leaving.end();
}

/** Executes the code of a request and returns the content of its reply. */
async function run(handler, request, publish) {
  const number = handler.execCount;
  if (!request.silent) publish('execute_input', { code: request.code, execution_count: number });
  const output = new Output(
    (name, text) => publish('stream', { name, text }),
    (data, update) => publish(update ? 'update_display_data' : 'display_data', data),
  );
  output.install(jupyter);
  reported = [];
  code.begin(number, request.code);
  interrupts.adopt();
  interrupts.begin();
  const { executor } = handler;
  declarations.begin();
  let ok;
  try {
    const source = writeOut(request.code);
    const { module, mode } = getCodeMetadata(source);
    if (!module && mode !== 'browser') declarations.compile(source);
    await heard();
    ok = !interrupts.current.stopped;
    interrupts.start();
    if (ok) ok = await interrupts.within(() => executor.execute(source));
    if (ok) await last.settle();
  } catch (error) {
    ok = false; // of the promise that is the cell's last value; or a defect of the compiler
    reported.push([error]);
  }
  const cell = interrupts.end();
  declarations.end(ok, executor.locals);
  if (ok) for (const args of reported) output.print('stderr', `${format(...args)}\n`); // a cell with @module "succeeds" even if it does not compile
  output.flush();
  const rejections = last.taken(); // beyond the protocol: for those who run a whole notebook
  if (ok && !cell.stopped && !leaving.error) return { status: 'ok', execution_count: number, payload: [], user_expressions: {}, rejections };
  const content = leaving.error ? failure.thrown(leaving.error, code) : cell.stopped ? failure.stopped(cell, reported.at(-1)?.[0]) : explain(number);
  publish('error', content);
  return { status: 'error', execution_count: number, ...content };
}

function explain(number) {
  const diagnostics = reported.filter(([first]) => first === '%s%d:%d - %s');
  return diagnostics.length ? failure.notCompiled(diagnostics, number, code) : failure.thrown(reported.at(-1)?.[0], code);
}

process.on('disconnect', () => exit(1)); // supervise.cjs has died
whenOrphaned(() => exit(1));

tslabRequire('./main.js').startKernel({ configPath: connectionFile, enableFindLocal: false });

// In the place of tslab's listeners, which print stacks of its own lines.
process.removeAllListeners('unhandledRejection');
process.removeAllListeners('uncaughtException');
process.on('uncaughtException', (error) => {
  if (error !== leaving.error) console.error(['An error was thrown that no cell awaits:', ...failure.thrown(error, code).traceback].join('\n'));
});
process.on('unhandledRejection', (reason) => {
  if (reason === leaving.error || reason instanceof Stopped) return;
  const content = failure.thrown(reason, code);
  last.rejected(content);
  console.error(['A promise that no cell awaits was rejected:', ...content.traceback].join('\n'));
});
