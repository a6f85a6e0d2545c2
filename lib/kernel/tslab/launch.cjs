// Starts the tslab kernel with its defects repaired from the start: usage: node launch.cjs
// CONNECTION_FILE Against the stock kernel: no output is lost, consecutive prints are one message,
// a failing cell sends a Jupyter `error` with the lines of the cell and of lib/, cells are numbered
// (execute_input), what a cell ends with is its result (execute_result), busy and idle come in
// order under "Run All", an interrupt reaches a training loop, and whatever a cell throws, it ends
// with a reply.
const { createRequire } = require('node:module');
const path = require('node:path');
const { setTimeout } = require('node:timers'); // a cell may put others in the place of the global ones
const { format } = require('node:util');
const { isPromise } = require('node:util').types;
const { onStopPoint } = require('./stop-points.cjs');
const { CellCode } = require('./cell-code.cjs');
const { isComplete } = require('./complete.cjs');
const { Control } = require('./interrupt-channel.cjs');
const { Output, cut } = require('./output.cjs');
const { Declarations } = require('./declarations.cjs');
const { Exit } = require('./exit.cjs');
const { repairInspect } = require('./inspect.cjs');
const { isStopped, heard, Interrupts } = require('./interrupts.cjs');
const { LastValue, textOf } = require('./last-expression.cjs');
const failure = require('./failure.cjs');
const { writeOut } = require('./rewrite-declarations.cjs');
const { whenOrphaned } = require('./exit-with-parent.cjs');
const { mark } = require('./repair.cjs');
const { address, pack, unpack, Refused } = require('./wire.cjs');

Error.stackTraceLimit = 50; // as deep as a training goes, so that the cell's own line is there

const [connectionFile] = process.argv.slice(2);
if (!connectionFile) {
  console.error(
    'usage: node launch.cjs CONNECTION_FILE   (Jupyter calls this; to open Jupyter: npm run lab)',
  );
  process.exit(2);
}

const dist = path.join(path.dirname(require.resolve('tslab/package.json')), 'dist');
const tslabRequire = createRequire(path.join(dist, 'main.js'));
const control = new Control();
const code = new CellCode();
code.patchTypeScript(tslabRequire.resolve('@tslab/typescript-for-tslab'));
code.patchVm((work) => {
  const value = control.section(work);
  if (isPromise(value)) interrupts.awaiting(value);
  return value;
});

