import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePorts } from '../../../lib/kernel/run/kernel-client.js';
import { causeOfDeath } from '../../../lib/kernel/tslab/supervise.js';
import {
  type CellRun,
  KernelClient,
  launchers,
  runCell,
  supervised,
} from '../../support/kernel.js';

const outOfMemory = 'The kernel ran out of memory, and its variables are gone.';
const gone = 'the kernel ends, and its variables are gone.';

/** What a cell gives that ends its kernel. */
async function last(
  launcher: readonly string[],
  code: string,
  transport: 'tcp' | 'ipc' = 'tcp',
): Promise<CellRun | Error> {
  const env = { ...process.env, NODE_OPTIONS: '--max-old-space-size=160' };
  const kernel = await KernelClient.start({ cwd: __dirname, launcher, env, transport });
  try {
    return await runCell(kernel, code).catch((error: Error) => error);
  } finally {
    await kernel.stop();
  }
}

/** What a process wrote, and its code, when it and all that hold its output have ended. */
async function ended(
  child: ChildProcessWithoutNullStreams,
): Promise<{ status: number | null; stderr: string }> {
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr };
}

describe('a kernel that dies', () => {
  it('of its memory makes that the error of the cell, in Jupyter', async () => {
    const { status, error, reply } = (await last(
      supervised,
      'const all = []; for (;;) all.push(new Array(10_000).fill({}));',
    )) as CellRun;
    expect(status).to.equal('error');
    expect(error?.ename).to.equal('KernelDied');
    expect(error?.evalue).to.contain(outOfMemory).and.to.contain('--max-old-space-size');
    expect(reply.evalue).to.equal(error?.evalue);
  });

  it('says so as well where files stand in place of ports', async function () {
    if (process.platform === 'win32') this.skip(); // which has no such files
    const { stdout, error } = (await last(
      supervised,
      "console.log(1); await new Promise((r) => setTimeout(r, 200)); process.kill(process.pid, 'SIGKILL'); for (;;);",
      'ipc',
    )) as CellRun;
    expect(stdout).to.equal('1\n');
    expect(error?.evalue).to.contain('ended by SIGKILL');
  });

  it('as it cannot listen where it is told to, since somebody else does, names the place, and leaves nothing running', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'recital ports '));
    const taken = createServer().listen(0, '127.0.0.1');
    try {
      await once(taken, 'listening');
      const { port } = taken.address() as AddressInfo;
      for (const which of ['shell_port', 'control_port']) {
        const [shell_port, iopub_port, stdin_port, control_port, hb_port] = await freePorts(5);
        const connection = {
          transport: 'tcp',
          ip: '127.0.0.1',
          key: 'k',
          shell_port,
          iopub_port,
          stdin_port,
          control_port,
          hb_port,
        };
        const file = join(folder, `${which}.json`);
        writeFileSync(file, JSON.stringify({ ...connection, [which]: port }));
        const { status, stderr } = await ended(spawn(process.execPath, [...supervised, file]));
        expect(status).to.equal(1);
        expect(stderr).to.contain(
          `The kernel cannot listen on tcp://127.0.0.1:${port}: Address already in use. Shut it down`,
        );
      }
    } finally {
      taken.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('of SIGKILL says so to whoever runs a notebook, and who may have sent it', async () => {
    const error = (await last(
      launchers.recital,
      "await null; process.kill(process.pid, 'SIGKILL'); for (;;);",
    )) as Error;
    expect(error.name).to.equal('KernelDiedError');
    expect(error.message).to.contain(
      'ended by SIGKILL. That is what the system does when memory runs out',
    );
  });

  it('of process.exit makes the call the error of the cell, with its line, and then ends with that code', async () => {
    const kernel = await KernelClient.start({ cwd: __dirname });
    try {
      const cells = await Promise.all(
        ["// done\nprocess.exit(3);\nconsole.log('never');", "console.log('nor this');"].map(
          (code) => runCell(kernel, code),
        ),
      );
      const [{ error, stdout }, second] = cells;
      expect(error).to.include({
        ename: 'KernelExit',
        evalue: `process.exit(3) was called: ${gone}`,
      });
      expect(error?.traceback[1]).to.equal('    at cell [1], line 2: process.exit(3);');
      expect([stdout, second.status]).to.deep.equal(['', 'aborted']);
      for (;;) {
        const next = await runCell(kernel, "console.log('nor that')").catch(
          (reason: Error) => reason.message,
        );
        if (typeof next === 'string')
          return expect(next).to.equal('The kernel ended with exit code 3.');
        expect([next.status, next.stdout]).to.deep.equal(['aborted', '']); // it is on its way out
      }
    } finally {
      await kernel.stop();
    }
  });
});

describe('causeOfDeath', () => {
  const of = (end: Partial<Parameters<typeof causeOfDeath>[0]>): string =>
    causeOfDeath({ code: null, signal: null, log: '', ...end });

  it('knows what V8 prints when memory runs out', () => {
    for (const log of [
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
      'FATAL ERROR: Zone Allocation failed - process out of memory',
    ]) {
      expect(of({ signal: 'SIGABRT', log })).to.contain(outOfMemory);
    }
  });

  it('tells the code or the signal, and the last words without stacks of Node', () => {
    expect(of({ code: 3 })).to.equal('The kernel ended with exit code 3.');
    const log =
      ' 1: 0xcb5167 node::Abort() [node]\n----- JavaScript stack trace -----\n\n1: cell[2]:3:30\nError: no disk\n';
    expect(of({ signal: 'SIGSEGV', log })).to.equal(
      'The kernel was ended by SIGSEGV.\nIts last words:\nError: no disk',
    );
  });
});
