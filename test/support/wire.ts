import { createRequire } from 'node:module';
import type { Content, KernelClient } from '../../lib/kernel/run/kernel-client.js';

/** A message on a kernel's output channel. */
export interface WireMessage {
  type: string;
  /** Id of the request that it belongs to. */
  parent: string;
  /** Type of that request. */
  request: string;
  content: Content;
}

interface Subscriber extends AsyncIterable<Buffer[]> {
  linger: number;
  subscribe(): void;
  connect(address: string): void;
  close(): void;
}

const ASKED = 'kernel_info_request';
const pause = (): Promise<void> => new Promise((done) => setTimeout(done, 10));

/** Listens to all that a kernel sends on its output channel, as a second front end would. */
export class Wire {
  readonly messages: WireMessage[] = [];
  private readonly socket: Subscriber;

  private constructor() {
    const zmq = createRequire(require.resolve('tslab/package.json'))('zeromq') as {
      Subscriber: new (options: object) => Subscriber;
    };
    this.socket = new zmq.Subscriber({ receiveHighWaterMark: 0 });
    this.socket.linger = 0;
  }

  /** Resolves when messages arrive. */
  static async to(kernel: KernelClient): Promise<Wire> {
    const wire = new Wire();
    wire.socket.subscribe();
    wire.socket.connect(`tcp://127.0.0.1:${kernel.ports.iopub}`);
    void wire.listen();
    while (wire.messages.length === 0) {
      await kernel.request(ASKED, {});
      await pause();
    }
    while (!wire.answered().size) await pause();
    wire.messages.length = 0;
    return wire;
  }

  /** Resolves when all has come that the kernel, which runs no cell, has sent until now. */
  async caughtUp(kernel: KernelClient): Promise<void> {
    const known = this.answered();
    await kernel.request(ASKED, {});
    let mark: string | undefined;
    while (mark === undefined) {
      await pause();
      [mark] = [...this.answered()].filter((id) => !known.has(id));
    }
    const others = this.messages.filter(({ parent }) => parent !== mark);
    this.messages.splice(0, this.messages.length, ...others);
  }

  private answered(): Set<string> {
    const idle = this.messages.filter(
      ({ type, request, content }) =>
        type === 'status' && request === ASKED && content.execution_state === 'idle',
    );
    return new Set(idle.map(({ parent }) => parent));
  }

  close(): void {
    this.socket.close();
  }

  private async listen(): Promise<void> {
    for await (const frames of this.socket) {
      const start = frames.findIndex((frame) => frame.toString() === '<IDS|MSG>') + 2;
      const [header, parent, , content] = frames
        .slice(start)
        .map((frame) => JSON.parse(frame.toString()) as Content);
      this.messages.push({
        type: String(header.msg_type),
        parent: String(parent.msg_id),
        request: String(parent.msg_type),
        content,
      });
    }
  }
}
