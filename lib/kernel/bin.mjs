#!/usr/bin/env node
// recital new|lab|run|data: the notebooks outside of any checkout. The commands are those of
// `npm run lab`, `npm start` and `npm run data`; here they work in the folder they are called in.
// In the package the programs are bundles in content/, which has the layout of a checkout (pack.mjs).
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const own = dirname(fileURLToPath(import.meta.url));
const content = join(own, 'content');
const isPackage = existsSync(content);
const root = isPackage ? content : resolve(own, '../..');
const kernel = join(root, 'lib/kernel');
const require = createRequire(import.meta.url);
const { version } = require('./package.json');
const usage = `usage: recital COMMAND …

  new FOLDER [--no-install]   makes a folder with the notebooks, the sample's data and a package.json, and installs what it needs
  lab [NOTEBOOK OPTIONS]      opens the folder's notebooks in JupyterLab, which is installed if it is missing (needs Python 3)
  run [NAME … OPTIONS]        runs the folder's notebooks without Jupyter, and writes web pages to out/
  data WHAT [OPTIONS]         makes synthetic data, or fetches public ones, into the folder data

recital COMMAND --help says more; recital --version prints ${version}`;

/** Command → its program, below lib/kernel, and the options that point it to this folder. */
const programs = {
  lab: { file: 'lab/lab.ts', options: () => [] },
  run: {
    file: 'run/run.ts',
    options: (args) => [
      ...unless(args, '--notebooks', existsSync('notebooks') ? 'notebooks' : '.'),
      ...unless(args, '--out', 'out'),
    ],
  },
  data: {
    file: '../synthetic/data.ts',
    options: (args) => unless(args, '--out', join('data', args[0] ?? '')),
  },
};
const helpOf = { lab: 'lab', run: 'start', data: 'data' };

function unless(args, option, value) {
  return args.some((arg) => arg === option || arg.startsWith(`${option}=`)) ? [] : [option, value];
}

/** Makes a folder to work in. What is in it already stays as it is. */
function make([name, ...options]) {
  if (!name || name.startsWith('-') || options.some((option) => option !== '--no-install')) {
    console.error(`usage: recital new FOLDER [--no-install]`);
    return 2;
  }
  const folder = resolve(name);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    console.error(`${folder} is there, and not empty. Choose another name, or empty it.`);
    return 1;
  }
  mkdirSync(join(folder, 'notebooks'), { recursive: true });
  for (const file of readdirSync(join(root, 'notebooks')).filter((each) => each.endsWith('.ipynb')))
    cpSync(join(root, 'notebooks', file), join(folder, 'notebooks', file));
  for (const place of ['data/sample', 'data/README.md', 'docs', 'README.md', 'notebooks/figures'])
    if (existsSync(join(root, place)))
      cpSync(join(root, place), join(folder, place), { recursive: true });
  const manifest = {
    name:
      basename(folder)
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/g, '-') || 'notebooks',
    private: true,
    scripts: { start: 'recital run', lab: 'recital lab', data: 'recital data' },
    dependencies: { recital: version, 'recital-kernel': version },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, '.gitignore'), 'node_modules/\nout/\n.venv/\n.cache/\n');
  if (!options.length) {
    const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund'], {
      cwd: folder,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    if (status !== 0) {
      console.error(`${folder} is made, but npm install has failed; its message is above.`);
      return 1;
    }
  }
  console.log(
    `${folder} is ready.\n\n  cd ${name}\n${options.length ? '  npm install\n' : ''}  npm start        # runs every notebook, writes pages to out/\n  npm run lab      # opens them in JupyterLab`,
  );
  return 0;
}

async function main([command, ...args]) {
  if (command === '--version') console.log(version);
  else if (command === undefined || command === '--help' || command === '-h') console.log(usage);
  else if (command === 'new') return make(args);
  else if (!Object.hasOwn(programs, command)) {
    console.error(`There is no command "${command}".\n\n${usage}`);
    return 2;
  } else if (args.includes('--help') || args.includes('-h')) {
    const text = require(join(kernel, 'usage.cjs'))[helpOf[command]];
    console.log(
      text.replace(
        /npm (run )?(start|lab|data)( --)?( \[-- )?/g,
        (_, _run, name, _dashes, open) =>
          `recital ${name === 'start' ? 'run' : name}${open ? ' [' : ''}`,
      ),
    );
  } else {
    const { file, options } = programs[command];
    process.env.RECITAL_WORKSPACE ??= process.cwd();
    process.env.INIT_CWD = process.cwd(); // an npm script of the folder may have been started elsewhere
    process.argv = [process.argv[0], join(kernel, file), ...args, ...options(args)];
    if (!isPackage) {
      await import('./ready.mjs');
      require('tsx/cjs');
    }
    require(isPackage ? join(kernel, 'dist', `${basename(file, '.ts')}.cjs`) : process.argv[1]);
  }
  return undefined;
}

process.exitCode = await main(process.argv.slice(2));
