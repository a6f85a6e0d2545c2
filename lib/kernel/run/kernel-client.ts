import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RecitalError } from '../../recital/errors.js';
import { address, type Connection, type Content, pack, unpack } from '../protocol.js';
import { causeOfDeath } from '../tslab/supervise.js';

export type { Content };
/**
 * Called for each message that a request causes on the output channel: `stream`, `display_data`,
 * `error`, …
 */
export type OnOutput = (type: string, content: Content) => void;

/** The kernel process has ended although nobody asked it to. */
export class KernelDiedError extends RecitalError {}

const start = join(__dirname, '../tslab/start.cjs');

/** The kernel of this checkout, and the stock kernel of tslab. */
export const launchers = {
  recital: [start, 'kernel'],
  stock: [
    join(resolve(require.resolve('tslab/package.json'), '..'), 'bin', 'tslab'),
    'kernel',
    '--config-path',
  ],
};

/**
 * The kernel as Jupyter starts it: with a process beside it that reports its death, which a
 * KernelClient sees for itself.
 */
export const supervised: readonly string[] = [start, 'supervise'];

interface Socket extends AsyncIterable<Buffer[]> {
  linger: number;
  connect(address: string): void;
  close(): void;
  send(frames: (string | Buffer)[]): Promise<void>;
  subscribe(): void;
}
interface ZeroMq {
  Dealer: new (options: {
    sendTimeout: number;
    sendHighWaterMark: number;
    routingId: string;
  }) => Socket;
  Subscriber: new (options: { receiveHighWaterMark: number }) => Socket;
}
interface Pending {
  onOutput?: OnOutput;
  reply?: Content;
  idle: boolean;
  done(reply: Content): void;
  fail(error: Error): void;
}

const SHUTDOWN_MS = 3_000;
const LOG_CHARS = 20_000;

/**
 * A kernel started as a child process, spoken to over the Jupyter protocol (5.3) on loopback.
 * Needs no Python.
 */
