// Repairs of a running, stock tslab 1.0.22 kernel, put in place when the library is imported in a
// cell. The launcher does the same and more from the start, and then there is nothing to do here.
const vm = require('node:vm');
const { Control } = require('./interrupt-channel.cjs');
const { Exit } = require('./exit.cjs');
const failure = require('./failure.cjs');
const { repairInspect } = require('./inspect.cjs');
const { heard, Interrupts } = require('./interrupts.cjs');
const { Output } = require('./output.cjs');
const { writeOut } = require('./rewrite-declarations.cjs');

const mark = Symbol.for('recital.repaired');
const find = (pattern) =>
  Object.entries(require.cache).find(([file, module]) => pattern.test(file) && module.loaded)?.[1]
    .exports;

/** The tslab kernel that this process is: its module `dist/jupyter`. Undefined outside a kernel. */
function kernel() {
  if (!globalThis.__tslab__) return undefined;
  return find(/tslab[\\/]dist[\\/]jupyter\.js$/);
}

/**
 * zeromq.js sends 512 messages at once and makes the next one asynchronous, during which it refuses
 * all others; tslab does not wait for it. So a loop that prints 600 lines loses some, and with them
 * the message that the cell is done. Without a send timeout every message is sent at once.
 */
function repairSockets() {
  const zmq = find(/zeromq[\\/]lib[\\/]index\.js$/);
  const repaired = new WeakSet();
  for (const socket of [zmq?.Publisher.prototype, zmq?.Router.prototype]) {
    if (!socket) continue;
    const { send } = socket;
    const value = function (...args) {
      if (!repaired.has(this)) {
        this.sendTimeout = 0;
        repaired.add(this);
      }
      return send.apply(this, args);
    };
    Object.defineProperty(socket, 'send', { value }); // an assignment would be ignored: the native method that it inherits is read-only
  }
}

/**
 * Cells that await something begin when an interrupt was heard that has come while they were
 * compiled. One that ends because it was stopped has succeeded, as far as tslab knows: so the
 * variables that it declares exist. Those that have got no value are undefined.
 */
function repairStops(interrupts) {
  const { runInThisContext } = vm;
  const run = async (code, options) => {
    await heard();
    if (interrupts.current?.stopped) return;
    interrupts.start();
    try {
      await runInThisContext(code, options);
    } catch (error) {
      if (error?.name !== 'InterruptedError') throw error;
      if (interrupts.current) interrupts.current.line ??= error.message;
    }
  };
  vm.runInThisContext = (code, options) => {
    const awaits =
      typeof code === 'string' && code.startsWith('(async function(exports, require) { ');
    if (!awaits) return runInThisContext(code, options);
    const ends = run(code, options);
    interrupts.awaiting(ends);
    return ends;
  };
}

/** What tslab prints about a cell that it was asked to stop: several lines, of its own code. */
const stopTrace =
  /^Error: (Interrupted asynchronously|Script execution was interrupted by `SIGINT`)/;

/**
 * Puts the repairs in place, once. For the cell that runs now as well. Returns its answer to
 * "interrupt".
 */
function repair(jupyter) {
  if (jupyter[mark]) return jupyter[mark];
  const interrupts = new Interrupts(new Control());
  jupyter[mark] = interrupts;
  const leaving = new Exit(
    () => interrupts.endCell(),
    async () => {},
  );
  leaving.install();
  repairSockets();
  repairStops(interrupts);
  repairInspect(jupyter);

  const handler = jupyter.JupyterHandlerImpl.prototype;
  const { handleExecuteImpl } = handler;
  handler.handleExecuteImpl = async function (request, writeStream, writeDisplayData) {
    interrupts.adopt();
    interrupts.begin();
    let broken = false;
    const write = (name, text) => {
      if (name === 'stderr' && stopTrace.test(text)) broken = true;
      else writeStream(name, text);
    };
    const output = new Output(write, writeDisplayData);
    const { executor } = this;
    // tslab points stdout at the cell and then executes: between the two, ours is put in its place.
    this.executor = {
      ...executor,
      execute: (code) => {
        this.executor = executor;
        output.install(jupyter);
        return interrupts.within(() => executor.execute(writeOut(code)));
      },
    };
    try {
      const count = await handleExecuteImpl.call(this, request, writeStream, writeDisplayData);
      if (interrupts.current.stopped) throw count; // tslab's way to say that the cell failed: the cells queued behind it are not run
      return count;
    } finally {
      output.finish();
      const cell = interrupts.end();
      if (cell.stopped || broken) writeStream('stderr', `${failure.stopped(cell).traceback[0]}\n`);
      leaving.end();
    }
  };

  // The cell that imports the library: its prints are joined from here on. They go out before the
  // cell is reported idle.
  const { lastWriteDisplayData, ZmqServer } = jupyter;
  const stdout = process.stdout.write;
  const stderr = process.stderr.write;
  const current = new Output(
    (name, text) => (name === 'stdout' ? stdout : stderr)(text),
    lastWriteDisplayData,
  );
  current.install(jupyter);
  const { publishStatus } = ZmqServer.prototype;
  ZmqServer.prototype.publishStatus = function (...args) {
    current.flush();
    return publishStatus.apply(this, args);
  };
  return interrupts;
}

module.exports = { kernel, mark, repair };
