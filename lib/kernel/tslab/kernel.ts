// The kernel: tslab, with its defects repaired. Against the stock kernel: no output is lost,
// consecutive prints are one message, a failing cell sends a Jupyter `error` with the lines of the
// cell and of lib/, cells are numbered (execute_input), a cell's last value is its result
// (execute_result), busy and idle come in order under "Run All", an interrupt reaches a training
// loop, and a cell ends with a reply, whatever it throws.
import { setTimeout } from 'node:timers'; // a cell may replace the global one
import { format, types } from 'node:util';
import type { NotebookKernel } from '../../recital/display/host.js';
import {
  address,
  type Content,
  type Message,
  pack,
  Refused,
  rawDebug,
  unpack,
} from '../protocol.js';
import { CellCode, onStopPoint, rewriteDeclarations } from './cell-code.js';
import { Declarations, LastExpression, textOf } from './cell-values.js';
import { CodeAssistant, isComplete } from './complete.js';
import { type ErrorContent, notCompiled, stopped, thrown } from './failure.js';
import { InterruptChannel } from './interrupt-channel.js';
import { heard, Interrupts, isStopped } from './interrupts.js';
import { cut, Output } from './output.js';
import { Exit, exitWithParent, FAREWELL_MS, type Running } from './supervise.js';
import {
  cellGlobals,
  DIAGNOSTIC,
  type Executor,
  type JupyterModule,
  modules,
  type RawSocket,
  type Socket,
  TYPESCRIPT,
  tslabRequire,
  type ZmqServer,
} from './tslab.js';

const ABORT_MS = 20; // to read requests that came while a failing cell kept the event loop busy

type Publish = (type: string, content: unknown) => void;
type Reply = Content & { status: string };
interface ExecuteRequest {
  code?: unknown;
  silent?: boolean;
  store_history?: boolean;
  stop_on_error?: boolean;
  user_expressions?: unknown;
}

/** The program. */
export function main(connectionFile: string): void {
  Error.stackTraceLimit = 50; // as deep as a training goes, so that the cell's own line is there
  const kernel = new Kernel();
  process.on('disconnect', () => kernel.exit.end(1)); // the process of supervise.ts has died
  exitWithParent(() => kernel.exit.end(1));
  modules.main().startKernel({ configPath: connectionFile, enableFindLocal: false });
  kernel.listenForErrors();
}

class Kernel {
  private readonly channel = new InterruptChannel();
  private readonly interrupts = new Interrupts(this.channel);
  private readonly code = new CellCode(tslabRequire.resolve(TYPESCRIPT));
  private readonly assistant = new CodeAssistant();
  private readonly declarations = new Declarations(() => this.code.takeElsewhere());
  private readonly last = new LastExpression(
    (value) => this.channel.section(() => this.printResult(value)),
    (promise) => this.interrupts.awaiting(promise),
  );
  private readonly jupyter: JupyterModule;
  private readonly refused = new Refused('shell');
  readonly exit = new Exit(
    () => this.interrupts.endCell(),
    () => this.channel.close(),
  );

  private reported: unknown[][] = []; // what tslab would print about a failing cell
  private count = 0; // number of the latest cell
  private received = 0; // execute requests so far
  private abortedUpTo = 0; // requests up to this one were queued behind a cell that failed
  private queue = Promise.resolve();
  private running: Message | undefined; // the execute request in progress
  private output: Output | undefined; // of the cell that runs or has run
  private ending = false; // sockets are closed

  constructor() {
    const { code, interrupts, channel } = this;
    code.patchVm((work) => {
      const value = channel.section(work);
      if (types.isPromise(value)) interrupts.awaiting(value);
      return value;
    });
    this.patchExecutor();
    this.jupyter = modules.jupyter();
    const kernel = this;
    Object.assign(this.jupyter.ZmqServer.prototype, {
      bindSocket(this: ZmqServer, socket: RawSocket, port: number) {
        return kernel.bind(this, socket, port);
      },
      handleShellMessage(this: ZmqServer, socket: Socket, ...frames: Buffer[]) {
        return kernel.receive(this, socket, frames);
      },
    });
    onStopPoint(interrupts.stopPoints);
    this.announce();
  }

