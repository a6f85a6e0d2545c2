import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import * as recital from '../../lib/index.js';

const root = resolve(__dirname, '../..');
const text = readFileSync(resolve(root, 'README.md'), 'utf8');
const section = text.slice(text.indexOf('\n## A model of one'), text.indexOf('\n## Measured'));
const blocks = Array.from(section.matchAll(/```ts\n([\s\S]*?)```/g), ([, code]) => code);

/** The models with fewer units and rows: plain TensorFlow.js is slow. */
const smaller = (code: string): string => code.replace(/\b(1024|400|100|50)\b/g, (n) => ({ 1024: '64', 400: '16', 100: '4', 50: '3' })[n]!);

describe("the models of one's own in the README", () => {
  it('are of 15 lines at most', () => {
    expect(blocks).to.have.length(3);
    for (const code of blocks) expect(code.trim().split('\n')).to.have.length.at.most(15);
  });

  it('are trained', async () => {
    const plays = (await recital.readPlays(resolve(root, 'data/sample'), { cache: false })).sampleUsers(40);
    const code = `${blocks.map(smaller).join('\n')}\nreturn { learn, dls, songs, lstm, scaledDot };`;
    const { outputText } = ts.transpileModule(`async function cell() {${code}}`, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
    const names = { ...recital, plays };
    const run = new Function(...Object.keys(names), `${outputText}\nreturn cell();`);
    const made = await recital.noBar(() => recital.noLogging(() => run(...Object.values(names)) as Promise<Record<string, unknown>>));
    const learn = made.learn as recital.Learner;
    expect(learn.epochsTrained).to.equal(2);
    expect(learn.recorder.values.flat().every((x) => Number.isFinite(x))).to.equal(true);
  });
});
