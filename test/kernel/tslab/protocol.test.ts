import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Content } from '../../../lib/kernel/run/kernel-client.js';
import { type CellRun, KernelClient, runCell } from '../../support/kernel.js';
import { Wire } from '../../support/wire.js';

const ts = require('@tslab/typescript-for-tslab') as { version: string };

describe('the kernel by the protocol', () => {
  let kernel: KernelClient;
  let wire: Wire;
  const run = (code: string): Promise<CellRun> => runCell(kernel, code);
  /** Runs a cell with options of the request; gives the reply, and what was sent with its type. */
  const request = async (
    content: Content,
  ): Promise<{ reply: Content; sent: [string, Content][] }> => {
    const sent: [string, Content][] = [];
    const reply = await kernel.request('execute_request', content, {
      onOutput: (type, each) => sent.push([type, each]),
    });
    return { reply, sent };
  };
  before(async () => {
    kernel = await KernelClient.start({ cwd: __dirname });
    wire = await Wire.to(kernel);
    await run("import { Table, show } from 'recital';");
  });
  after(async () => {
    wire?.close();
    await kernel?.stop();
  });

  it('sends what a cell ends with as its result, with the number of the cell, and what it prints or shows as that', async () => {
    const { reply, sent } = await request({
      code: "console.log(3);\nshow(new Table({ a: ['x'] }));\n3",
    });
    expect(sent.map(([type]) => type)).to.deep.equal([
      'execute_input',
      'stream',
      'display_data',
      'execute_result',
    ]);
    expect(sent[3][1]).to.deep.equal({
      data: { 'text/plain': '3' },
      metadata: {},
      execution_count: reply.execution_count,
    });
    const table = await request({ code: "new Table({ a: ['x'] })" });
    expect(table.sent.map(([type]) => type)).to.deep.equal(['execute_input', 'execute_result']);
    expect(table.sent[1][1]).to.include({ execution_count: table.reply.execution_count });
    expect(Object.keys(table.sent[1][1].data as Content)).to.deep.equal([
      'text/html',
      'text/plain',
    ]);
    const later = await request({ code: "console.log(1);\nPromise.resolve('text')" });
    expect(later.sent.slice(1).map(([type, { text, data }]) => [type, text ?? data])).to.deep.equal(
      [
        ['stream', '1\n'],
        ['execute_result', { 'text/plain': 'text' }],
      ],
    );
    for (const code of [
      'null',
      'undefined',
      'const a = 1;',
      'setTimeout(() => {}, 1)',
      'setInterval(() => {}, 1e6).unref()',
      'setImmediate(() => {})',
    ]) {
      expect([code, (await request({ code })).sent.map(([type]) => type)]).to.deep.equal([
        code,
        ['execute_input'],
      ]);
    }
  });

  it('shows an error that a cell ends with as it shows one that is thrown: with the lines of the cells alone', async () => {
    const { reply, stdout } = await run("const made = () => new RangeError('as a value');\nmade()");
    const number = reply.execution_count;
    expect(stdout).to.equal(
      `RangeError: as a value\n    at cell [${number}], line 1 (made): const made = () => new RangeError('as a value');\n    at cell [${number}], line 2: made()\n`,
    );
  });

  it('answers user_expressions, each by itself, after a cell that has succeeded', async () => {
    const expressions = {
      sum: 'n + 1',
      later: 'Promise.resolve([n])',
      no: 'm',
      bad: "throw new RangeError('bad')",
      table: "new Table({ a: ['x'] })",
      printed: "console.log('p'); 0",
    };
    const { reply, sent } = await request({ code: 'const n = 1;', user_expressions: expressions });
    const values = reply.user_expressions as Record<
      string,
      { status: string; data: Content; ename: string; evalue: string; traceback: string[] }
    >;
    expect(Object.keys(values)).to.deep.equal(Object.keys(expressions));
    expect(values.sum).to.deep.equal({ status: 'ok', data: { 'text/plain': '2' }, metadata: {} });
    expect(values.later.data).to.deep.equal({ 'text/plain': '[ 1 ]' });
    expect(values.no).to.include({ status: 'error', ename: 'TypeScriptError' });
    expect(values.bad).to.include({ status: 'error', ename: 'RangeError', evalue: 'bad' });
    expect(values.table.data['text/html']).to.contain('<table');
    expect(sent.map(([type]) => type)).to.deep.equal(['execute_input', 'stream']);
    expect(await run('n')).to.include({ status: 'ok', stdout: '1\n' });
    const failed = await request({ code: 'throw 1', user_expressions: { one: '1' } });
    expect(failed.reply).not.to.have.property('user_expressions');
  });

  it('does not count a cell that is not to be stored, or that is silent', async () => {
    const before = (await run('1')).reply.execution_count as number;
    expect((await request({ code: '2', store_history: false })).reply).to.include({
      status: 'ok',
      execution_count: before,
    });
    const silent = await request({ code: 'let quiet = 5; quiet', silent: true });
    expect(silent.reply).to.include({ status: 'ok', execution_count: before });
    expect(silent.sent).to.deep.equal([]);
    const { reply, stdout } = await run('quiet');
    expect([reply.execution_count, stdout]).to.deep.equal([before + 1, '5\n']);
    const cells = await run('const fails = () => { throw new Error("of a counted cell"); };');
    await request({ code: '// nothing\n// else\nconst other = 1;', store_history: false });
    expect((await run('fails()')).error?.traceback[1]).to.contain(
      `cell [${cells.reply.execution_count}], line 1`,
    );
  });

  it('says which TypeScript and which tslab it is', async () => {
    const { version } = JSON.parse(readFileSync(require.resolve('tslab/package.json'), 'utf8')) as {
      version: string;
    };
    const info = await kernel.request('kernel_info_request', {});
    expect(info).to.include({
      status: 'ok',
      implementation: 'tslab',
      implementation_version: version,
    });
    expect(info.language_info).to.include({ name: 'typescript', version: ts.version });
  });

  it('says busy and idle once for each request, also for those in between, and when a cell is stopped', async () => {
    await wire.caughtUp(kernel); // with what the tests before have asked
    wire.messages.length = 0;
    const running = run(
      "console.log('begun'); for (;;) await new Promise((r) => setTimeout(r, 5));",
    );
    while (!wire.messages.some(({ type }) => type === 'stream'))
      await new Promise((done) => setTimeout(done, 5));
    await kernel.request('complete_request', { code: 'con', cursor_pos: 3 });
    await kernel.request('interrupt_request', {}, { control: true });
    await running;
    await wire.caughtUp(kernel);
    const of = new Map<string, unknown[]>();
    for (const { type, parent, request: of_, content } of wire.messages) {
      if (type === 'status')
        of.set(`${of_} ${parent}`, [
          ...(of.get(`${of_} ${parent}`) ?? []),
          content.execution_state,
        ]);
    }
    const states = Array.from(of, ([key, list]) => `${key.split(' ')[0]}: ${list.join()}`);
    expect(states.filter((each) => !each.startsWith('undefined'))).to.deep.equal([
      'execute_request: busy,idle',
      'complete_request: busy,idle',
      'interrupt_request: busy,idle',
    ]);
    // A front end shows the latest state: after each answer in between the kernel says, for no
    // request, that it is busy still.
    const all = wire.messages
      .filter(({ type }) => type === 'status')
      .map(({ content }) => content.execution_state);
    expect(all).to.deep.equal(['busy', 'busy', 'idle', 'busy', 'busy', 'idle', 'busy', 'idle']);
  });

  it('tells what is complete, what is not, and what never will be', async () => {
    const cases: Record<string, string[]> = {
      complete: [
        '',
        'f(1)',
        'await x',
        'const s = `a\nb`;',
        "const q = '`';",
        '// c',
        '/* c */ 1',
        'f(\n\n',
        'for await (const x of y) {}',
        'return',
      ],
      incomplete: [
        'const s = `abc',
        '`${',
        '/* c',
        'f(',
        'f( // c',
        'if (x) {',
        'const x =',
        'a.',
        '[1,',
        '1 +',
        'class A {\n  f() {',
        'import { a } from',
        'async () =>',
      ],
      invalid: [')', 'f()) {', "const s = 'abc", 'const = 5;', '1 2', '}', 'if x'],
    };
    for (const [status, codes] of Object.entries(cases)) {
      for (const code of codes)
        expect([
          code,
          (await kernel.request('is_complete_request', { code })).status,
        ]).to.deep.equal([code, status]);
    }
    expect(
      await kernel.request('is_complete_request', { code: 'class A {\n  f() {' }),
    ).to.deep.equal({ status: 'incomplete', indent: '    ' });
  });

  it('completes with names that are there in Node, and counts characters', async () => {
    const complete = async (code: string): Promise<Content> =>
      kernel.request('complete_request', { code, cursor_pos: [...code].length });
    for (const code of ['GPU', 'HTMLEl', 'documen', 'WebGL', 'localSto'])
      expect([code, (await complete(code)).matches]).to.deep.equal([code, []]);
    expect((await complete('Buf')).matches).to.include('Buffer');
    expect((await complete('let part: Part')).matches).to.include('Partial');
    expect((await complete('let feature: GPUF')).matches).to.deep.equal([]);
    expect((await complete('Tab')).matches).to.include('Table');
    expect((await complete('awai')).matches).to.include('await');
    expect((await complete('const fs: NodeJ')).matches).to.include('NodeJS');
    await runCell(
      kernel,
      'const ownNumber = 1; let ownText = "a"; function ownFunction() {} class OwnClass {} interface OwnType {}',
    );
    expect((await complete('own')).matches).to.include.members([
      'ownFunction',
      'ownNumber',
      'ownText',
      'OwnClass',
    ]);
    expect((await complete('let x: Own')).matches).to.include.members(['OwnClass', 'OwnType']);
    const { cursor_start, cursor_end, metadata } = await complete("'😀'; Prom");
    expect([cursor_start, cursor_end]).to.deep.equal([5, 9]);
    expect(
      (metadata as { _jupyter_types_experimental: Content[] })._jupyter_types_experimental[0],
    ).to.deep.include({
      text: 'Promise',
      start: 5,
      end: 9,
    });
  });
});
