// TypeScript of a package as one CommonJS file, made by esbuild: PACKAGE/dist/NAME-HASH.cjs, where
// HASH stands for the sources as they are. Whoever loads a package (`load`) takes the bundle of its
// sources, which is made first where there is none: sources are edited, and run. Run as a script,
// this file makes a bundle, as esbuild's plugins need a process that can wait.
const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const DAY = 86_400_000;
const skipped = new Set(['assembly', 'build', 'dist', 'node_modules']);
const maps = new Map(); // bundle → its source map, parsed when first needed

/** Name, size and time of every source in a folder: the hash changes with any of them. */
function hashOf(folders) {
  const parts = [fs.statSync(__filename).mtimeMs];
  const look = (folder) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name)) look(file);
      } else if (/\.[cm]?ts$|\.cjs$/.test(entry.name)) {
        const { size, mtimeMs } = fs.statSync(file);
        parts.push(file, size, mtimeMs);
      }
    }
  };
  for (const folder of folders) look(folder);
  return createHash('sha1').update(parts.join('\n')).digest('hex').slice(0, 12);
}

/**
 * What a package exports, from its bundle; in a checkout that cannot be written, and whose bundle
 * is older than its sources, from one that is made in memory.
 * @param {string} folder the package's
 * @param {string} entry the source to begin with, from there
 * @param {string[]} others further folders of sources that are bundled with it
 */
function load(folder, entry, others = []) {
  const { file, code } = bundle(folder, entry, others);
  if (code === undefined) return require(file);
  const made = new Module(file, module);
  made.filename = file;
  made.paths = Module._nodeModulePaths(path.dirname(file));
  made._compile(code, file);
  return made.exports;
}

/** The file of a bundle, made if it is not there yet; with its code, if it could not be written. */
function bundle(folder, entry, others = []) {
  const name = path.basename(entry).replace(/\.\w+$/, '');
  const hash = hashOf([folder, ...others].map((each) => path.resolve(folder, each)));
  const file = path.join(folder, 'dist', `${name}-${hash}.cjs`);
  if (fs.existsSync(file)) return { file };
  const { code, map } = made(folder, entry, file);
  try {
    write(`${file}.map`, map);
    write(file, code);
    if (name === 'entries') leadToSources(folder);
    clear(folder, name, hash);
    return { file };
  } catch {
    maps.set(file, new Module.SourceMap(JSON.parse(map)));
    return { file, code };
  }
}

/** The code of a bundle and its source map. */
function made(folder, entry, file) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [__filename, folder, entry, file],
    { encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  if (status !== 0) throw new Error(`${folder} could not be bundled.\n${stderr}`);
  return JSON.parse(stdout);
}

function write(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  replaced(file, (partial) => fs.writeFileSync(partial, text));
}

/**
 * Puts a file or a folder in its place when it is whole: several processes may make the same one at
 * once.
 */
function replaced(place, make) {
  const partial = `${place}.${process.pid}.partial`;
  try {
    make(partial);
    fs.renameSync(partial, place);
  } catch (error) {
    fs.rmSync(partial, { recursive: true, force: true });
    if (!fs.existsSync(place)) throw error; // else another process was quicker
  }
}

/**
 * What was made of earlier sources goes, but for the last day's: a process that has loaded a bundle
 * may need its source map.
 */
function clear(folder, name, hash) {
  const dist = path.join(folder, 'dist');
  for (const other of fs.readdirSync(dist)) {
    if (!other.startsWith(`${name}-`) || other.includes(hash)) continue;
    const file = path.join(dist, other);
    if (Date.now() - fs.statSync(file).mtimeMs > DAY)
      fs.rmSync(file, { recursive: true, force: true });
  }
}

/**
 * The entries of the package as they are in a checkout: dist/NAME.js leads to the bundle, and
 * dist/NAME.d.ts to the sources. Node sees no names in what a function loads, so these are listed.
 */
function leadToSources(folder) {
  const { file } = bundle(folder, 'entries.ts');
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '-p',
      'const all = require(process.argv[1]); JSON.stringify(Object.keys(all).map((name) => [name, name[0] === "$" ? Object.keys(all[name]) : []]))',
      file,
    ],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  );
  if (status !== 0) throw new Error(`The entries of ${folder} could not be listed.\n${stderr}`);
  const all = JSON.parse(stdout);
  const sources = sourcesOf(folder);
  const entry = (name, names, from, source) => {
    const list = names.map((each) => `  ${each},\n`).join('');
    write(
      path.join(folder, 'dist', `${name}.js`),
      `import library from '../main.cjs';\n\nexport const {\n${list}} = library${from};\n`,
    );
    const each = names.map((one) => `  ${one}: all.${one},\n`).join('');
    write(
      path.join(folder, 'dist', `${name}.cjs`),
      `const all = require('../main.cjs')${from};\n\nmodule.exports = {\n${each}};\n`,
    );
    for (const ending of ['d.ts', 'd.cts'])
      write(path.join(folder, 'dist', `${name}.${ending}`), `export * from '../${source}';\n`);
  };
  write(path.join(folder, 'dist/package.json'), '{ "type": "module" }\n');
  const own = all.filter(([name]) => name[0] !== '$').map(([name]) => name);
  entry('index', own, '', 'index.js');
  for (const [name, names] of all)
    if (name[0] === '$')
      entry(name.slice(1), names, `.${name}`, sources[name.slice(1)].replace(/ts$/, 'js'));
}

