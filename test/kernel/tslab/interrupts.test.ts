import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CellRun, KernelClient, runCell, supervised } from '../../support/kernel.js';
import { Wire } from '../../support/wire.js';
import { cases, setup, states } from './interrupt-cases.js';

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('an interrupt', () => {
  let kernel: KernelClient;
  let wire: Wire;
  let folder: string;
  const run = (code: string): Promise<CellRun> => runCell(kernel, code);
  /**
   * Processor time of the kernel in 100 milliseconds in which it has nothing to do; the least of
   * some, as V8 may still be compiling or collecting.
   */
  const idle = async (): Promise<number> => {
    const code =
      'const since = process.cpuUsage(); await new Promise((r) => setTimeout(r, 100)); const { user, system } = process.cpuUsage(since); (user + system) / 1000';
    let least = Infinity;
    for (let i = 0; i < 5 && least >= 60; i++)
      least = Math.min(least, Number((await run(code)).stdout));
    return least;
  };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'recital interrupts '));
    kernel = await KernelClient.start({
      cwd: __dirname,
      launcher: supervised,
    });
    wire = await Wire.to(kernel);
    const { status, stderr, error } = await run(setup(folder));
    expect(`${status} ${stderr} ${error?.evalue}`).to.equal('ok  undefined');
  });
  after(async () => {
    wire?.close();
    await kernel.stop();
    rmSync(folder, { recursive: true });
  });

  for (const {
    what,
    code,
    until = /^begun$/m,
    line,
    after: [then, gives],
  } of cases) {
    it(`stops ${what} within a second, in one line, keeps what there is, and nothing runs on`, async () => {
      let begun = (_sofar: CellRun): void => {};
      const working = new Promise<CellRun>((done) => {
        begun = done;
      });
      const running = runCell(
        kernel,
        `console.log('begun');\n${code}`,
        (sofar) => until.test(sofar.stdout) && begun(sofar),
      );
      const sofar = await Promise.race([working, running]);
      await pause(100);
      const { stdout } = sofar;
      const sent = performance.now();
      kernel.interrupt();
      const cell = await running;
      const seconds = (performance.now() - sent) / 1000;
      expect(cell.status).to.equal('error');
      const said = [
        ...(cell.error?.traceback ?? []),
        ...cell.stderr.split('\n').filter((each) => each !== ''),
      ];
      expect(said, said.join('\n')).to.have.length(1);
      expect(said[0]).to.match(line);
      expect(cell.stdout).to.equal(stdout);
      expect(seconds).to.be.below(1);
      await wire.caughtUp(kernel);
      wire.messages.length = 0;
      await pause(100);
      await wire.caughtUp(kernel);
      expect(wire.messages).to.deep.equal([]);
      const busy = Math.min(await idle(), await idle()); // once a garbage collection may fall into it
      expect(busy).to.be.below(60); // milliseconds of a hundred
      expect((await run(then)).stdout).to.match(gives);
    });
  }

  it('says nothing between cells, and leaves the next one alone', async () => {
    for (let i = 0; i < 2; i++) await kernel.request('interrupt_request', {}, { control: true });
    const next = await run(
      'const own = collabLearner(dls, { nFactors: 4 }); await own.fit(10); [own.recorder.losses.length > 0, own.interrupted]',
    );
    expect(next).to.include({ status: 'ok', stdout: '[ true, false ]\n', stderr: '' });
  });

  it('says the same of a training, and of a loop after an await, when a loop that gives no turns was stopped before', async () => {
    const begin =
      "console.log('begun'); for (const end = Date.now() + 60; Date.now() < end; ) {} console.log('now');"; // which sends what waits
    for (const [code, says] of [
      ['let rounds = 0;\nfor (;;) rounds++;', /^The cell was stopped\.$/],
      [
        'await new Promise((r) => setTimeout(r, 5));\nfor (;;) rounds++;',
        /^The cell was stopped\.$/,
      ],
      ['await learn.fit(5000)', /^in epoch/],
    ] as const) {
      let begun = (): void => {};
      const working = new Promise<void>((done) => {
        begun = done;
      });
      const running = runCell(kernel, `${begin}\n${code}`, () => begun());
      await working;
      await pause(50);
      kernel.interrupt();
      expect((await running).error?.evalue).to.match(says);
    }
  });

  it('stops cells in all kinds of states, once or often, now or a moment later; the next cell runs', async () => {
    for (const [i, code] of states.entries()) {
      await wire.caughtUp(kernel);
      wire.messages.length = 0;
      const running = run(code);
      while (!wire.messages.some(({ type }) => type === 'execute_input')) await pause(1);
      await pause((7 * i) % 30);
      const asked = Array.from({ length: 1 + (i % 3) }, () =>
        kernel.request('interrupt_request', {}, { control: true }),
      );
      const { status, stderr } = await running;
      expect([code, status, /does not stop/.test(stderr)]).to.deep.equal([
        code,
        i < states.length - 1 ? 'error' : status,
        false,
      ]);
      await Promise.all(asked);
      expect(await run("'next'")).to.include({ status: 'ok', stdout: 'next\n' });
    }
  });

  it('that has no effect says so in the cell after five seconds, once', async () => {
    let told = (): void => {};
    const says = new Promise<void>((done) => {
      told = done;
    });
    // Nothing computes here: the thread is held, as by a native call.
    const code =
      "console.log('begun'); await new Promise((r) => setTimeout(r, 100)); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 9000);";
    let begun = (): void => {};
    const working = new Promise<void>((done) => {
      begun = done;
    });
    const running = runCell(kernel, code, ({ stderr }) => (stderr === '' ? begun() : told()));
    await working;
    await pause(500);
    for (let i = 0; i < 3; i++) kernel.interrupt();
    expect(await Promise.race([says.then(() => 'says'), running.then(() => 'ended')])).to.equal(
      'says',
    );
    expect((await running).stderr).to.equal(
      'The cell does not stop. Kernel → Restart ends it; variables are lost.\n',
    );
    expect(await run("'next'")).to.include({ status: 'ok', stdout: 'next\n' });
  });

  it('is heard while the cell is compiled, and by that one alone', async () => {
    for (const delay of [0, 4, 8, 12, 16]) {
      await wire.caughtUp(kernel);
      wire.messages.length = 0;
      const running = run(
        'await null;\nfor (const end = Date.now() + 1500; Date.now() < end; ) await new Promise((r) => setTimeout(r, 5));',
      );
      while (!wire.messages.some(({ type }) => type === 'execute_input')) await pause(1); // it has begun
      await pause(delay);
      kernel.interrupt();
      expect(await running).to.include({ status: 'error' });
      expect(await run("await null; 'next'")).to.include({ status: 'ok', stdout: 'next\n' });
    }
  });
});
