import { expect } from 'chai';
import { type CellRun, KernelClient, runCell } from '../../support/kernel.js';

/** Values that fail when one looks at them. */
const VALUES: Record<string, string> = {
  'a Proxy that refuses everything':
    'new Proxy({}, new Proxy({}, { get: (_, trap) => () => { throw new Error(String(trap)); } }))',
  'a Proxy of a function':
    'new Proxy(() => {}, { get() { throw 1; }, getPrototypeOf() { throw 2; } })',
  'a revoked Proxy':
    '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()',
  'getters that throw':
    '({ get a(): number { throw new Error("get"); }, get [Symbol.toStringTag](): string { throw new Error("tag"); } })',
  'an inspect that throws':
    "({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('inspect'); } })",
  'an inspect that gives no text':
    "({ [Symbol.for('nodejs.util.inspect.custom')]: () => Symbol('x') })",
  'a toString that throws':
    '({ toString() { throw 1; }, valueOf() { throw 2; }, toJSON() { throw 3; } })',
  'a display that throws':
    "({ [Symbol.for('Jupyter.display')]() { throw new Error('display'); } })",
  'a display that is no display': "({ [Symbol.for('Jupyter.display')]: 5 })",
  'a display that cannot be JSON':
    "({ [Symbol.for('Jupyter.display')]: () => ({ 'text/plain': 'x', 'application/json': 5n }) })",
  'a display that holds itself':
    "({ [Symbol.for('Jupyter.display')]() { const a: any = {}; a.a = a; return { 'application/json': a }; } })",
  'a display of a Proxy':
    "({ [Symbol.for('Jupyter.display')]: () => new Proxy({}, { ownKeys() { throw 1; } }) })",
  'an error without a prototype': 'Object.setPrototypeOf(new Error("bare"), null)',
  'an error whose texts are none':
    'Object.assign(new Error(), { name: Symbol("n"), message: { a: 1n }, stack: 5 })',
  'an error that throws when read':
    'Object.defineProperties(new Error("x"), Object.fromEntries(["name", "message", "stack", "cause", "code"].map((k) => [k, { get() { throw new Error(k); } }])))',
  'an error that is its own cause':
    '(() => { const e: any = new Error("round"); e.cause = e; return e; })()',
  'no prototype': 'Object.create(null)',
  'a thenable that throws': '({ get then(): any { throw new Error("then"); } })',
  'a symbol': 'Symbol("s")',
  'a bigint': '10n ** 100n',
  'a promise of any of these': 'Promise.resolve({ get a(): number { throw 1; } })',
  'a rejected promise': 'Promise.reject(new Proxy(new Error("rejected"), { get() { throw 1; } }))',
  'a chart that cannot be drawn':
    "new Chart({ mark: 'bar', get data(): any { throw new Error('data'); } } as any, 'T', 'alt')",
  'null and the like': '[null, undefined, NaN, -0, [,]]',
};
const ENDINGS: Record<string, string> = {
  'code that does not compile': 'const x: string = 5;',
  'a stack that cannot be prepared':
    "Error.prepareStackTrace = () => { throw 1; }; throw new Error('p');",
  'an error after that': "throw new RangeError('again');",
  'a stack that is prepared as a list':
    "Error.prepareStackTrace = (_, frames) => frames; throw new Error('list');",
  'nothing to prepare':
    'delete (Error as any).prepareStackTrace; Error.stackTraceLimit = 0; null.f();',
  'a rejection that nobody awaits': `void ${VALUES['a rejected promise']}; await new Promise((r) => setTimeout(r, 20));`,
  'an error that nobody awaits': `setTimeout(() => { throw ${VALUES['an error that throws when read']}; }); await new Promise((r) => setTimeout(r, 20));`,
  'timers of its own':
    'const real = globalThis.setTimeout; Object.assign(globalThis, { setTimeout: () => 0, setImmediate: () => 0 }); throw 5;',
  'and with them': 'globalThis.setTimeout = real; 1',
  'a console of its own':
    'const log = console.error; console.log = console.error = () => { throw 1; }; process.stdout.write = null as any; 2',
  'and with it': 'console.error = log; throw new Error("e");',
};

describe('a cell', () => {
  let kernel: KernelClient;
  const run = (code: string): Promise<CellRun> => runCell(kernel, code);
  before(async () => {
    kernel = await KernelClient.start({ cwd: __dirname });
    await run("import { Chart } from 'recital';");
  });
  after(() => kernel.stop());

  for (const [what, value] of Object.entries(VALUES)) {
    it(`ends with a reply if it ends with ${what}, or throws it`, async () => {
      const shown = await run(value);
      expect(shown.status).to.be.oneOf(['ok', 'error']);
      if (shown.status === 'error') expect(shown.error?.evalue).to.be.a('string');
      const { status, error } = await run(
        `${what.length % 2 ? 'await null; ' : ''}throw ${value};`,
      );
      expect(status).to.equal('error');
      expect(
        [error?.ename, error?.evalue, ...(error?.traceback ?? [5])].every(
          (part) => typeof part === 'string',
        ),
      ).to.equal(true);
    });
  }

  for (const [what, text] of Object.entries(ENDINGS)) {
    it(`ends with a reply after ${what}`, async () => {
      expect((await run(text)).status).to.be.oneOf(['ok', 'error']);
    });
  }

  it('runs as ever after all of these', async () => {
    expect(await run("console.info('here'); 1 + 1")).to.include({
      status: 'ok',
      stdout: 'here\n2\n',
    });
  });
});
