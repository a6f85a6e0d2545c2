// How an interrupt reaches the main thread of a kernel. A thread of its own listens on Jupyter's
// control channel, because interrupts and shutdowns must be heard while the main thread computes.
// It also has iopub, to report a cell that does not stop, and the heartbeat.
//
// Between turns of the event loop an interrupt is a message to the main thread. Code that gives no
// turns is ended by SIGINT: Node terminates a script that was started with `breakOnSigint`. But for
// the time of such a script Node removes all SIGINT listeners: a signal a moment too early or too
// late would end the kernel, and one before it would be lost. Hence the thread sends the signal
// itself, only while the main thread is inside such a section, and until it is heard.
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { Script } from 'node:vm';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import {
  type Content,
  type Frame,
  type Key,
  pack,
  Refused,
  rawDebug,
  unpack,
} from '../protocol.js';
import type { Socket } from './tslab.js';

/** Slots of the memory that both threads share. */
const SECTION = 0; // 0: outside of sections, 1: inside, 2: a signal is about to be sent, 3: it is sent
const HEARD = 1; // how many interrupts were dealt with
const CLOSING = 2; // 1: the kernel ends
const ASKED = 3; // how many interrupts were asked for

const CLOSE_MS = 300;
const SIGNAL_MS = 500; // from a signal to the end of a section
const LOOK_MS = 20;
const SHUTDOWN_MS = 1_500;
const STALL_MS = 5_000; // cells that can be stopped have stopped by then, see interrupts.ts
const STALLED = 'The cell does not stop. Kernel → Restart ends it; variables are lost.\n';

/** Code of the error by which a signal ends a section. */
const ENDED = 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
const WORK = Symbol.for('recital.section');
const script = new Script("globalThis[Symbol.for('recital.section')]()", { filename: 'section' });

type Channel = 'control' | 'iopub' | 'hb';
/** A channel to listen on, with the key of its messages. */
interface Bind {
  channel: Channel;
  address: string;
  connection: Key;
}
/** Messages to the thread. */
interface ToThread {
  bind?: Bind;
  channel?: Channel;
  frames?: readonly Frame[];
  close?: boolean;
  /** Header of the request whose cell runs. */
  running?: Content;
}
/** Messages from the thread. */
interface FromThread {
  bound?: Channel;
  failed?: string;
  frames?: Uint8Array[];
  /** How many interrupts had been dealt with when it was asked for. */
  interrupt?: number;
}
interface ThreadData {
  zmqFile: string;
  state: Int32Array;
}
/** What the main thread does with messages and interrupts. */
interface Handler {
  message(frames: Buffer[]): void;
  interrupt(): void;
}

/** Whether this was thrown because a signal has ended a section. A cell may throw anything. */
export function hasEnded(error: unknown): boolean {
  try {
    return (error as { code?: unknown } | undefined)?.code === ENDED;
  } catch {
    return false;
  }
}

/** The main thread's side. */
export class InterruptChannel {
  /** How many sections the main thread is in, one inside the other. */
  depth = 0;
  worker: Worker | undefined;
  private readonly state = new Int32Array(new SharedArrayBuffer(16));
  private readonly waiting = new Map<Channel, (failed?: string) => void>(); // for a channel to be bound

  /**
   * Starts the thread.
   * @param zmqFile the module zeromq
   */
  start(zmqFile: string, handler: Handler): void {
    const { state } = this;
    const data: ThreadData = { zmqFile, state };
    this.worker = new Worker(path.join(__dirname, '../tslab/start.cjs'), {
      argv: ['interrupt-channel'],
      workerData: data,
      execArgv: [],
    });
    this.worker.on('message', ({ bound, failed, frames, interrupt }: FromThread) => {
      if (bound) this.waiting.get(bound)?.(failed);
      else if (frames) handler.message(frames.map((frame) => Buffer.from(frame)));
      else if (interrupt === Atomics.load(state, HEARD)) handler.interrupt(); // else it was heard
    });
  }

  /**
   * Has the thread listen on a channel.
   * @throws an Error if the address is taken
   */
  async bind(bind: Bind): Promise<void> {
    this.post({ bind });
    const failed = await new Promise<string | undefined>((done) =>
      this.waiting.set(bind.channel, done),
    );
    if (failed) throw new Error(failed);
  }

  /** Stands for the socket of a channel. */
  socket(channel: Channel): Socket {
    return { send: (frames) => this.post({ channel, frames }), close: () => {} };
  }

  private post(message: ToThread): void {
    this.worker?.postMessage(message);
  }

  /** Reports the header of the request whose cell runs; undefined: none. */
  runs(header: Content | undefined): void {
    this.post({ running: header });
  }

  /** Whether there is an interrupt that nobody has dealt with. */
  asked(): boolean {
    return Atomics.load(this.state, ASKED) > Atomics.load(this.state, HEARD);
  }

  /** An interrupt is being dealt with. */
  heard(): void {
    Atomics.add(this.state, HEARD, 1);
  }

  /** Gives the channels back: the kernel ends. */
  async close(): Promise<void> {
    Atomics.store(this.state, CLOSING, 1);
    const { worker } = this;
    if (!worker) return;
    const closed = new Promise((done) => worker.once('exit', done));
    this.post({ close: true });
    await Promise.race([closed, new Promise((done) => setTimeout(done, CLOSE_MS))]);
  }

