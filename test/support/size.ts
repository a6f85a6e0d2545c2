// npm run size: how large the house is, what in it is long, and what nobody uses.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, sources } from './house.js';

const packages = ['lib/recital', 'lib/kernel', 'lib/native', 'lib/synthetic', 'test'];

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const lines = (text: string): number => text.split('\n').length - 1;

for (const name of packages) {
  const files = sources(name);
  const long = files
    .map((file) => [lines(textOf(file)), file] as const)
    .sort(([a], [b]) => b - a)
    .filter(([n], i) => i < 3 || n > 450);
  const folders = new Map<string, number>();
  for (const file of files) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1);
  const full = [...folders].sort(([, a], [, b]) => b - a).filter(([, n], i) => i < 2 || n > 16);
  const sum = files.reduce((total, file) => total + lines(textOf(file)), 0);
  console.log(`${name}: ${files.length} files, ${sum.toLocaleString('en')} lines`);
  if (name === 'test') continue;
  console.log(`  folders: ${full.map(([folder, n]) => `${folder} ${n}`).join(', ')}`);
  console.log(`  longest: ${long.map(([n, file]) => `${file} ${n}`).join(', ')}`);
}

const names = Object.keys(require(join(root, 'lib/recital/index.ts')) as object);
const all = (folder: string, endings: RegExp): string =>
  sources(folder, endings)
    .map((file) => textOf(file))
    .join('\n');
/** Without the pictures, in which any word may stand. */
const notebooks = all('notebooks', /\.ipynb$/).replace(/"image\/png": *"[^"]*"/g, '');
const texts: Record<string, string> = {
  notebooks,
  README: textOf('README.md'),
  docs: all('docs', /\.md$/),
  tests: all('test', /\.(ts|cjs)$/),
};
const usedIn = (name: string): string[] =>
  Object.keys(texts).filter((place) => new RegExp(`\\b${name}\\b`).test(texts[place]));
console.log(`${names.length} public names`);
for (const place of Object.keys(texts)) {
  console.log(`  in ${place}: ${names.filter((name) => usedIn(name).includes(place)).length}`);
}
const readers = names.filter((name) => !usedIn(name).some((place) => place !== 'tests'));
console.log(`  in no notebook, README or docs page: ${readers.join(', ') || 'none'}`);
const unused = names.filter((name) => usedIn(name).length === 0);
console.log(`  used nowhere: ${unused.join(', ') || 'none'}`);
