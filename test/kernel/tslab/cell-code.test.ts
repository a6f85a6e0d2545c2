import { expect } from 'chai';
import { rewriteDeclarations } from '../../../lib/kernel/tslab/cell-code.js';

describe('rewriteDeclarations', () => {
  it('writes shorthand properties out, wherever they stand, and leaves the rest', () => {
    const cases = {
      'const x = { plays };': 'const x = { plays: plays };',
      'f({ a, b: 1, ...c }, {\n  d,\n});': 'f({ a: a, b: 1, ...c }, {\n  d: d,\n});',
      [['`$', '{f({ a })} { b }`'].join('')]: ['`$', '{f({ a: a })} { b }`'].join(''),
      '({ a, b = 2 } = obj);': '({ a: a, b: b = 2 } = obj);',
      'const { a, b } = await f();': 'const { a, b } = await f();',
      'import { a } from "x"; const f = ({ a }) => a;':
        'import { a } from "x"; const f = ({ a }) => a;',
      'if (x) { y } // { z }': 'if (x) { y } // { z }',
      'const broken = { a': 'const broken = { a: a',
    };
    for (const [code, expected] of Object.entries(cases))
      expect(rewriteDeclarations(code)).to.equal(expected);
  });

  it('gives a module that is imported in an expression its type, whatever stands around', () => {
    const cases = {
      "const fs = await import('node:fs');":
        "const fs: typeof import('node:fs') = await import('node:fs');",
      'let a = 1, b = await import("x"), c = { a };':
        'let a = 1, b: typeof import("x") = await import("x"), c = { a: a };',
      "const { sep } = await import('node:path');": undefined,
      "const fs: any = await import('node:fs');": undefined,
      "const fs = import('node:fs');": undefined,
      'const m = await import(name);': undefined,
      "import * as fs from 'node:fs';": undefined,
    };
    for (const [code, expected = code] of Object.entries(cases))
      expect(rewriteDeclarations(code)).to.equal(expected);
  });
});
