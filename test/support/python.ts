import { spawnSync } from 'node:child_process';

/** The Python that has the peers: `PEER_PYTHON`, else `python3`. */
export const python = process.env.PEER_PYTHON || 'python3';

/** Whether that Python is there and has these modules. */
export function pythonHas(...modules: string[]): boolean {
  return (
    spawnSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' }).status === 0
  );
}

/** Runs a program with arguments, and returns what it prints, as JSON. */
export function runPython(program: string, args: readonly string[] = []): unknown {
  const { status, stdout, stderr } = spawnSync(python, ['-c', program, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${python} failed: ${stderr}`);
  return JSON.parse(stdout);
}