  /** Tells the library, when it is imported, that it runs in a notebook of this kernel. */
  private announce(): void {
    const { interrupts, jupyter, last } = this;
    const kernel: NotebookKernel = {
      publish: (...output) => jupyter.lastWriteDisplayData?.(...output),
      currentCell: () => jupyter.lastWriteDisplayData ?? kernel, // made anew for each cell
      interruptScope: () => interrupts.cell(),
      say: (line) => interrupts.say(line),
      drawLastExpression: (draw) => {
        last.draw = draw;
      },
    };
    Object.assign(globalThis, { [Symbol.for('recital.kernel')]: kernel });
  }

  private patchExecutor(): void {
    const { code, declarations, last } = this;
    const executorModule = modules.executor();
    const { createExecutor } = executorModule;
    executorModule.createExecutor = (folder, converters) => {
      const executor = createExecutor(folder, declarations.wrap(converters), {
        log: (value: unknown) => last.show(value),
        error: (...args: unknown[]) => this.reported.push(args),
      });
      const cells = cellGlobals();
      cells.require = code.files.requirer(cells.require, code.files.folder);
      return { ...executor, interrupt: last.interrupter(executor.interrupt) };
    };
  }

  /** Listens on one of Jupyter's channels. */
  private async bind(zmq: ZmqServer, socket: RawSocket, port: number): Promise<void> {
    const where = address(zmq.connInfo, port);
    const name = (['control', 'iopub', 'hb'] as const).find((each) => zmq[each] === socket);
    try {
      if (name) {
        zmq[name] = this.channel.socket(name);
        if (!this.channel.worker)
          this.channel.start(tslabRequire.resolve('zeromq'), {
            message: (frames) => void this.receive(zmq, zmq.control, frames),
            interrupt: () => this.interrupts.signal(),
          });
        await this.channel.bind({ channel: name, address: where, connection: zmq.connInfo });
      } else {
        // zeromq.js sends 512 messages at once and makes the next one asynchronous, during which it
        // refuses all others; tslab does not wait for it. Without a timeout all are sent at once.
        socket.sendTimeout = 0;
        socket.sendHighWaterMark = 0; // a slow front end gets its messages late rather than not at all
        await socket.bind(where);
        if (socket === zmq.shell) zmq.shell = answering(socket);
      }
    } catch (error) {
      console.error(
        `The kernel cannot listen on ${where}: ${(error as Error).message}. Shut it down, and start a new one, for which Jupyter chooses others.`,
      );
      this.exit.end(1);
    }
  }

  /** Answers to requests other than to run a cell, by type. */
  private readonly answers: Record<string, (zmq: ZmqServer, content: Content) => unknown> = {
    kernel_info_request: ({ handler }) => about(handler.handleKernel()),
    is_complete_request: (_, { code }) => isComplete(String(code)),
    inspect_request: ({ handler }, request) => this.assistant.inspect(handler.executor, request),
    complete_request: ({ handler }, request) => this.assistant.complete(handler.executor, request),
    history_request: () => ({ status: 'ok', history: [] }),
    comm_info_request: () => ({ status: 'ok', comms: {} }),
    interrupt_request: () => ({ status: 'ok' }), // the thread of interrupt-channel.ts has done it
    shutdown_request: (_, { restart }) => ({ status: 'ok', restart: restart === true }),
    // Not Jupyter's: asked by those who run a whole notebook, before they stop the kernel.
    recital_finish_request: () => this.last.finish(),
  };

  /**
   * A message has come on the shell or the control channel. Never throws: one that is malformed or
   * not signed is ignored.
   */
  private async receive(zmq: ZmqServer, socket: Socket, frames: Buffer[]): Promise<void> {
    let message: Message;
    try {
      message = unpack(zmq.connInfo, frames);
    } catch (error) {
      return this.refused.add(error);
    }
    const type = message.header.msg_type;
    if (type === 'execute_request') {
      const number = ++this.received;
      this.queue = this.queue
        .then(() => this.execute(zmq, socket, message, number))
        .catch((error) => {
          if (!this.ending) rawDebug(error); // the next cell runs
        });
      return;
    }
    const reply = type.replace(/_request$/, '_reply');
    status(zmq, 'busy', message);
    try {
      const answer = Object.hasOwn(this.answers, type) ? this.answers[type] : undefined;
      const content = await answer?.(zmq, message.content);
      if (content) send(zmq, socket, message, reply, content);
    } catch (error) {
      send(zmq, socket, message, reply, { status: 'error', ...thrown(error, this.code) });
    }
    status(zmq, 'idle', message);
    // The kernel is not idle because a completion was answered; the cell's own state is unchanged.
    if (this.running) status(zmq, 'busy', { header: {} });
    if (type === 'shutdown_request') {
      this.ending = true;
      setTimeout(() => this.exit.end(0), FAREWELL_MS); // whatever a cell left running must not keep the kernel alive
      zmq.close();
    }
  }

