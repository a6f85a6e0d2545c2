// Compiles the AssemblyScript kernels into lib/recital/compute/build/, and makes of the library one
// file and its declarations, in lib/recital/dist/, and bundles of the kernel, unless that is done
// already. Run by npm's `prepare`.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.cjs';
import { typesOf } from './types.cjs';

const library = dirname(fileURLToPath(import.meta.url));
const source = join(library, 'compute', 'assembly');
const out = join(library, 'compute', 'build');
const builds = { reproducible: [], fast: ['--enable', 'relaxed-simd'] };

const age = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const newest = Math.max(
  age(fileURLToPath(import.meta.url)),
  ...readdirSync(source).map((file) => age(join(source, file))),
);
if (!Object.keys(builds).every((name) => age(join(out, `${name}.wasm`)) > newest)) {
  await compile();
  list();
}
bundle(library, 'entries.ts');
try {
  typesOf(() => createRequire(import.meta.url)('@tslab/typescript-for-tslab'));
  for (const program of ['supervise', 'kernel', 'interrupt-channel'])
    bundle(join(library, '..', 'kernel'), `tslab/${program}.ts`);
} catch {
  // The kernel is not installed.
}

/** Writes down which kernels assembly/index.ts exports, with the names of their parameters. */
function list() {
  const read = (name) => readFileSync(join(source, `${name}.ts`), 'utf8');
  const lines = [...read('index').matchAll(/^export \{ (.*) \} from '\.\/([\w-]+)';/gm)].flatMap(
    ([, names, file]) =>
      names.split(', ').map((name) => {
        const [, found] = new RegExp(`^export function ${name}\\(([^)]*)\\)`, 'm').exec(read(file));
        const parameters = [...found.matchAll(/(\w+):/g)].map(([, each]) => each.replace(/^_/, ''));
        return `  ${name}: '${parameters.join(' ')}';\n`;
      }),
  );
  const text = `// The kernels of assembly/index.ts and their parameters, written by build.mjs.
export interface KernelParameters {
${lines.sort().join('')}}
`;
  const file = join(library, 'compute', 'kernel-list.ts');
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}

async function compile() {
  try {
    mkdirSync(out, { recursive: true });
    accessSync(out, constants.W_OK);
  } catch {
    console.error(
      `The compiled kernels in ${out} are missing or older than their sources, and cannot be written. Have the owner run \`npm run prepare\` there.`,
    );
    process.exit(1);
  }
  const { default: asc } = await import('assemblyscript/asc'); // 0.3 s: only when there is something to compile
  for (const [name, extra] of Object.entries(builds)) {
    const file = join(out, `${name}.wasm`);
    const partial = join(out, `${name}.${process.pid}.partial`);
    const options =
      '-O3 --runtime stub --noAssert --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536 --enable threads --enable simd';
    const { error, stderr } = await asc.main([
      'index.ts',
      '--baseDir',
      source,
      '--outFile',
      partial,
      ...options.split(' '),
      ...extra,
    ]);
    if (error) {
      console.error(`The kernels could not be compiled (${name}): ${error.message}\n${stderr}`);
      process.exit(1);
    }
    renameSync(partial, file);
  }
}
