import { expect } from 'chai';
import { type CellRun, KernelClient, runCell } from '../../support/kernel.js';
import { Wire } from '../../support/wire.js';

const CELLS = 1000;
const MANY = 10_000;

describe('the messages of a kernel', () => {
  let kernel: KernelClient;
  let wire: Wire;
  const run = (code: string): Promise<CellRun> => runCell(kernel, code);
  before(async () => {
    kernel = await KernelClient.start({ cwd: __dirname });
    wire = await Wire.to(kernel);
  });
  after(async () => {
    wire?.close();
    await kernel?.stop();
  });

  it('arrive all and in order when 1,000 cells are run at once, each counted, busy and idle in its turn', async () => {
    wire.messages.length = 0;
    const cells = await Promise.all(
      Array.from({ length: CELLS }, (_, i) => run(`console.log(${i});`)),
    );
    expect(cells.map(({ stdout }) => stdout)).to.deep.equal(
      Array.from({ length: CELLS }, (_, i) => `${i}\n`),
    );
    expect(cells.map(({ reply }) => reply.execution_count)).to.deep.equal(
      Array.from({ length: CELLS }, (_, i) => i + 1),
    );
    expect(cells.every(({ types }) => types.join() === 'execute_input,stream')).to.equal(true);
    await wire.caughtUp(kernel);
    const of = new Map<string, string[]>();
    for (const { type, parent, content } of wire.messages) {
      const states = of.get(parent) ?? [];
      states.push(type === 'status' ? String(content.execution_state) : type);
      of.set(parent, states);
    }
    expect(of.size).to.equal(CELLS);
    expect([...new Set(Array.from(of.values(), (states) => states.join()))]).to.deep.equal([
      'busy,execute_input,stream,idle',
    ]);
    // One after the other: what belongs to a cell stands together.
    const order = wire.messages
      .map(({ parent }) => parent)
      .filter((parent, i, all) => parent !== all[i - 1]);
    expect(order).to.deep.equal([...of.keys()]);
  });

  it('say busy until the last cell of a Run All has ended, also when something else is asked in between', async () => {
    wire.messages.length = 0;
    const cells = ['await new Promise((r) => setTimeout(r, 1000));', '1', '2'].map(run);
    await kernel.request('is_complete_request', { code: 'for (' });
    await Promise.all(cells);
    await wire.caughtUp(kernel);
    const states = wire.messages
      .filter(({ type }) => type === 'status')
      .map(({ content }) => content.execution_state);
    expect(states).to.deep.equal([
      'busy',
      'busy',
      'idle',
      'busy',
      'idle',
      'busy',
      'idle',
      'busy',
      'idle',
    ]);
  });

  it(`arrive all and in order when a cell prints ${MANY} lines, short and long, and few messages carry them`, async () => {
    const line = (i: number): string => `${i}${'x'.repeat(i % 100 === 0 ? 5000 : i % 7)}\n`;
    const cell = await run(
      `for (let i = 0; i < ${MANY}; i++) { console.log(i + 'x'.repeat(i % 100 === 0 ? 5000 : i % 7)); if (i % 1000 === 0) await new Promise((r) => setTimeout(r)); }`,
    );
    expect(cell.stdout === Array.from({ length: MANY }, (_, i) => line(i)).join('')).to.equal(true);
    expect(cell.types.length).to.be.below(100);
  });

  it(`arrive all and in order when ${MANY} prints, errors and displays take turns, within seconds`, async () => {
    const got: string[] = [];
    const start = performance.now();
    const code = `import { display } from 'tslab';
      for (let i = 0; i < ${MANY}; i++) { if (i % 3 === 0) console.log(i); else if (i % 3 === 1) console.error(i); else display.text(String(i)); }`;
    const reply = await kernel.execute(code, (type, content) => {
      if (type === 'stream') got.push(`${content.name} ${content.text}`.trim());
      if (type === 'display_data')
        got.push(`display ${(content.data as Record<string, string>)['text/plain']}`);
    });
    expect(reply.status).to.equal('ok');
    const kinds = ['stdout', 'stderr', 'display'];
    expect(
      got.join('\n') === Array.from({ length: MANY }, (_, i) => `${kinds[i % 3]} ${i}`).join('\n'),
    ).to.equal(true);
    expect(performance.now() - start).to.be.below(15_000);
  });

  it('begin anew after a restart: counts from 1, nothing left of before', async () => {
    await run('const kept = 1;');
    const hanging = run('await new Promise(() => {});').catch((error: Error) => error.name);
    await kernel.stop();
    expect(await hanging).to.equal('KernelDiedError');
    kernel = await KernelClient.start({ cwd: __dirname });
    const cells = await Promise.all(["console.log('again')", '1 + 1', 'kept'].map(run));
    expect(cells.map(({ reply }) => reply.execution_count)).to.deep.equal([1, 2, 3]);
    expect(cells.map(({ status, stdout }) => `${status} ${stdout}`)).to.deep.equal([
      'ok again\n',
      'ok 2\n',
      'error ',
    ]);
    expect(cells[2].error?.evalue).to.contain("Cannot find name 'kept'");
  });
});
