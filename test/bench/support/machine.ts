import os from 'node:os';
import { setCompute } from '../../../lib/recital/compute/threads.js';

/**
 * What the figures depend on: processor, cores, memory, Node, threads, day, and how busy the
 * machine is with other things.
 */
export function machine(): string {
  const cpus = os.cpus();
  const model = cpus[0]?.model.trim().replace(/\s+/g, ' ') ?? os.arch();
  const load = os.loadavg()[0].toFixed(2);
  return [
    `${model}, ${cpus.length} core${cpus.length === 1 ? '' : 's'}, ${Math.round(os.totalmem() / 2 ** 30)} GB`,
    `node ${process.versions.node}`,
    `threads ${setCompute().threads}`,
    new Date().toISOString().slice(0, 16).replace('T', ' '),
    `load ${load}`,
  ].join(' · ');
}

/** Seconds that all processors have been at work since the machine started. */
export function busySeconds(): number {
  return (
    os.cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) /
    1000
  );
}

/** Waits until the processors have been nearly idle for a second, at most `seconds`. */
export async function quiet(seconds: number): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    const before = busySeconds();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (busySeconds() - before < 0.15) return;
  }
}