export class KernelClient {
  /** The kernel's answer to kernel_info_request. */
  info: Content = {};
  /** What the process printed outside of cells: the end of it. */
  log = '';
  private dead: string | undefined;
  private readonly pending = new Map<string, Pending>();
  private readonly session = randomUUID();
  private readonly sockets: Socket[] = [];
  private readonly exited: Promise<void>;

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly connection: Connection,
    private readonly interruptMode: 'message' | 'signal',
    /** Ports of the kernel, for whoever wants to listen as well. */
    readonly ports: {
      readonly shell: number;
      readonly iopub: number;
      readonly control: number;
      readonly hb: number;
    },
    private readonly onLate?: OnOutput,
  ) {
    const keep = (data: Buffer): void => {
      this.log = (this.log + data.toString()).slice(-LOG_CHARS);
    };
    process.stdout?.on('data', keep);
    process.stderr?.on('data', keep);
    this.exited = new Promise((done) => {
      process.on('error', (error) =>
        this.died(`The kernel could not be started: ${error.message}`, done),
      );
      process.on('close', (code, signal) =>
        this.died(causeOfDeath({ code, signal, log: this.log }), done),
      );
    });
  }

  /**
   * Starts a kernel and waits until it answers.
   * @param options.cwd its working folder: that of the notebook
   * @param options.env its environment; default: this process's
   * @param options.program what is started; default: this Node
   * @param options.launcher its arguments before the connection file; default: the launcher of
   *   this checkout
   * @param options.startTimeout milliseconds; default 60,000
   * @param options.onLate called for output of requests that are over
   * @param options.transport `ipc`: by files in place of ports; not on Windows. Default `tcp`
   */
  static async start(options: {
    cwd: string;
    env?: NodeJS.ProcessEnv;
    program?: string;
    launcher?: readonly string[];
    onLate?: OnOutput;
    startTimeout?: number;
    transport?: 'tcp' | 'ipc';
  }): Promise<KernelClient> {
    const {
      cwd,
      env = process.env,
      program = process.execPath,
      launcher = launchers.recital,
      onLate,
      startTimeout = 60_000,
      transport = 'tcp',
    } = options;
    const [shell_port, iopub_port, stdin_port, control_port, hb_port] =
      transport === 'ipc' ? [1, 2, 3, 4, 5] : await freePorts(5);
    const folder = mkdtempSync(join(tmpdir(), 'recital-kernel-'));
    const file = join(folder, 'connection.json');
    const ip = transport === 'ipc' ? join(folder, 'kernel') : '127.0.0.1';
    const connection: Connection = {
      transport,
      ip,
      key: randomUUID(),
      signature_scheme: 'hmac-sha256',
    };
    writeFileSync(
      file,
      JSON.stringify({ ...connection, shell_port, iopub_port, stdin_port, control_port, hb_port }),
      { mode: 0o600 },
    );
    // A group of its own: Ctrl-C in the terminal reaches us alone, and we decide what the kernel is
    // told.
    const child = spawn(program, [...launcher, file], {
      cwd,
      env: { ...env, JPY_PARENT_PID: String(process.pid) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const client = new KernelClient(
      child,
      folder,
      connection,
      launcher === launchers.stock ? 'signal' : 'message',
      {
        shell: shell_port,
        iopub: iopub_port,
        control: control_port,
        hb: hb_port,
      },
      onLate,
    );
    client.connect();
    await client.ready(startTimeout);
    return client;
  }

  private connect(): void {
    const { shell, iopub, control } = this.ports;
    const zmq = createRequire(require.resolve('tslab/package.json'))('zeromq') as ZeroMq; // the copy that tslab uses
    const output = new zmq.Subscriber({ receiveHighWaterMark: 0 });
    output.subscribe();
    // Messages are sent at once, however many are on their way: see kernel.ts.
    const dealer = (): Socket =>
      new zmq.Dealer({ sendTimeout: 0, sendHighWaterMark: 0, routingId: this.session });
    const ports: [Socket, number][] = [
      [dealer(), shell],
      [dealer(), control],
      [output, iopub],
    ];
    for (const [socket, port] of ports) {
      socket.linger = 0;
      socket.connect(address(this.connection, port));
      this.sockets.push(socket);
      void this.receive(socket);
    }
  }

  private async receive(socket: Socket): Promise<void> {
    for await (const frames of socket) {
      const { header, parent, content } = unpack(this.connection, frames);
      const pending = this.pending.get(String(parent.msg_id));
      if (!pending) {
        if (socket === this.sockets[2] && header.msg_type !== 'status')
          this.onLate?.(header.msg_type, content);
        continue;
      }
      if (socket !== this.sockets[2]) pending.reply = content;
      else if (header.msg_type !== 'status') pending.onOutput?.(String(header.msg_type), content);
      else if (content.execution_state === 'idle') pending.idle = true;
      // Output and reply travel on two channels: a request is over when both have arrived.
      if (!pending.reply || !pending.idle) continue;
      this.pending.delete(String(parent.msg_id));
      pending.done(pending.reply);
    }
  }

  /**
   * Asks again until an answer has come on both channels: the output channel loses what is sent
   * before the subscription has reached the kernel.
   */
  private async ready(timeout: number): Promise<void> {
    const end = Date.now() + timeout;
    for (;;) {
      const answer = this.request('kernel_info_request', {}).then((info) => {
        this.info = info;
        return true;
      });
      const ok = await Promise.race([
        answer,
        new Promise<false>((done) => setTimeout(done, 250, false)),
      ]).catch(() => false);
      if (ok) return;
      if (this.dead === undefined && Date.now() < end) continue;
      await this.stop();
      throw new KernelDiedError(
        `The kernel did not start. ${this.dead ?? `There was no answer within ${timeout / 1000} s.\n${this.log.trim()}`}`,
      );
    }
  }

  /**
   * Sends a request and resolves to the content of the reply, once all output has arrived. Rejects
   * with KernelDiedError.
   */
  request(
    type: string,
    content: Content,
    options: { onOutput?: OnOutput; control?: boolean } = {},
  ): Promise<Content> {
    const id = randomUUID();
    const frames = pack(this.connection, { id, session: this.session, type, content });
    return new Promise((done, fail) => {
      if (this.dead !== undefined) return fail(new KernelDiedError(this.dead));
      this.pending.set(id, { onOutput: options.onOutput, idle: false, done, fail });
      this.sockets[options.control ? 1 : 0].send(frames).catch(fail);
    });
  }

  /** Runs the code of a cell. */
  execute(code: string, onOutput?: OnOutput): Promise<Content> {
    const content = {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    };
    return this.request('execute_request', content, { onOutput });
  }

  /** Asks the running cell to stop, as Jupyter does. */
  interrupt(): void {
    if (this.interruptMode === 'signal') this.signal('SIGINT');
    else this.request('interrupt_request', {}, { control: true }).catch(() => {}); // it has died: whoever awaits the cell is told
  }

  /** Ends the process at once. */
  kill(): void {
    this.signal('SIGKILL');
  }

  /** Reaches the kernel's whole group, as Jupyter's signals do. */
  private signal(name: NodeJS.Signals): void {
    const { pid } = this.process;
    if (process.platform === 'win32' || pid === undefined) this.process.kill(name);
    else if (this.dead === undefined) process.kill(-pid, name);
  }

  /** Ends the kernel in order, or by force after three seconds, and removes its files. */
  async stop(): Promise<void> {
    if (this.dead === undefined) {
      this.request('shutdown_request', { restart: false }, { control: true }).catch(() => {});
      const timer = setTimeout(() => this.kill(), SHUTDOWN_MS);
      await this.exited;
      clearTimeout(timer);
    }
    for (const socket of this.sockets.splice(0)) socket.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private died(why: string, done: () => void): void {
    this.dead ??= why;
    for (const pending of this.pending.values()) pending.fail(new KernelDiedError(this.dead));
    this.pending.clear();
    done();
  }
}

/** Numbers of ports on loopback that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((done, fail) => {
          server
            .on('error', fail)
            .listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
