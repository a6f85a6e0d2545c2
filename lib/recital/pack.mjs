// What the package `recital` holds, made by npm's `prepack`: for each entry dist/NAME.js, an ES
// module, dist/NAME.cjs, which requires it, and dist/NAME.d.ts and .d.cts, their declarations. What
// entries share, the compiled kernels included, is in dist/shared-*.js; dist/browser.js, for pages,
// is one file of its own. In a checkout the entries lead to the sources instead (bundle.cjs);
// `postpack` puts that back.
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { leadToSources, sourcesOf } from './bundle.cjs';

const library = dirname(fileURLToPath(import.meta.url));
const manifest = createRequire(import.meta.url)('./package.json');
const optional = Object.keys(manifest.peerDependencies);
const entries = sourcesOf(library);
const { browser, ...forNode } = entries;
/** Sources that touch Node → what stands in their place in a page. */
const inPages = [
  [/[\\/]compute[\\/]host\.ts$/, 'browser/host.ts'],
  [
    /[\\/]data[\\/]files[\\/](atomic-write|open-file|read-table|text-file)\.ts$/,
    'browser/files.ts',
  ],
];
/** Files of the whole checkout that each package holds a copy of. */
const copies = ['LICENSE', 'CHANGELOG.md'];

if (process.argv[2] === 'undo') {
  for (const name of copies) rmSync(join(library, name), { force: true });
  removeShared();
  leadToSources(library);
} else {
  for (const name of copies) copyFileSync(join(library, '../..', name), join(library, name));
  removeShared();
  await Promise.all([bundle(), bundleForPages(), declare()]);
  for (const name of Object.keys(entries)) {
    writeFileSync(join(library, `dist/${name}.cjs`), `module.exports = require('./${name}.js');\n`);
    writeFileSync(join(library, `dist/${name}.d.cts`), `export * from './${name}.js';\n`);
  }
}

function removeShared() {
  for (const file of readdirSync(join(library, 'dist')))
    if (file.startsWith('shared-')) rmSync(join(library, 'dist', file));
}

/** The library as ES modules, with nothing beside them but optional packages. */
async function bundle() {
  await build({
    absWorkingDir: library,
    entryPoints: forNode,
    outdir: 'dist',
    splitting: true,
    chunkNames: 'shared-[hash]',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    keepNames: true,
    external: optional,
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);
const __dirname = import.meta.dirname;`,
    },
    logLevel: 'warning',
    plugins: [
      {
        name: 'packaged',
        setup: ({ onLoad }) =>
          onLoad({ filter: /[\\/]recital[\\/]packaged\.ts$/ }, () => ({ contents: packaged() })),
      },
    ],
  });
}

/** recital/browser: one file of its own, without Node and without anything beside it. */
async function bundleForPages() {
  await build({
    absWorkingDir: library,
    entryPoints: { browser },
    outdir: 'dist',
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    keepNames: true,
    logLevel: 'warning',
    plugins: [
      {
        name: 'pages',
        setup({ onLoad, onResolve }) {
          onResolve({ filter: /^node:path$/ }, () => ({ path: join(library, 'browser/files.ts') }));
          onLoad({ filter: /[\\/]recital[\\/]packaged\.ts$/ }, () => ({
            contents: packaged("''"),
          }));
          for (const [filter, place] of inPages)
            onLoad({ filter }, () => ({
              contents: `export * from ${JSON.stringify(`./${place}`)};`,
              resolveDir: library,
            }));
        },
      },
    ],
  });
}

/**
 * packaged.ts with the content of the files that it reads in a checkout.
 * @param thread the program of a compute thread; pages start none
 */
function packaged(thread = content('compute/worker.cjs', 'utf8')) {
  const wasm = (name) => content(`compute/build/${name}.wasm`, 'base64');
  return `const builds = { reproducible: ${wasm('reproducible')}, fast: ${wasm('fast')} };
export const wasmBytes = (name) => Uint8Array.from(atob(builds[name]), (c) => c.charCodeAt(0));
export const threadProgram = () => ${thread};
export const version = () => ${JSON.stringify(manifest.version)};
`;
}

/** The content of a file as a JavaScript text. */
function content(file, encoding) {
  return JSON.stringify(readFileSync(join(library, file), encoding));
}

/** All declarations of public names, and those that they need, in one file. */
async function declare() {
  const made = await rollup({
    input: Object.fromEntries(
      Object.entries(entries).map(([name, file]) => [name, join(library, file)]),
    ),
    external: [/^node:/, ...optional],
    plugins: [dts({ tsconfig: join(library, '../../tsconfig.json') })],
  });
  await made.write({
    dir: join(library, 'dist'),
    format: 'esm',
    entryFileNames: '[name].d.ts',
    chunkFileNames: 'shared-[hash].d.ts',
  });
}