// What tslab would print about a failing cell is kept for its `error` message.
let reported = [];
const executorModule = tslabRequire('./executor.js');
const { createExecutor } = executorModule;
const last = new LastValue(
  (value) => control.section(() => printResult(value)),
  (promise) => interrupts.awaiting(promise),
);
const declarations = new Declarations(() => code.takeElsewhere());
executorModule.createExecutor = (dir, converters) => {
  const log = (value) => last.log(value);
  const executor = createExecutor(dir, declarations.wrap(converters), {
    log,
    error: (...args) => reported.push(args),
  });
  const { __tslab__: cells } = globalThis;
  cells.require = code.files.requirer(cells.require, code.files.folder);
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
const leaving = new Exit(
  () => interrupts.endCell(),
  () => control.close(),
);
const exit = leaving.install();
const refused = new Refused('shell');
let count = 0; // of the cells: the number of the latest
let received = 0; // execute requests so far
let abortedUpTo = 0; // requests up to this one were queued behind a cell that failed
let queue = Promise.resolve();
let running; // the execute request in progress
let output; // of the cell that runs, or has run
let ending = false; // sockets are closed

server.bindSocket = async function (socket, port) {
  const where = address(this.connInfo, port);
  const channel = ['control', 'iopub', 'hb'].find((name) => socket === this[name]);
  try {
    if (channel) {
      this[channel] = control.socket(channel);
      const message = (frames) => receive(this, this.control, frames);
      if (!control.worker)
        control.start(tslabRequire.resolve('zeromq'), {
          message,
          interrupt: () => interrupts.signal(),
        });
      await control.bind({ channel, address: where, connection: this.connInfo });
    } else {
      socket.sendTimeout = 0; // see repair.cjs
      socket.sendHighWaterMark = 0; // a slow front end gets its messages late rather than not at all
      await socket.bind(where);
      if (socket === this.shell) this.shell = answering(socket);
    }
  } catch (error) {
    console.error(
      `The kernel cannot listen on ${where}: ${error.message}. Shut it down, and start a new one, for which Jupyter chooses others.`,
    );
    exit(1);
  }
};

server.handleShellMessage = function (socket, ...frames) {
  return receive(this, socket, frames);
};

/**
 * A socket that answers. Whoever has asked may have gone, or the socket is closed: then nothing is
 * sent, and nobody is told.
 */
function answering(socket) {
  const send = async (frames) => {
    try {
      await socket.send(frames);
    } catch {}
  };
  return { send, close: () => socket.close() };
}

/** Sends a message that belongs to a request. Throws if the content cannot be written as JSON. */
function send({ connInfo, iopub }, socket, { identity, header }, type, content) {
  socket.send(
    pack(connInfo, { identity: socket === iopub ? [] : identity, type, content, parent: header }),
  );
}

function status(zmq, state, message) {
  send(zmq, zmq.iopub, message, 'status', { execution_state: state });
}

/** What is answered to requests other than to run a cell. */
const answers = {
  kernel_info_request: ({ handler }) => about(handler.handleKernel()),
  is_complete_request: (_zmq, { code: text }) =>
    isComplete(tslabRequire('@tslab/typescript-for-tslab'), String(text)),
  inspect_request: ({ handler }, content) => handler.handleInspect(content),
  complete_request: ({ handler }, content) => handler.handleComplete(content),
  history_request: () => ({ status: 'ok', history: [] }),
  comm_info_request: () => ({ status: 'ok', comms: {} }),
  interrupt_request: () => ({ status: 'ok' }), // what it asks for has been done: see interrupt-channel.cjs
  shutdown_request: (_zmq, { restart }) => ({ status: 'ok', restart: restart === true }),
  /**
   * Asked by those who run a whole notebook, before they stop the kernel: no request of Jupyter's.
   */
  recital_finish_request: () => last.finish(),
};

/**
 * What the kernel says of itself, with the versions there are in the place of those that tslab has
 * written down.
 */
function about(kernel) {
  const { version } = tslabRequire('@tslab/typescript-for-tslab');
  const language = { ...kernel.language_info, version };
  const implementation = tslabRequire('../package.json').version;
  return {
    status: 'ok',
    ...kernel,
    implementation_version: implementation,
    language_info: language,
    banner: `TypeScript ${version}`,
  };
}

/**
 * A message has come on the shell or the control channel. Never throws: one that is none, or that
 * is not signed, is ignored.
 */
async function receive(zmq, socket, frames) {
  let message;
  try {
    message = unpack(zmq.connInfo, frames);
  } catch (error) {
    return refused.add(error);
  }
  const type = message.header.msg_type;
  if (type === 'execute_request') {
    const number = ++received;
    queue = queue
      .then(() => execute(zmq, socket, message, number))
      .catch((error) => ending || process._rawDebug(error)); // the next cell runs
    return;
  }
  status(zmq, 'busy', message);
  try {
    const answer = Object.hasOwn(answers, type) ? answers[type](zmq, message.content) : undefined;
    const content = isPromise(answer) ? await answer : answer;
    if (content) send(zmq, socket, message, type.replace(/_request$/, '_reply'), content);
  } catch (error) {
    send(zmq, socket, message, type.replace(/_request$/, '_reply'), {
      status: 'error',
      ...failure.thrown(error, code),
    });
  }
  status(zmq, 'idle', message);
  if (running) status(zmq, 'busy', { header: {} }); // the kernel is not idle because a completion was answered; it is no other state of that cell's request
  if (type === 'shutdown_request') shutDown(zmq);
}

function shutDown(zmq) {
  ending = true;
  setTimeout(() => exit(0), 100); // whatever a cell left running must not keep the kernel alive
  zmq.close();
}

/** Runs one cell. Whatever is thrown in it, or while its output is made, it ends with a reply. */
async function execute(zmq, socket, message, number) {
  const publish = (type, content) => send(zmq, zmq.iopub, message, type, content);
  const request = message.content;
  status(zmq, 'busy', message);
  let content = { status: 'aborted' };
  if (number > abortedUpTo && !leaving.error) {
    running = message;
    control.runs(message.header);
    process.send?.({
      running: {
        identity: message.identity.map((part) => part.toString('base64')),
        header: message.header,
      },
    }); // see supervise.cjs
    content = await run(zmq.handler, request, publish).catch((error) => failed(error, publish));
    if (content.status === 'error' && request.stop_on_error !== false) {
      await new Promise((resolve) => setTimeout(resolve, 20)); // reads what was sent while the cell kept the event loop busy
      abortedUpTo = received;
    }
    running = undefined;
    control.runs(undefined);
    process.send?.({ running: undefined });
  }
  send(zmq, socket, message, 'execute_reply', content);
  status(zmq, 'idle', message);
  leaving.end();
}

/** Executes the code of a request and returns the content of its reply. */
async function run({ executor }, request, publish) {
  const counted = !request.silent && request.store_history !== false;
  const number = counted ? ++count : count;
  const cellCode = String(request.code ?? '');
  if (!request.silent) publish('execute_input', { code: cellCode, execution_count: number });
  begin(request, number, publish);
  code.begin(counted ? number : 0, cellCode);
  interrupts.adopt();
  interrupts.begin();
  let ok = await succeeds(executor, cellCode);
  declarations.end(ok, executor.locals);
  const expressions =
    ok && !interrupts.current.stopped ? await evaluate(executor, request.user_expressions) : {};
  const cell = interrupts.end();
  if (ok) for (const args of reported) output.print('stderr', `${format(...args)}\n`); // a cell with @module "succeeds" even if it does not compile
  output.finish();
  const rejections = last.taken(); // beyond the protocol: for those who run a whole notebook
  ok &&= !cell.stopped && !leaving.error;
  if (ok)
    return {
      status: 'ok',
      execution_count: number,
      payload: [],
      user_expressions: expressions,
      rejections,
    };
  const content = leaving.error
    ? failure.thrown(leaving.error, code)
    : cell.stopped
      ? failure.stopped(cell, reported.at(-1)?.[0])
      : explain(counted ? number : 0);
  publish('error', content);
  return { status: 'error', execution_count: number, ...content };
}

/** What is printed and shown from now on belongs to this cell. */
function begin({ silent }, number, publish) {
  output?.finish(); // what has come after the end of the one before
  output = new Output(
    (name, text) => publish('stream', { name, text }),
    (data, update, result) => {
      if (!result) publish(update ? 'update_display_data' : 'display_data', data);
      else if (!silent) publish('execute_result', { ...data, execution_count: number });
    },
  );
  output.install(jupyter);
}

/** Compiles and executes code. What it fails with is in `reported`. */
async function succeeds(executor, text) {
  reported = [];
  declarations.begin();
  let ok;
  try {
    const source = writeOut(text);
    const { module, mode } = getCodeMetadata(source);
    if (!module && mode !== 'browser') declarations.compile(source);
    await heard();
    ok = !interrupts.current.stopped;
    interrupts.start();
    if (ok) ok = await interrupts.within(() => executor.execute(source));
    if (ok) await last.settle();
  } catch (error) {
    ok = false; // of the promise that is the cell's last value; or of showing that value; or a defect of the compiler
    reported.push([error]);
  }
  return ok;
}

/** The value that a cell ends with, and that the library does not draw. */
function printResult(value) {
  if (interrupts.current?.stopped) return; // one line says that
  const text = textOf(value, (error) => failure.thrown(error, code).traceback.join('\n'));
  if (text !== undefined)
    jupyter.lastWriteDisplayData({ data: { 'text/plain': cut(text) }, metadata: {} }, false, true);
}

/** The values of a request's `user_expressions`. */
async function evaluate(executor, expressions) {
  const values = {};
  const atEnd = reported;
  for (const [name, text] of Object.entries(Object(expressions))) {
    let { data, metadata } = { data: { 'text/plain': 'undefined' }, metadata: {} };
    jupyter.lastWriteDisplayData = (content, update, result) =>
      result ? ({ data, metadata } = content) : output.display(content, update);
    code.begin(0, String(text));
    const ok = await succeeds(executor, String(text));
    values[name] = ok ? { status: 'ok', data, metadata } : { status: 'error', ...explain(0) };
  }
  reported = atEnd;
  output.install(jupyter);
  return values;
}

function explain(number) {
  const diagnostics = reported.filter(([first]) => first === '%s%d:%d - %s');
  return diagnostics.length
    ? failure.notCompiled(diagnostics, number, code)
    : failure.thrown(reported.at(-1)?.[0], code);
}

/** Something has failed that must not: the cell ends all the same, and says so. */
function failed(error, publish) {
  interrupts.end();
  const content = failure.thrown(error, code);
  publish('error', content);
  return { status: 'error', execution_count: count, ...content };
}

/** What is said of something that no cell awaits. */
function tell(lines) {
  if (output) output.print('stderr', `${lines.join('\n')}\n`);
  else process._rawDebug(lines.join('\n'));
}

process.on('disconnect', () => exit(1)); // supervise.cjs has died
whenOrphaned(() => exit(1));

tslabRequire('./main.js').startKernel({ configPath: connectionFile, enableFindLocal: false });

// In the place of tslab's listeners, which print stacks of its own lines.
process.removeAllListeners('unhandledRejection');
process.removeAllListeners('uncaughtException');
process.on('uncaughtException', (error) => {
  if (error !== leaving.error)
    tell(['An error was thrown that no cell awaits:', ...failure.thrown(error, code).traceback]);
});
process.on('unhandledRejection', (reason) => {
  if (reason === leaving.error || isStopped(reason)) return;
  const content = failure.thrown(reason, code);
  last.rejected(content);
  tell(['A promise that no cell awaits was rejected:', ...content.traceback]);
});
