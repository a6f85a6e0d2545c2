// How a kernel ends. The program starts it for Jupyter and stays beside it. A kernel that runs out
// of memory or is killed cannot report that: Jupyter would show a cell that never ends. This
// process notices, takes the kernel's place for a moment, and makes the reason the error of the
// cell that ran.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers'; // a cell may replace the global one
import { address, type Connection, type Content, type Frame, pack } from '../protocol.js';
import { tslabRequire } from './tslab.js';

const CONNECT_MS = 2_000; // front ends connect again within tenths of a second
const LOG_CHARS = 20_000;
const LAST_LINES = 15;
const PARENT_MS = 1_000;
/** For messages on their way when the kernel ends. */
export const FAREWELL_MS = 100;
const deliberate = new Set<NodeJS.Signals | null>(['SIGTERM', 'SIGHUP', 'SIGINT']);
/** Lines of Node's own stacks, and their headings. */
const noise = /^\s*$|^\s*#?\s*\d+: |^-+ .*stack trace -+$/;

/** The request whose cell runs, as the kernel reports it. */
export interface Running {
  /** In base64. */
  identity: string[];
  header: Content;
}

/**
 * Why a kernel has ended, in one or two sentences, followed by its last words where they say more.
 * @param end exit code and signal, and the end of what the process printed outside of cells
 */
export function causeOfDeath(end: {
  code: number | null;
  signal: string | null;
  log: string;
}): string {
  const { code, signal, log } = end;
  if (/out of memory|Reached heap limit/i.test(log)) {
    return 'The kernel ran out of memory, and its variables are gone. Use less data, or start with NODE_OPTIONS=--max-old-space-size=8192 (megabytes).';
  }
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  const guess =
    signal === 'SIGKILL'
      ? ' That is what the system does when memory runs out: if nobody else has done it, use less data.'
      : '';
  const words = log.split('\n').filter((line) => !noise.test(line));
  const last = words.slice(-LAST_LINES).join('\n');
  return `The kernel ${how}.${guess}${last ? `\nIts last words:\n${last}` : ''}`;
}

/**
 * Calls back when the process that Jupyter names as the kernel's parent (JPY_PARENT_PID) has died:
 * otherwise the kernel would run for ever.
 */
export function exitWithParent(exit: () => void): void {
  const parent = Number(process.env.JPY_PARENT_PID);
  if (!parent) return;
  const isDirect = process.ppid === parent; // else a process stands between, or the parent has died
  const isAlive = (): boolean => {
    if (isDirect) return process.ppid === parent;
    try {
      return process.kill(parent, 0); // asks without a signal
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  };
  setInterval(() => isAlive() || exit(), PARENT_MS).unref();
}

/** Thrown by process.exit in a cell, which would otherwise end the kernel silently. */
class KernelExit extends Error {
  override name = 'KernelExit';

  constructor(readonly code: number | string | null | undefined) {
    super(`process.exit(${code ?? ''}) was called: the kernel ends, and its variables are gone.`);
  }
}

/** Makes process.exit end the cell that runs with an error, and then the kernel. */
export class Exit {
  /** What process.exit has thrown. */
  error: KernelExit | undefined;
  private readonly exit = process.exit.bind(process);

  /**
   * @param endCell ends the cell that runs; false if none does
   * @param close what to do before the end
   */
  constructor(
    endCell: () => boolean,
    private readonly close: () => Promise<void>,
  ) {
    process.exit = (code) => {
      if (!this.error) {
        this.error = new KernelExit(code);
        if (!endCell()) {
          console.error(this.error.message);
          this.endIfCalled();
        }
      }
      throw this.error; // nothing below the call may run
    };
  }

  /** Ends the process in order. */
  end(code?: KernelExit['code']): void {
    void this.close().then(() => this.exit(code));
  }

  /** Ends the process if a cell has called process.exit. */
  endIfCalled(): void {
    if (this.error) setTimeout(() => this.end(this.error?.code), FAREWELL_MS);
  }
}

/** The program: starts the kernel, and ends with it. */
export function main(connectionFile: string): void {
  const program = path.join(__dirname, '../tslab/start.cjs');
  const child = spawn(process.execPath, [...process.execArgv, program, 'kernel', connectionFile], {
    stdio: ['inherit', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, JPY_PARENT_PID: String(process.pid) },
  });
  let log = '';
  let running: Running | undefined;
  child.stderr?.on('data', (data: Buffer) => {
    process.stderr.write(data);
    log = (log + data.toString()).slice(-LOG_CHARS);
  });
  child.on('message', (message: { running?: Running }) => {
    running = message.running;
  });
  const end = (code: number): void => {
    child.kill('SIGKILL');
    process.exit(code);
  };
  process.on('SIGINT', () => {}); // is meant for the kernel
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => end(0));
  exitWithParent(() => end(1));
  child.on('error', (error) => {
    console.error(`The kernel could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on('close', async (code, signal) => {
    if (running && !deliberate.has(signal)) {
      const reason = causeOfDeath({ code, signal, log });
      await tell(reason, running, connectionFile).catch((error: Error) =>
        console.error(`${reason}\n(Jupyter could not be told: ${error.message})`),
      );
    }
    process.exit(code ?? 1);
  });
}

interface Bound {
  bind(address: string): Promise<void>;
  send(frames: Frame[]): Promise<void>;
  receive(): Promise<unknown>;
}

/** Sends the reason as the kernel would have sent an error. */
async function tell(reason: string, running: Running, connectionFile: string): Promise<void> {
  const zmq = tslabRequire('zeromq') as Record<
    'XPublisher' | 'Router',
    new (
      options: object,
    ) => Bound
  >;
  const connection = JSON.parse(readFileSync(connectionFile, 'utf8')) as Connection & {
    iopub_port: number;
    shell_port: number;
  };
  const to = running.identity.map((part) => Buffer.from(part, 'base64'));
  const message = (type: string, content: Content, identity: Buffer[] = []): Frame[] =>
    pack(connection, { identity, type, content, parent: running.header });
  const traceback = reason.split('\n');
  const error = { ename: 'KernelDied', evalue: traceback[0], traceback };
  const output = new zmq.XPublisher({ linger: 500 });
  const shell = new zmq.Router({ mandatory: true, linger: 500, sendTimeout: 0 });
  await output.bind(address(connection, connection.iopub_port));
  await shell.bind(address(connection, connection.shell_port));
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
  const until = performance.now() + CONNECT_MS;
  await Promise.race([output.receive(), pause(CONNECT_MS)]); // a front end subscribes
  await pause(100); // and the others do
  await output.send(message('error', error));
  const reply = message('execute_reply', { status: 'error', execution_count: null, ...error }, to);
  for (let sent = false; !sent; ) {
    sent = await shell.send(reply).then(
      () => true,
      () => performance.now() > until, // whoever has asked has not connected again
    );
    if (!sent) await pause(50);
  }
  await output.send(message('status', { execution_state: 'idle' }));
  await pause(200);
}
