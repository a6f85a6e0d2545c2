// Repairs of a running, stock tslab 1.0.22 kernel, put in place when the library is imported in a cell. The launcher does the same and more from the
// start, and then there is nothing to do here.
const { repairInspect } = require('./inspect.cjs');
const { Interrupts } = require('./interrupts.cjs');
const { Output } = require('./output.cjs');
const { expandShorthand } = require('./shorthand.cjs');

const mark = Symbol.for('recital.repaired');
const find = (pattern) => Object.entries(require.cache).find(([file, module]) => pattern.test(file) && module.loaded)?.[1].exports;

/** The tslab kernel that this process is: its module `dist/jupyter`. Undefined outside a kernel. */
function kernel() {
  if (!globalThis.__tslab__) return undefined;
  return find(/tslab[\\/]dist[\\/]jupyter\.js$/);
}

/**
 * zeromq.js sends 512 messages at once and makes the next one asynchronous, during which it refuses all others; tslab does not wait for it. So a loop
 * that prints 600 lines loses some, and with them the message that the cell is done. Without a send timeout every message is sent at once.
 */
function repairSocket() {
  const publisher = find(/zeromq[\\/]lib[\\/]index\.js$/)?.Publisher.prototype;
  if (!publisher) return;
  const { send } = publisher;
  const repaired = new WeakSet();
  const value = function (...args) {
    if (!repaired.has(this)) {
      this.sendTimeout = 0;
      repaired.add(this);
    }
    return send.apply(this, args);
  };
  Object.defineProperty(publisher, 'send', { value }); // an assignment would be ignored: the native method that it inherits is read-only
}

/** Puts the repairs in place, once. For the cell that runs now as well. */
function repair(jupyter) {
  if (jupyter[mark]) return;
  jupyter[mark] = true;
  repairSocket();
  repairInspect(jupyter);

  const interrupts = new Interrupts();
  const handler = jupyter.JupyterHandlerImpl.prototype;
  const { handleExecuteImpl } = handler;
  handler.handleExecuteImpl = async function (request, writeStream, writeDisplayData) {
    interrupts.adopt();
    interrupts.begin();
    const output = new Output(writeStream, writeDisplayData);
    const { executor } = this;
    // tslab points stdout at the cell and then executes: between the two, ours is put in its place.
    this.executor = {
      ...executor,
      execute: (code) => {
        this.executor = executor;
        output.install(jupyter);
        return executor.execute(expandShorthand(code));
      },
    };
    try {
      const count = await handleExecuteImpl.call(this, request, writeStream, writeDisplayData);
      if (!interrupts.end()) return count;
      output.print('stderr', 'Interrupted.\n');
      throw count; // tslab's way to say that the cell failed: the cells queued behind it are not run
    } finally {
      output.flush();
    }
  };

  // The cell that imports the library: its prints are joined from here on. They go out before the cell is reported idle.
  const { lastWriteDisplayData, ZmqServer } = jupyter;
  const stdout = process.stdout.write;
  const stderr = process.stderr.write;
  const current = new Output((name, text) => (name === 'stdout' ? stdout : stderr)(text), lastWriteDisplayData);
  current.install(jupyter);
  const { publishStatus } = ZmqServer.prototype;
  ZmqServer.prototype.publishStatus = function (...args) {
    current.flush();
    return publishStatus.apply(this, args);
  };
}

module.exports = { kernel, mark, repair };
