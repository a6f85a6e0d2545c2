import { createRequire } from 'node:module';
import type { Content, KernelClient } from '../../lib/cli/kernel-client.js';

/** A message on a kernel's output channel. */
export interface WireMessage {
  type: string;
  /** Id of the request that it belongs to. */
  parent: string;
  content: Content;
}

interface Subscriber extends AsyncIterable<Buffer[]> {
  linger: number;
  subscribe(): void;
  connect(address: string): void;
  close(): void;
}

/** Listens to all that a kernel sends on its output channel, as a second front end would. */
export class Wire {
  readonly messages: WireMessage[] = [];
  private readonly socket: Subscriber;

  private constructor() {
    const zmq = createRequire(require.resolve('tslab/package.json'))('zeromq') as { Subscriber: new (options: object) => Subscriber };
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
      await kernel.request('kernel_info_request', {});
      await new Promise((done) => setTimeout(done, 20));
    }
    wire.messages.length = 0;
    return wire;
  }

  /** Resolves when nothing has come for a while. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.messages.length; ) {
      before = this.messages.length;
      await new Promise((done) => setTimeout(done, 60));
    }
  }

  close(): void {
    this.socket.close();
  }

  private async listen(): Promise<void> {
    for await (const frames of this.socket) {
      const start = frames.findIndex((frame) => frame.toString() === '<IDS|MSG>') + 2;
      const [header, parent, , content] = frames.slice(start).map((frame) => JSON.parse(frame.toString()) as Content);
      this.messages.push({ type: String(header.msg_type), parent: String(parent.msg_id), content });
    }
  }
}