  /** Runs one cell. It ends with a reply, whatever is thrown in it or while its output is made. */
  private async execute(
    zmq: ZmqServer,
    socket: Socket,
    message: Message,
    number: number,
  ): Promise<void> {
    const publish: Publish = (type, content) => send(zmq, zmq.iopub, message, type, content);
    const request = message.content as ExecuteRequest;
    status(zmq, 'busy', message);
    let content: Reply = { status: 'aborted' };
    if (number > this.abortedUpTo && !this.exit.error) {
      this.runs(message);
      content = await this.run(zmq.handler.executor, request, publish).catch((error) =>
        this.failed(error, publish),
      );
      if (content.status === 'error' && request.stop_on_error !== false) {
        await new Promise((resolve) => setTimeout(resolve, ABORT_MS));
        this.abortedUpTo = this.received;
      }
      this.runs(undefined);
    }
    send(zmq, socket, message, 'execute_reply', content);
    status(zmq, 'idle', message);
    this.exit.endIfCalled();
  }

  /** Notes which request's cell runs, here, in the thread, and in the process of supervise.ts. */
  private runs(message: Message | undefined): void {
    this.running = message;
    this.channel.runs(message?.header);
    const running: Running | undefined = message && {
      identity: message.identity.map((part) => part.toString('base64')),
      header: message.header,
    };
    process.send?.({ running });
  }

  /** Executes the code of a request and returns the content of its reply. */
  private async run(executor: Executor, request: ExecuteRequest, publish: Publish): Promise<Reply> {
    const { interrupts } = this;
    const isCounted = !request.silent && request.store_history !== false;
    const number = isCounted ? ++this.count : this.count;
    const code = String(request.code ?? '');
    if (!request.silent) publish('execute_input', { code, execution_count: number });
    const output = this.begin(request, number, publish);
    this.code.begin(isCounted ? number : 0, code);
    const cell = interrupts.begin();
    const ran = await this.succeeds(executor, code);
    this.declarations.end(ran, executor.locals);
    const expressions =
      ran && !cell.stopped ? await this.evaluate(executor, request.user_expressions) : {};
    interrupts.end();
    // A cell with @module "succeeds" even if it does not compile.
    if (ran) for (const args of this.reported) output.print('stderr', `${format(...args)}\n`);
    output.finish();
    const rejections = this.last.taken(); // beyond the protocol: for those who run a whole notebook
    if (ran && !cell.stopped && !this.exit.error) {
      const user_expressions = expressions;
      return { status: 'ok', execution_count: number, payload: [], user_expressions, rejections };
    }
    const content = this.exit.error
      ? thrown(this.exit.error, this.code)
      : cell.stopped
        ? stopped(cell, this.reported.at(-1)?.[0])
        : this.explain(isCounted ? number : 0);
    publish('error', content);
    return { status: 'error', execution_count: number, ...content };
  }

  /** What is printed and shown from now on belongs to this cell. */
  private begin({ silent }: ExecuteRequest, number: number, publish: Publish): Output {
    this.output?.finish(); // what came after the end of the cell before
    const output = new Output(
      (name, text) => publish('stream', { name, text }),
      (data, update, result) => {
        if (!result) publish(update ? 'update_display_data' : 'display_data', data);
        else if (!silent) publish('execute_result', { ...data, execution_count: number });
      },
    );
    output.install(this.jupyter);
    this.output = output;
    return output;
  }

  /** Compiles and executes code. What it fails with is in `reported`. */
  private async succeeds(executor: Executor, text: string): Promise<boolean> {
    this.reported = [];
    this.declarations.begin();
    try {
      const source = rewriteDeclarations(text);
      const { module, mode } = modules.metadata().getCodeMetadata(source);
      if (!module && mode !== 'browser') this.declarations.compile(source);
      await heard();
      const { current } = this.interrupts;
      if (current?.stopped) return false;
      if (current) current.running = true;
      const ok = await this.interrupts.within(() => executor.execute(source));
      if (ok) await this.last.settle();
      return ok;
    } catch (error) {
      this.reported.push([error]); // of the last expression, or of showing it; or a defect of the compiler
      return false;
    }
  }

