import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { pack, unpack } from '../../../lib/kernel/protocol.js';
import { freePorts } from '../../../lib/kernel/run/kernel-client.js';
import { InterruptChannel } from '../../../lib/kernel/tslab/interrupt-channel.js';
import { KernelClient, runCell } from '../../support/kernel.js';

interface Dealer {
  linger: number;
  connect(address: string): void;
  send(frames: (string | Buffer)[]): Promise<void>;
  receive(): Promise<Buffer[]>;
  close(): void;
}
const tslab = createRequire(require.resolve('tslab/package.json'));
const zmq = tslab('zeromq') as { Dealer: new (options: object) => Dealer };
const buffers = (frames: (string | Buffer)[]): Buffer[] =>
  frames.map((frame) => Buffer.from(frame));

/** Sends bytes to a port as they are, as any program of the machine can. */
async function sendRaw(port: number, bytes: string | Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => {}); // it is hung up on
  socket.end(bytes);
  socket.resume();
  await new Promise((done) => socket.once('close', done));
}

/** Sends messages to a port. */
async function sendFrames(port: number, ...messages: (string | Buffer)[][]): Promise<void> {
  const dealer = new zmq.Dealer({ linger: 2000, sendTimeout: 500 });
  dealer.connect(`tcp://127.0.0.1:${port}`);
  for (const frames of messages) await dealer.send(frames).catch(() => {}); // a socket that only sends, as that of iopub, takes none
  dealer.close();
}

/** What a browser sends that a page of another origin has told to. */
const http = (n: number, method: string): string =>
  `${method} /${'a'.repeat(7 * n)} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\nContent-Length: 5000\r\nX: ${'a'.repeat(13 * n)}\r\n\r\n${'\0'.repeat(5000)}`;

const JUNK: Record<string, (port: number) => Promise<unknown>> = {
  'the frames of an early ZeroMQ': (port) =>
    sendRaw(port, Buffer.from('010006 0068656c6c6f'.replace(' ', ''), 'hex')),
  'messages that are none': (port) =>
    sendFrames(
      port,
      ['hello'],
      [''],
      ['<IDS|MSG>'],
      ['<IDS|MSG>', 's'],
      ['<IDS|MSG>', 's', '{oops'],
      ['<IDS|MSG>', 's', 'null', '{}', '{}', '{}'],
      ['<IDS|MSG>', 's', '{oops', '{}', '{}', '{}'],
      ['<IDS|MSG>', '', '{"msg_type":{"toString":1}}', '{}', '{}', '{}'],
    ),
  'requests of curl': async (port) => {
    for (let n = 0; n < 20; n++) await sendRaw(port, http(n, 'GET'));
  },
  'requests of a web page': async (port) => {
    for (let n = 0; n < 40; n++) await sendRaw(port, http(n, 'POST'));
  },
  'requests without a right signature': (port) =>
    sendFrames(
      port,
      ...['shutdown_request', 'interrupt_request', 'execute_request'].flatMap((type) => [
        [
          '<IDS|MSG>',
          'x',
          JSON.stringify({ msg_type: type }),
          '{}',
          '{}',
          '{"code":"process.exit()"}',
        ],
        pack({ key: '' }, { type, content: { code: 'process.exit()' } }),
        pack({ key: 'another' }, { type, content: { code: 'process.exit()' } }),
      ]),
    ),
};

