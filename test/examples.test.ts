import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkExamples } from './support/examples/check.js';
import { readExamples } from './support/examples/read.js';
import type { Outcome } from './support/examples/run.js';

const runner = join(__dirname, 'support/examples/run.ts');

/** Runs every example in a process of its own. */
function runExamples(): Promise<{ outcomes: Outcome[]; errors: string }> {
  const child = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), runner], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (errors += data));
  return new Promise((done) => {
    child.on('close', () =>
      done({
        outcomes: out
          .split('\n')
          .filter((line) => line.startsWith('{"where"'))
          .map((line) => JSON.parse(line)),
        errors,
      }),
    );
  });
}

describe('the examples in docstrings', () => {
  const examples = readExamples();
  let running: ReturnType<typeof runExamples>;
  before(() => {
    running = runExamples();
  });

  it('compile as a cell of a notebook does', () => {
    expect(examples.length).to.be.greaterThan(250);
    expect(checkExamples(examples)).to.deep.equal([]);
  });

  it('run, and give what their comments say', async () => {
    const { outcomes, errors } = await running;
    expect(outcomes.map(({ where }) => where)).to.deep.equal(
      examples.map(({ where }) => where),
      errors,
    );
    expect(outcomes.filter(({ error }) => error !== undefined)).to.deep.equal([]);
    expect(outcomes.reduce((n, { compared }) => n + compared, 0)).to.be.greaterThan(60);
    expect(outcomes.filter(({ skipped }) => skipped !== undefined)).to.have.length.below(15);
  });
});