  /** Prints the value of a last expression that the library does not draw. */
  private printResult(value: unknown): void {
    if (this.interrupts.current?.stopped) return; // its message says that
    const text = textOf(value, (error) => thrown(error, this.code).traceback.join('\n'));
    if (text === undefined) return;
    const content = { data: { 'text/plain': cut(text) }, metadata: {} };
    this.jupyter.lastWriteDisplayData?.(content, false, true);
  }

  /** The values of a request's `user_expressions`. */
  private async evaluate(executor: Executor, expressions: unknown): Promise<Content> {
    const values: Content = {};
    const { reported, output, jupyter } = this;
    for (const [name, text] of Object.entries(Object(expressions) as Content)) {
      let shown: Content = { data: { 'text/plain': 'undefined' }, metadata: {} };
      jupyter.lastWriteDisplayData = (content, update, isResult) => {
        if (!isResult) output?.display(content, update);
        else shown = { data: content.data, metadata: content.metadata };
      };
      this.code.begin(0, String(text));
      const ok = await this.succeeds(executor, String(text));
      values[name] = ok ? { status: 'ok', ...shown } : { status: 'error', ...this.explain(0) };
    }
    this.reported = reported;
    output?.install(jupyter);
    return values;
  }

  private explain(number: number): ErrorContent {
    const diagnostics = this.reported.filter(([first]) => first === DIAGNOSTIC);
    return diagnostics.length > 0
      ? notCompiled(diagnostics, number, (line) => this.code.line(number, line))
      : thrown(this.reported.at(-1)?.[0], this.code);
  }

  /** A defect of the kernel: the cell ends all the same, with that as its error. */
  private failed(error: unknown, publish: Publish): Reply {
    this.interrupts.end();
    const content = thrown(error, this.code);
    publish('error', content);
    return { status: 'error', execution_count: this.count, ...content };
  }

  /** Reports errors that no cell awaits, in the place of tslab's listeners. */
  listenForErrors(): void {
    const tell = (heading: string, { traceback }: ErrorContent): void => {
      const text = [heading, ...traceback].join('\n');
      if (this.output) this.output.print('stderr', `${text}\n`);
      else rawDebug(text);
    };
    process.removeAllListeners('unhandledRejection');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => {
      if (error !== this.exit.error)
        tell('An error was thrown that no cell awaits:', thrown(error, this.code));
    });
    process.on('unhandledRejection', (reason) => {
      if (reason === this.exit.error || isStopped(reason)) return;
      const content = thrown(reason, this.code);
      this.last.rejected(content);
      tell('A promise that no cell awaits was rejected:', content);
    });
  }
}

/** A socket for replies. A reply is dropped when the client has gone or the socket is closed. */
function answering(socket: Socket): Socket {
  const send: Socket['send'] = async (frames) => {
    try {
      await socket.send(frames);
    } catch {}
  };
  return { send, close: () => socket.close() };
}

/** Sends a message that belongs to a request. Throws if it cannot be written as JSON. */
function send(
  { connInfo, iopub }: ZmqServer,
  socket: Socket,
  { identity = [], header }: Pick<Message, 'header'> & Partial<Message>,
  type: string,
  content: unknown,
): void {
  const to = socket === iopub ? [] : identity;
  void socket.send(pack(connInfo, { identity: to, type, content, parent: header }));
}

function status(zmq: ZmqServer, state: string, message: { header: Content }): void {
  const request = message as Pick<Message, 'header'>;
  send(zmq, zmq.iopub, request, 'status', { execution_state: state });
}

/**
 * The reply to kernel_info_request, with the versions at hand instead of those written in tslab.
 */
function about(kernel: Content & { language_info: Content }): Content {
  const { version } = tslabRequire(TYPESCRIPT) as { version: string };
  return {
    status: 'ok',
    ...kernel,
    implementation_version: modules.version(),
    language_info: { ...kernel.language_info, version },
    banner: `TypeScript ${version}`,
  };
}
