import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { findJupyter, type JupyterLab, jupyterHome } from '../../lib/kernel/lab/jupyter.js';
import { freePorts } from '../../lib/kernel/run/kernel-client.js';

const root = resolve(__dirname, '..', '..');

/** JupyterLab, as `npm run lab` would take it; undefined where there is none yet. */
export function jupyterFor(workspace: string): JupyterLab | undefined {
  return findJupyter([workspace, root], { ...process.env, ...jupyterHome(root, workspace) });
}

/**
 * Another of Jupyter's programs, of the same Jupyter: `nbconvert`, `notebook`. Undefined if it is
 * not installed.
 */
export function sibling({ command }: JupyterLab, name: string): readonly string[] | undefined {
  const last = command[command.length - 1];
  const program = [
    ...command.slice(0, -1),
    last === 'jupyterlab' ? name : last.replace('lab', name),
  ];
  return spawnSync(program[0], [...program.slice(1), '--version'], { env: { ...process.env } })
    .status === 0
    ? program
    : undefined;
}

/**
 * A JupyterLab that `npm run lab` has started in a workspace, without a browser. It serves Notebook
 * 7 as well, where that is installed.
 */
export class JupyterServer {
  private output = '';

  private constructor(
    private readonly process: ChildProcess,
    readonly address: string,
    private readonly token: string,
  ) {
    for (const stream of [process.stdout, process.stderr])
      stream?.on('data', (data: Buffer) => (this.output += data.toString()));
  }

  /** Starts it, and waits until it answers. */
  static async start(workspace: string): Promise<JupyterServer> {
    const [port] = await freePorts(1);
    const token = randomUUID();
    const options = [
      '--no-browser',
      `--ServerApp.port=${port}`,
      '--ServerApp.port_retries=0',
      `--IdentityProvider.token=${token}`,
      '--LabApp.expose_app_in_browser=True',
      '--JupyterNotebookApp.expose_app_in_browser=True',
    ];
    const program = [
      join(root, 'lib', 'kernel', 'main.mjs'),
      'lab',
      '--workspace',
      workspace,
      ...options,
    ];
    const server = new JupyterServer(
      spawn(process.execPath, program, { cwd: workspace, stdio: ['ignore', 'pipe', 'pipe'] }),
      `http://127.0.0.1:${port}`,
      token,
    );
    for (let waited = 0; ; waited += 100) {
      const answer = await fetch(`${server.address}/api/status?token=${token}`).catch(
        () => undefined,
      );
      if (answer?.ok) return server;
      if (server.process.exitCode !== null || waited > 60_000)
        throw new Error(`JupyterLab did not start:\n${server.output}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** The address of a file of the workspace, in JupyterLab or in Notebook 7. */
  url(app: 'lab' | 'notebooks', file: string): string {
    const path = app === 'lab' ? `lab/workspaces/w${randomUUID().slice(0, 8)}/tree` : 'notebooks';
    return `${this.address}/${path}/${encodeURI(file)}?token=${this.token}`;
  }

  /** Ends it, and its kernels. */
  async stop(): Promise<void> {
    const gone = new Promise((done) => this.process.once('exit', done));
    await fetch(`${this.address}/api/shutdown?token=${this.token}`, { method: 'POST' }).catch(
      () => {},
    );
    const timer = setTimeout(() => this.process.kill('SIGTERM'), 10_000);
    await gone;
    clearTimeout(timer);
  }
}
