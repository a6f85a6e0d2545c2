import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { kernels } from '../../../lib/recital/compute/kernels.js';

describe('the list of kernels', () => {
  it('is that of assembly/index.ts, and of the compiled kernels: npm run prepare writes it', () => {
    const compute = resolve(__dirname, '../../../lib/recital/compute');
    const text = readFileSync(resolve(compute, 'kernel-list.ts'), 'utf8');
    const listed = [...text.matchAll(/^ {2}(\w+): '([\w ]*)';$/gm)];
    const names = listed.map(([, name]) => name);
    const exported = readFileSync(resolve(compute, 'assembly/index.ts'), 'utf8');
    const given = [...exported.matchAll(/^export \{ (.*) \}/gm)].flatMap(([, each]) =>
      each.split(', '),
    );
    expect(names).to.deep.equal(given.sort());
    const compiled = kernels() as unknown as Record<string, { length: number }>;
    const functions = Object.keys(compiled).filter((name) => typeof compiled[name] === 'function');
    expect(functions.sort()).to.deep.equal(names);
    for (const [, name, parameters] of listed)
      expect(compiled[name].length, name).to.equal(parameters.split(' ').filter(Boolean).length);
  });
});