  /**
   * Runs code that a signal ends, wherever it is.
   * @throws what the code throws; if it was ended, an error of which `hasEnded` is true
   */
  section<T>(work: () => T): T {
    const { state } = this;
    (globalThis as Record<symbol, unknown>)[WORK] = () => {
      // Only in here is the signal sure to find Node's own handler.
      this.depth++;
      Atomics.compareExchange(state, SECTION, 0, 1);
      try {
        return work();
      } finally {
        this.depth--;
        if (this.depth === 0 && Atomics.compareExchange(state, SECTION, 1, 0) > 1)
          this.awaitSignal();
      }
    };
    const { depth } = this;
    try {
      return script.runInThisContext({ breakOnSigint: true }) as T;
    } catch (error) {
      if (hasEnded(error)) {
        this.depth = depth;
        Atomics.store(state, SECTION, depth > 0 ? 1 : 0);
        this.heard();
      }
      throw error;
    }
  }

  /**
   * Waits for a signal on its way, which ends this loop. If the cell has replaced Node's handler by
   * a listener of its own, no signal does, and the loop times out.
   */
  private awaitSignal(): void {
    while (Atomics.load(this.state, SECTION) === 2);
    for (const end = performance.now() + SIGNAL_MS; performance.now() < end; );
    throw Object.assign(new Error('Script execution was interrupted by `SIGINT`'), { code: ENDED });
  }
}

/** A socket of the thread. */
type ThreadSocket = Socket & AsyncIterable<Buffer[]> & { bindSync(address: string): void };

/** The thread: passes messages on in both directions, and interrupts the main thread. */
export function main(): void {
  const { zmqFile, state } = workerData as ThreadData;
  const port = parentPort;
  if (!port) return;
  const post = (message: FromThread): void => port.postMessage(message);
  const zmq = require(zmqFile) as Record<'Router' | 'Publisher', new (o: object) => ThreadSocket>;
  const unlimited = { sendTimeout: 0, sendHighWaterMark: 0 }; // a slow front end gets its messages late rather than not at all
  const sockets: Record<Channel, ThreadSocket> = {
    control: new zmq.Router(unlimited),
    iopub: new zmq.Publisher(unlimited),
    hb: new zmq.Router(unlimited), // a Reply socket ends by a malformed message
  };
  const refused = new Refused('control');
  let connection: Key = {};
  let running: { header: Content; told: boolean } | undefined; // the request whose cell runs

  const send = async (channel: Channel, frames: readonly Frame[]): Promise<void> => {
    try {
      await sockets[channel].send(frames);
    } catch {} // the receiver has gone
  };
  /** Some time after an interrupt: says so if the cell still runs. */
  const reportStalled = (cell: typeof running): void => {
    if (!cell || running !== cell || cell.told) return;
    cell.told = true;
    const content = { name: 'stderr', text: STALLED };
    void send('iopub', pack(connection, { type: 'stream', content, parent: cell.header }));
  };
  const interrupt = (): void => {
    const heard = Atomics.load(state, HEARD);
    Atomics.store(state, ASKED, heard + 1);
    post({ interrupt: heard });
    const look = (): void => {
      if (Atomics.load(state, HEARD) !== heard) return;
      // Whoever leaves the section while this is 2 or 3 waits for the signal.
      if (Atomics.compareExchange(state, SECTION, 1, 2) === 1) {
        process.kill(process.pid, 'SIGINT');
        Atomics.compareExchange(state, SECTION, 2, 3);
      } else setTimeout(look, LOOK_MS);
    };
    look();
    setTimeout(reportStalled, STALL_MS, running);
  };
  /** Ends a kernel that computes, and so does not hear that it is to end. */
  const shutdown = (): void => {
    const kill = (): boolean =>
      Atomics.load(state, CLOSING) === 0 && process.kill(process.pid, 'SIGTERM');
    setTimeout(kill, SHUTDOWN_MS);
  };
  const listen = async (): Promise<void> => {
    for await (const frames of sockets.control) {
      try {
        const { header } = unpack(connection, frames);
        post({ frames });
        if (header.msg_type === 'interrupt_request') interrupt();
        else if (header.msg_type === 'shutdown_request') shutdown();
      } catch (error) {
        refused.add(error);
      }
    }
  };
  const echo = async (): Promise<void> => {
    for await (const frames of sockets.hb) void send('hb', frames);
  };
  const bind = ({ channel, address, connection: given }: Bind): void => {
    connection = given;
    try {
      sockets[channel].bindSync(address); // at once: a socket that is being bound sends nothing
      if (channel === 'control') void listen();
      if (channel === 'hb') void echo();
      post({ bound: channel });
    } catch (error) {
      post({ bound: channel, failed: (error as Error).message });
    }
  };
  /** Closes the sockets before the thread ends: open ones would end the process with it. */
  const close = (): void => {
    for (const socket of Object.values(sockets)) socket.close();
  };

  process.on('uncaughtException', (error) => {
    rawDebug(`An error in the thread that listens for the stop button: ${error.message}`);
  });
  port.on('message', (message: ToThread) => {
    if (message.frames && message.channel) void send(message.channel, message.frames);
    else if (message.bind) bind(message.bind);
    else if (message.close) {
      close();
      process.exit();
    } else running = message.running && { header: message.running, told: false };
  });
}
