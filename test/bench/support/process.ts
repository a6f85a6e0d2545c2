import { spawn } from 'node:child_process';
import { RecitalError } from '../../../lib/recital/errors.js';
import { busySeconds } from './machine.js';

/**
 * What a measuring process reports of itself, and how much of the machine others used meanwhile.
 */
export interface Result {
  /**
   * Its figures by name. `peakMB` (resident memory) and `cpuS` (seconds of processor time) are
   * always among them; `processS` is what a Node program took.
   */
  readonly values: Readonly<Record<string, number>>;
  /**
   * Cores that other processes used on average while it ran: above 0.2 or so its times are not to
   * be trusted.
   */
  readonly others: number;
}

const MARK = 'RESULT ';

/**
 * Prints what a process has measured, for `measure` to read: the last thing that it does. Adds its
 * peak memory, its age and its processor time.
 */
export function report(values: Readonly<Record<string, number>>): void {
  const { user, system } = process.cpuUsage();
  const own = {
    peakMB: process.resourceUsage().maxRSS / 1024,
    processS: performance.now() / 1000,
    cpuS: (user + system) / 1e6,
  };
  console.log(MARK + JSON.stringify({ ...values, ...own }));
}

/**
 * Runs a program that measures one thing and says so in a line `RESULT {…}`. A process of its own
 * for each run, so that peak memory is its own and no run warms up another; Node and Python
 * programs are treated alike.
 * @throws RecitalError with the end of what it wrote, if it fails or reports nothing
 */
export async function measure(
  command: string,
  args: readonly string[],
  { env = {} }: { env?: Record<string, string> } = {},
): Promise<Result> {
  const started = performance.now();
  const busy = busySeconds();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve(exit ?? signal ?? 'unknown'));
  });
  const wall = (performance.now() - started) / 1000;
  const values = parseResult(output);
  if (code !== 0 || !values) {
    const said = (errors + output).trim().split('\n').slice(-8).join('\n');
    throw new RecitalError(
      `${[command, ...args].join(' ')}\nended with ${code} and ${values ? 'a' : 'no'} result:\n${said}`,
    );
  }
  return { values, others: Math.max(0, (busySeconds() - busy - values.cpuS) / wall) };
}

/** The figures of the last line that begins with RESULT. */
export function parseResult(output: string): Record<string, number> | undefined {
  const line = output
    .split('\n')
    .filter((l) => l.startsWith(MARK))
    .pop();
  return line === undefined
    ? undefined
    : (JSON.parse(line.slice(MARK.length)) as Record<string, number>);
}
