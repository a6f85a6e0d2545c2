import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The entry of the library for `import` in ES modules. */
export const entry = resolve(__dirname, '../../lib/recital/main.mjs');
/** Writes it anew, after a name was added to lib/recital/index.ts. */
export const command = 'node --import tsx test/support/esm-entry.ts';

/**
 * What it must hold: Node does not see the names of a CommonJS module that is compiled when it is
 * loaded, so each is written out.
 */
export function entryText(): string {
  const names = Object.keys(require('../../lib/recital/main.cjs') as object).sort();
  return `// Entry point for ES modules: every name of main.cjs, so that \`import { readPlays } from 'recital'\` works there, too. Written by
// ${command}
import recital from './main.cjs';

export const {
${names.map((name) => `  ${name},\n`).join('')}} = recital;
`;
}

if (process.argv[1] === __filename) writeFileSync(entry, entryText());