/** Entry → its source, as entries.ts has them. */
function sourcesOf(folder) {
  const text = fs.readFileSync(path.join(folder, 'entries.ts'), 'utf8');
  const subpaths = text.matchAll(/^export \* as \$(\w+) from '\.\/(.*)\.js';$/gm);
  return {
    index: 'index.ts',
    ...Object.fromEntries(Array.from(subpaths, ([, name, file]) => [name, `${file}.ts`])),
  };
}

/**
 * Where a line of a bundle stands in the sources: file, line and column, counted from 1; undefined
 * for any other file.
 */
function located(file, line, column) {
  if (!/[\\/]dist[\\/][\w-]+\.cjs$/.test(file)) return undefined;
  if (!maps.has(file)) {
    let map;
    try {
      map = new Module.SourceMap(JSON.parse(fs.readFileSync(`${file}.map`, 'utf8')));
    } catch {
      // Not there any more: the frame is named as it stands.
    }
    maps.set(file, map);
  }
  const found = maps.get(file)?.findEntry(line - 1, column - 1);
  if (found?.originalSource === undefined) return undefined;
  return {
    file: path.resolve(path.dirname(file), found.originalSource),
    line: found.originalLine + 1,
    column: found.originalColumn + 1,
  };
}

module.exports = { bundle, clear, hashOf, leadToSources, load, located, replaced, sourcesOf };

/** Makes a bundle; writes { code, map } as JSON to standard output. */
async function make(folder, entry, file) {
  const esbuild = require('esbuild');
  const { outputFiles } = await esbuild.build({
    absWorkingDir: folder,
    entryPoints: [entry],
    outfile: file,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'error',
    plugins: [places(folder, path.dirname(file))],
  });
  const [map, code] = outputFiles.map(({ text }) => text);
  process.stdout.write(JSON.stringify({ code: named(code), map }));
}

/**
 * Sources find files beside them by `__dirname`, which is theirs in the bundle too; .cjs files of
 * other packages are not bundled.
 */
const places = (folder, dist) => ({
  name: 'places',
  setup(build) {
    build.onResolve({ filter: /^\..*\.cjs$/ }, ({ path: name, resolveDir }) => {
      const file = path.resolve(resolveDir, name);
      if (!path.relative(folder, file).startsWith('..')) return undefined;
      return { path: path.relative(dist, file).replaceAll('\\', '/'), external: true };
    });
    build.onLoad({ filter: /\.(ts|cjs)$/ }, ({ path: file }) => {
      const text = fs.readFileSync(file, 'utf8');
      const place = (name) =>
        `require("node:path").join(__dirname, ${JSON.stringify(path.relative(dist, name).replaceAll('\\', '/'))})`;
      const contents = text.replace(/\b__(dirname|filename)\b/g, (_, what) =>
        place(what === 'dirname' ? path.dirname(file) : file),
      );
      return { contents, loader: file.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
});

/**
 * Gives back the names that classes and public functions have in the sources. esbuild writes
 * `var Random = class _Random { … new _Random() … }` for a class that names itself: a blank in place
 * of the character keeps the columns that the map knows. Of two functions of one name it calls one
 * `show2`.
 */
function named(code) {
  const own = [...code.matchAll(/^ *var (\w+) = class _\1\b/gm)].map(([, name]) => name);
  const classes = new RegExp(`(?<![\\w$.])_(${own.join('|')})(?![\\w$])`, 'g');
  const renamed = [...code.matchAll(/^ {2}(\w+): \(\) => (?!\1\b)(\w+),?$/gm)];
  const names = renamed.map(
    ([, name, local]) => `Object.defineProperty(${local}, 'name', { value: '${name}' });\n`,
  );
  const kept = own.length > 0 ? code.replace(classes, '$1 ') : code;
  return kept.replace(/(?=\/\/# sourceMappingURL=\S*\s*$)/, names.join(''));
}

if (require.main === module) {
  make(...process.argv.slice(2)).catch(({ message }) => {
    console.error(message);
    process.exitCode = 1;
  });
}
