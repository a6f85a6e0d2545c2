import { setCompute } from '../../../lib/compute/threads.js';
import type { Runs } from './contenders.js';

const OURS = 'recital';

/** A way to run our kernels. */
export interface Variant {
  /** `recital t1`, `recital t2 fast` … */
  readonly name: string;
  readonly threads: number;
  readonly build: 'reproducible' | 'fast';
}

/** One thread and all of them, reproducible and, if wished for, fast. */
export function ourVariants({ fast, all = setCompute().threads }: { fast: boolean; all?: number }): Variant[] {
  const builds = fast ? (['reproducible', 'fast'] as const) : (['reproducible'] as const);
  return [...new Set([1, all])].flatMap((threads) =>
    builds.map((build) => ({ name: `${OURS} t${threads}${build === 'fast' ? ' fast' : ''}`, threads, build })),
  );
}

/** What distinguishes a variant: ` t1`, ` t2 fast` … */
export function variantOf(name: string): string {
  return name.slice(OURS.length);
}

/** Each of our variants, with whom to compare it: the reproducible build, the default, with each peer; the fast one, or without a peer, with nobody. */
export function againstPeers(measured: readonly Runs[]): [ours: Runs, peer: Runs | undefined][] {
  const isOurs = ({ name }: Runs): boolean => name.startsWith(`${OURS} `);
  const peers = measured.filter((m) => !isOurs(m));
  return measured
    .filter(isOurs)
    .flatMap((m) => (peers.length && !m.name.endsWith(' fast') ? peers : [undefined]).map((p): [Runs, Runs | undefined] => [m, p]));
}