describe('the channels of a kernel', () => {
  let kernel: KernelClient;
  before(async () => {
    kernel = await KernelClient.start({ cwd: __dirname });
    await runCell(kernel, 'let keep = 42;');
  });
  after(() => kernel.stop());

  for (const [what, send] of Object.entries(JUNK)) {
    it(`ignore ${what}: the cell goes on, and the stop button works`, async () => {
      let begun = (): void => {};
      const printed = new Promise<void>((done) => {
        begun = done;
      });
      const running = runCell(
        kernel,
        "console.log('begun'); for (;;) await new Promise((r) => setTimeout(r, 5));",
        () => begun(),
      );
      await printed;
      for (const port of Object.values(kernel.ports)) await send(port);
      // What comes later on the same channel has been dealt with later.
      await kernel.request('kernel_info_request', {}, { control: true });
      await kernel.request('kernel_info_request', {});
      const first = await Promise.race([
        running.then(({ error }) => error?.evalue),
        new Promise((done) => setTimeout(done, 300, 'goes on')),
      ]);
      expect(first).to.equal('goes on');
      kernel.interrupt();
      expect((await running).error?.evalue).to.equal('The cell was stopped.');
      expect((await runCell(kernel, 'keep')).stdout).to.equal('42\n');
    });
  }

  it('tell by the heartbeat that the kernel lives, also while it computes', async () => {
    const dealer = new zmq.Dealer({ linger: 0, receiveTimeout: 10_000 });
    dealer.connect(`tcp://127.0.0.1:${kernel.ports.hb}`);
    const beats = async (): Promise<string[]> => {
      await dealer.send(['', 'ping']);
      return (await dealer.receive()).map(String);
    };
    try {
      const running = runCell(
        kernel,
        'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000); Date.now()',
      );
      expect(await beats()).to.deep.equal(['', 'ping']);
      await running;
      expect(await beats()).to.deep.equal(['', 'ping']);
    } finally {
      dealer.close();
    }
  });

  it('say so once in the log, for each channel', () => {
    const said = kernel.log.split('\n').filter((line) => line.includes('is ignored'));
    expect(said.map((line) => /on the (\w+) channel/.exec(line)?.[1]).sort()).to.deep.equal([
      'control',
      'shell',
    ]);
  });

  it('end the kernel in order afterwards', async () => {
    const start = performance.now();
    await kernel.stop();
    expect(performance.now() - start).to.be.below(2900); // after three seconds it is killed
  });
});

describe('the thread that has the channels', () => {
  it('lives on after an error in it, and hears as before', async () => {
    const [port, iopub] = await freePorts(2);
    const connection = { key: 'k' };
    const control = new InterruptChannel();
    const dealer = new zmq.Dealer({ linger: 0, receiveTimeout: 5_000 });
    try {
      const answer = (frames: Buffer[]): void => {
        const { identity, header } = unpack(connection, frames);
        const reply = { identity, type: 'reply', content: {}, parent: header };
        control.socket('control').send(pack(connection, reply));
      };
      let interrupts = 0;
      const interrupt = (): void => {
        interrupts++;
        control.heard();
      };
      control.start(tslab.resolve('zeromq'), { message: answer, interrupt });
      await control.bind({ channel: 'control', address: `tcp://127.0.0.1:${port}`, connection });
      await control.bind({ channel: 'iopub', address: `tcp://127.0.0.1:${iopub}`, connection });
      dealer.connect(`tcp://127.0.0.1:${port}`);
      for (let i = 1; i <= 2; i++) {
        await dealer.send(pack(connection, { type: 'interrupt_request', content: {} }));
        await dealer.receive();
        expect(interrupts).to.equal(i);
        control.worker?.postMessage(null); // which it cannot read
      }
    } finally {
      dealer.close();
      await control.close();
    }
  });
});

describe('pack and unpack', () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue());

  it('are inverse to each other, for whoever knows the key', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), json, json, (key, type, content, parent) => {
        const read = unpack(
          { key },
          buffers(pack({ key }, { type, content, parent, identity: [Buffer.from([1, 0])] })),
        );
        expect(JSON.stringify([read.header.msg_type, read.content, read.parent])).to.equal(
          JSON.stringify([type, content, parent]),
        );
        expect(read.identity.map((frame) => [...frame])).to.deep.equal([[1, 0]]);
      }),
    );
  });

  it('refuse a message of which one bit is changed, and any frames that are none', () => {
    const connection = { key: 'k' };
    fc.assert(
      fc.property(json, fc.nat(), fc.nat(7), (content, at, bit) => {
        const frames = buffers(pack(connection, { type: 't', content }));
        const bytes = Buffer.concat(frames.slice(1));
        bytes[at % bytes.length] ^= 1 << bit;
        let start = 0;
        const changed = frames
          .slice(1)
          .map((frame) => bytes.subarray(start, (start += frame.length)));
        expect(() => unpack(connection, [frames[0], ...changed])).to.throw(/signature/);
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.uint8Array(), fc.constant(Buffer.from('<IDS|MSG>')))),
        (frames) => {
          expect(() =>
            unpack({ key: '' }, buffers(frames.map((frame) => Buffer.from(frame)))),
          ).to.throw(Error);
        },
      ),
    );
  });
});
